"""Music of any length through a network of bounded memory: windows that overlap, agree and cross-fade."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ictus.conducting.models.m2s_net import MEL_RATE, MOTION_RATE, STEP
from ictus.errors import AudioError, UsageError
from ictus.types import Float32Array, Progress


class Conducting(Protocol):
    """A network that conducts: the M2S-GAN generator, or a baseline that takes no noise (`noise_size` 0).

    Attributes
    ----------
    joints, bands, noise_size : of the motion, of the mel, and numbers of noise a second.
    context_seconds : music and noise further than this from a frame do not change it (much).
    shortest_seconds : whole seconds of music that the network needs at least.
    """

    joints: int
    bands: int
    noise_size: int
    context_seconds: int
    shortest_seconds: int

    def folded(self) -> "Conducting":
        """Return the network's form for inference."""
        ...

    def parameters(self) -> Iterator[nn.Parameter]:
        """The network's weights; they say where it computes, and how precisely."""
        ...

    def __call__(self, mel: Tensor, noise: Tensor, /) -> Tensor:
        """(B, T90, bands) and (B, seconds, noise_size) -> (B, T30, joints, 2)."""
        ...


FADE = 1  # seconds over which a window hands over to the next


def draw_noise(seconds: int, size: int, seed: int) -> Float32Array:
    """Return (seconds, size) normal numbers: the noise of a whole piece, the same for the same seed."""
    return torch.randn(1, seconds, size, generator=torch.Generator().manual_seed(seed))[0].numpy()


def generate(
    generator: Conducting,
    mel: Float32Array,
    noise: Float32Array | None = None,
    *,
    seed: int = 0,
    window_seconds: int = 60,
    progress: Progress | None = None,
) -> Float32Array:
    """Conduct music of any length.

    Each window gets `generator.context_seconds` more on both sides, as much as the published TCN's receptive field, so
    its motion does not depend on where windows begin: results for any two window sizes agree within rounding. A BiLSTM
    remembers further back; there the cross-fade joins what differs. Music up to a window long passes in one piece.

    Parameters
    ----------
    generator : whose folded form is used (pass `generator.folded()` to fold only once); runs on its own device.
    mel : (T90, 128) mel128 at 90 Hz; may be memory-mapped.
    noise : (seconds, 8), one vector per second begun; drawn from `seed` if not given.
    window_seconds : whole seconds; memory grows with it, about 1 MB a second.
    progress : called after each window with the fraction that is done, lastly 1.0.

    Returns
    -------
    (T30, 13, 2) float32 conductor-13 at 30 Hz, T30 = round(T90 / 3).

    Raises
    ------
    AudioError
        If the mel holds less than one frame of motion, or NaN.
    UsageError
        If a shape does not fit or the window is shorter than a second.
    """
    network = generator.folded()
    bands, size = network.bands, network.noise_size
    if mel.ndim != 2 or mel.shape[1] != bands:
        raise UsageError(f"the mel has shape {mel.shape}; it must be (frames at {MEL_RATE} Hz, {bands})")
    if window_seconds < 1:
        raise UsageError(f"windows of {window_seconds} s; they must be of at least one second")
    frames = round(len(mel) / STEP)
    if frames == 0:
        raise AudioError(f"the music has {len(mel)} frames at {MEL_RATE} Hz; that is less than one frame of motion")
    seconds = -(-len(mel) // MEL_RATE)
    noise = draw_noise(seconds, size, seed) if noise is None else noise
    if noise.ndim != 2 or noise.shape[1] != size or len(noise) < seconds:
        raise UsageError(f"the noise has shape {noise.shape}; {seconds} s of music need ({seconds}, {size})")

    parameter = next(network.parameters())

    def conduct(first: int, last: int) -> Float32Array:
        """Return the motion from second `first` to `last`, or to the end of the music if that comes before."""
        window, drawn = _at_least(network.shortest_seconds, mel[first * MEL_RATE : last * MEL_RATE], noise[first:last])
        if not np.isfinite(window).all():
            raise AudioError(f"the mel holds NaN or infinity between {first} and {last} s; decode the music again")
        with torch.inference_mode():
            motion = network(*(torch.from_numpy(x)[None].to(parameter) for x in (window, drawn)))
        return np.asarray(motion[0].detach().float().cpu().numpy())

    motion = np.empty((seconds * MOTION_RATE, network.joints, 2), np.float32)
    ramp = ((np.arange(FADE * MOTION_RATE) + 0.5) / (FADE * MOTION_RATE)).astype(np.float32)[:, None, None]
    start = stop = 0
    while stop < seconds:
        stop = min(start + window_seconds + FADE, seconds)
        first, last = max(0, start - network.context_seconds), min(seconds, stop + network.context_seconds)
        piece = conduct(first, last)[(start - first) * MOTION_RATE : (stop - first) * MOTION_RATE]
        here = motion[start * MOTION_RATE :][: len(piece)]
        if start > 0:
            fade = ramp[: len(piece)]
            piece[: len(fade)] = (1 - fade) * here[: len(fade)] + fade * piece[: len(fade)]
        here[:] = piece
        start += window_seconds
        if progress is not None:
            progress(stop / seconds)
    return motion[:frames]


def _at_least(seconds: int, mel: Float32Array, noise: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Lengthen music that is shorter than `seconds`: it is mirrored at its end, as the network's own padding does."""
    missing = max(0, seconds * MEL_RATE - len(mel))
    window = np.pad(np.asarray(mel, np.float32), ((0, missing), (0, 0)), mode="reflect")
    drawn = np.pad(np.asarray(noise, np.float32), ((0, max(0, seconds - len(noise))), (0, 0)), mode="edge")
    return window, drawn
