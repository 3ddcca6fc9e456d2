"""A single-shot detector of people or of palms: anchors, boxes with key points, and the best of those that overlap.

Constants: MediaPipe's graphs of pose_detection and palm_detection.
Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016; Bazarevsky et al., "BlazePose: On-device Real-time
Body Pose tracking", 2020.
"""

from dataclasses import dataclass

import numpy as np

from ictus.pose.network import Network
from ictus.pose.region import Region, overlap
from ictus.types import AnyArray, Float64Array, FloatArray

_CLIP = 100.0  # of scores before the sigmoid
_THRESHOLD = 0.5  # of scores
_OVERLAP = 0.3  # beyond which two boxes are of the same


@dataclass(frozen=True)
class DetectorKind:
    """What detectors differ in.

    Attributes
    ----------
    pixels : of a side of the picture that goes in.
    strides : pixels from an anchor to the next, of each layer.
    low : what black is; white is 1.
    """

    pixels: int
    strides: tuple[int, ...]
    low: float


PEOPLE = DetectorKind(224, (8, 16, 32, 32, 32), -1.0)
PALMS = DetectorKind(192, (8, 16, 16, 16), 0.0)


@dataclass(frozen=True)
class Detections:
    """What is found in a picture: N boxes, the surest first.

    Attributes
    ----------
    boxes : (N, 4) left, top, right, bottom, pixels.
    points : (N, K, 2) key points, pixels.
    scores : (N,) in [0, 1].
    """

    boxes: Float64Array
    points: Float64Array
    scores: Float64Array

    def __len__(self) -> int:
        return len(self.scores)


class Detector:
    """A detector: (picture, region) -> Detections."""

    def __init__(self, network: Network, kind: DetectorKind) -> None:
        self.network, self.kind = network, kind
        self.anchors = anchors(kind)

    def __call__(self, picture: AnyArray, region: Region | None = None) -> Detections:
        """Find what is in an upright square of a picture (H, W, 3) uint8 RGB, or in all of it."""
        kind, square = self.kind, region or Region.of_picture(picture)
        crop = square.crop(picture, kind.pixels, blank=True) * np.float32(1 - kind.low) + np.float32(kind.low)
        raw, logits = self.network(crop)
        scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0].astype(np.float64), -_CLIP, _CLIP)))
        sure = np.flatnonzero(scores >= _THRESHOLD)
        boxes, points = decoded(raw[0, sure].astype(np.float64) / kind.pixels, self.anchors[sure])
        found = merged(boxes, points, scores[sure])
        corners = square.outside(found.boxes.reshape(-1, 2)).reshape(-1, 4)
        places = square.outside(found.points.reshape(-1, 2)).reshape(found.points.shape)
        return Detections(corners, places, found.scores)


def anchors(kind: DetectorKind) -> Float64Array:
    """Return the anchors (N, 2) as shares of the picture: two in each cell of a layer, row by row.

    Layers of the same stride that follow one another share a grid: each of its cells has the anchors of all of them.
    """
    grids: list[tuple[int, int]] = []  # cells of a side, anchors of a cell
    for stride in kind.strides:
        cells = -(-kind.pixels // stride)
        if grids and grids[-1][0] == cells:
            grids[-1] = cells, grids[-1][1] + 2
        else:
            grids.append((cells, 2))
    layers = []
    for cells, each in grids:
        middles = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(middles, middles, indexing="ij")
        layers.append(np.repeat(np.stack((x, y), -1).reshape(-1, 2), each, axis=0))
    return np.concatenate(layers)


def decoded(raw: FloatArray, at: FloatArray) -> tuple[Float64Array, Float64Array]:
    """Turn predictions (N, 4 + 2 K), beside their anchors (N, 2), into boxes (N, 4) and points (N, K, 2)."""
    middle, half = raw[:, :2] + at, raw[:, 2:4] / 2
    points = raw[:, 4:].reshape(len(raw), (raw.shape[1] - 4) // 2, 2) + at[:, None]
    return np.concatenate((middle - half, middle + half), 1), points


def merged(boxes: FloatArray, points: FloatArray, scores: FloatArray) -> Detections:
    """Merge boxes that overlap into their mean, weighted by the scores (weighted non-maximum suppression)."""
    left = np.argsort(-scores, kind="stable")
    kept: list[tuple[Float64Array, Float64Array, float]] = []
    while len(left):
        best = left[0]
        same = overlap(boxes[best], boxes[left]) > _OVERLAP
        same[0] = True
        group = left[same]
        weights = scores[group] / scores[group].sum()
        mean = (np.tensordot(weights, boxes[group], 1), np.tensordot(weights, points[group], 1))
        kept.append((*mean, float(scores[best])))
        left = left[~same]
    if not kept:
        return Detections(np.zeros((0, 4)), np.zeros((0, *points.shape[1:])), np.zeros(0))
    return Detections(*(np.array(part) for part in zip(*kept, strict=True)))
