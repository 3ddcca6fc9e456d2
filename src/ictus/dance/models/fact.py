"""FACT: two seconds of dance and four of music -> the frames of dance that follow.

Source: Li, Yang, Ross & Kanazawa, "AI Choreographer: Music Conditioned 3D Dance Generation with AIST++", ICCV 2021,
section 4, with the details of the authors' code (google-research/mint): softmax scale width ** -0.5, no final
normalisation, positions in the two streams only, Keras's initialisation.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ictus.dance.frames import FRAME, PADDED, RATE, floor_place, orthonormalised, padded, rest
from ictus.dance.standing import StandingGuard, StandingRange
from ictus.errors import AudioError, ModelError, MotionError, UsageError
from ictus.nn.pretrained import Pretrained
from ictus.nn.shapes import check_shape
from ictus.nn.transformer import Transformer, causal_mask
from ictus.types import Progress

MOTION_WINDOW, AUDIO_WINDOW = 120, 240  # frames; both windows begin at the same one
AUDIO = 35  # columns of rhythm35
HITS = slice(33, 35)  # of these: onsets and beats, which are 1 in a single frame
BEATS = 34
_RECENT = (0, 1, 2, 4, 7, 11, 17, 25, 35, 50)  # frames before the last one

Ablation = Literal["late-fusion", "no-fusion", "causal", "future-1", "future-10"]
ABLATIONS: tuple[Ablation, ...] = get_args(Ablation)


@dataclass(frozen=True)
class FACTConfig:
    """Sizes; the defaults are those of the authors' code.

    Attributes
    ----------
    pose : numbers of a frame: 219, or 225 with the six zeros that the authors' code puts in front.
    width, heads, hidden : of all blocks.
    motion_layers, audio_layers, fusion_layers : blocks for each stream, and for both together. With no fusion layers
        the music is left out.
    attention : "full": the first `future` tokens are supervised by the frames after the motion window. "causal": a
        token sees its own time and before, in both streams; each motion token is supervised by the frame after its own.
    future : N.
    relative : whether the dancer's place on the floor is relative to that in the last frame, and frames are predicted
        as differences from it, so that a dance can go on anywhere and begins where it is; published without.
    aligned : whether tokens of the music are added, through linear layers, to those of the motion that they belong to:
        at the same time to each frame that is seen, and at the predicted frames to the tokens that predict them.
        Published without: there token i has to find frame 120 + i of the music by positions that are small beside it.
    phase : whether the music's frames also have sine and cosine of the place between two beats; published without.
    recent : whether the tokens that predict are also given, through a linear layer, how the pose changed in the last
        second; published without: there they have to find the last frames among all tokens.
    starts : genre of each pose from which a dance without a seed may begin (see `GENRES` of `ictus.dance.data.aist`);
        without any, it begins in the body's rest pose.
    standing : what the dances that it was trained on keep to.
    """

    pose: int = PADDED
    width: int = 800
    heads: int = 10
    hidden: int = 3072
    motion_layers: int = 2
    audio_layers: int = 2
    fusion_layers: int = 12
    attention: Literal["full", "causal"] = "full"
    future: int = 20
    relative: bool = False
    aligned: bool = False
    phase: bool = False
    recent: bool = False
    starts: tuple[str, ...] = ()
    standing: StandingRange = field(default_factory=StandingRange)

    def __post_init__(self) -> None:
        if self.pose not in (FRAME, PADDED):
            raise ModelError(f"pose is {self.pose}; a frame has {FRAME} numbers, or {PADDED} with zeros in front")
        if self.heads < 1 or self.width % self.heads:
            raise ModelError(f"width is {self.width}; it must be a multiple of heads ({self.heads})")
        if not 1 <= self.future <= MOTION_WINDOW:
            raise ModelError(f"future is {self.future}; it must lie between 1 and {MOTION_WINDOW} frames")
        if self.attention == "causal" and self.future != 1:
            raise ModelError(f"future is {self.future}; causal attention predicts the next frame only")
        if self.attention == "causal" and self.relative:
            raise ModelError("relative places with causal attention: the earlier tokens would see the last frame")
        if self.aligned and (self.attention == "causal" or not self.fusion_layers):
            raise ModelError("aligned music needs full attention and fusion layers")
        if self.recent and self.attention == "causal":
            raise ModelError("recent poses need full attention: the earlier tokens would see the last frame")
        if self.audio_layers and not self.fusion_layers:
            raise ModelError("audio_layers without fusion_layers: nothing would come of the music")

    def ablated(self, row: Ablation) -> "FACTConfig":
        """Return these sizes changed as in a row of the paper's two tables of ablations; as deep as before."""
        deep = self.motion_layers + self.fusion_layers
        changes: dict[Ablation, dict[str, int | str]] = {
            "late-fusion": {"motion_layers": deep - 1, "audio_layers": deep - 1, "fusion_layers": 1},
            "no-fusion": {"motion_layers": deep, "audio_layers": 0, "fusion_layers": 0},
            "causal": {"attention": "causal", "future": 1},
            "future-1": {"future": 1},
            "future-10": {"future": 10},
        }
        return replace(self, **changes[row])  # type: ignore[arg-type]


class Stream(nn.Module):
    """Frames of one kind -> tokens: a linear layer, learned positions, and a transformer."""

    def __init__(self, numbers: int, frames: int, layers: int, config: FACTConfig) -> None:
        super().__init__()
        self.embedding = nn.Linear(numbers, config.width)
        self.positions = nn.Parameter(torch.empty(frames, config.width))
        self.transformer = _transformer(layers, config)

    def forward(self, x: Tensor, mask: Tensor | None, added: Tensor | float = 0.0) -> Tensor:
        """(B, frames, numbers) -> (B, frames, width); `added` (B, frames, width) goes to the embedded frames."""
        y: Tensor = self.transformer(self.embedding(x) + self.positions + added, mask)
        return y


class FACT(Pretrained):
    """The full-attention cross-modal transformer. 120,406,977 parameters in the published size.

    Attributes
    ----------
    start : buffer (S, 219), the frames that a dance without a seed may begin from.
    audio_shift, audio_scale : buffers (35,), what is taken from the music's features, and by what they are divided; 0
        and 1 as published.
    """

    model_type = "fact"
    Config = FACTConfig
    config: FACTConfig
    sizes: ClassVar = {
        "paper": FACTConfig(),
        "small": FACTConfig(width=128, heads=2, hidden=512, motion_layers=2, audio_layers=0, fusion_layers=1),
        "debug": FACTConfig(width=16, heads=2, hidden=32, motion_layers=1, audio_layers=1, fusion_layers=2),
    }
    start: Tensor
    audio_shift: Tensor
    audio_scale: Tensor
    times: Tensor

    def __init__(self, config: FACTConfig) -> None:
        super().__init__(config)
        self.metadata = {"features": "rhythm35@60", "skeleton": "smpl-24", "fps": RATE}
        self.motion = Stream(config.pose, MOTION_WINDOW, config.motion_layers, config)
        self.phase = nn.Linear(2, config.width, bias=False) if config.phase else None
        self.beside, self.ahead = (nn.Linear(config.width, config.width) if config.aligned else None for _ in range(2))
        recent = len(_RECENT) * config.width
        self.recent = nn.Linear(recent, config.width, bias=False) if config.recent else None
        self.audio = Stream(AUDIO, AUDIO_WINDOW, config.audio_layers, config) if config.fusion_layers else None
        self.fusion = _transformer(config.fusion_layers, config)
        self.head = nn.Linear(config.width, config.pose)
        self.register_buffer("start", rest().repeat(max(1, len(config.starts)), 1))
        self.register_buffer("audio_shift", torch.zeros(AUDIO))
        self.register_buffer("audio_scale", torch.ones(AUDIO))
        times = (torch.arange(MOTION_WINDOW), torch.arange(AUDIO_WINDOW if config.fusion_layers else 0))
        self.register_buffer("times", torch.cat(times), persistent=False)
        _initialise(self)

    def forward(self, motion: Tensor, audio: Tensor) -> Tensor:
        """Predict what is supervised.

        Parameters
        ----------
        motion : (B, 120, pose) frames at 60 fps; see `ictus.dance.frames`.
        audio : (B, 240, 35) rhythm35 at 60 fps, from the same frame on.

        Returns
        -------
        (B, N, pose), the N frames after the motion; with causal attention (B, 120, pose), for each frame the next.

        Raises
        ------
        UsageError
            If one of them has another shape.
        """
        check_shape("motion", motion, "B", MOTION_WINDOW, self.config.pose)
        check_shape("audio", audio, "B", AUDIO_WINDOW, AUDIO)
        causal = self.config.attention == "causal"
        return self.decode(motion, self.encode_audio(audio), slice(0, MOTION_WINDOW if causal else self.config.future))

    def encode_audio(self, audio: Tensor) -> Tensor:
        """(B, 240, 35) -> (B, 240, width), the tokens of the music; none if it is left out."""
        if self.audio is None:
            return audio.new_empty(len(audio), 0, self.config.width)
        phase = 0.0 if self.phase is None else self.phase(beat_phase(audio[..., BEATS]))
        scaled = (audio - self.audio_shift) / self.audio_scale
        y: Tensor = self.audio(scaled, self._mask(slice(MOTION_WINDOW, None)), phase)
        return y

    def decode(self, motion: Tensor, audio_tokens: Tensor, tokens: slice) -> Tensor:
        """(B, 120, pose) and (B, 240, width) -> (B, Q, pose): of the 360 tokens only those that are asked for."""
        place = floor_place(motion[:, -1:]) if self.config.relative else None
        x = motion if place is None else motion - place
        beside = 0.0 if self.beside is None else self.beside(audio_tokens[:, :MOTION_WINDOW])
        if self.recent is not None:
            beside = beside + self._ahead(self._recent(x))
        motion_tokens = self.motion(x, self._mask(slice(MOTION_WINDOW)), beside)
        if self.ahead is not None:
            ahead = self.ahead(audio_tokens[:, MOTION_WINDOW : MOTION_WINDOW + self.config.future])
            motion_tokens = motion_tokens + self._ahead(ahead)
        both = torch.cat((motion_tokens, audio_tokens.expand(len(motion_tokens), -1, -1)), 1)  # (B, 360, width)
        y: Tensor = self.head(self.fusion(both, self._mask(slice(None)), tokens))
        return y if place is None else y + motion[:, -1:]

    def _recent(self, motion: Tensor) -> Tensor:
        """(B, 120, pose) -> (B, 1, width): the last pose, and how it differs from those before."""
        assert self.recent is not None
        poses = self.motion.embedding(motion[:, [MOTION_WINDOW - 1 - ago for ago in _RECENT]])  # (B, R, width)
        changes = torch.cat((poses[:, :1], poses[:, 1:] - poses[:, :-1]), 1)
        y: Tensor = self.recent(changes.flatten(1))[:, None]
        return y

    def _ahead(self, tokens: Tensor) -> Tensor:
        """(B, N or 1, width), for the tokens that predict -> (B, 120, width), with zeros for the others."""
        predicting = tokens.expand(-1, self.config.future, -1)
        return F.pad(predicting, (0, 0, 0, MOTION_WINDOW - self.config.future))

    def _mask(self, tokens: slice) -> Tensor | None:
        return causal_mask(self.times[tokens]) if self.config.attention == "causal" else None

    @torch.inference_mode()
    def generate(
        self,
        motion_seed: Tensor | None,
        audio: Tensor,
        steps: int | None = None,
        stride: int = 1,
        *,
        orthonormalise: bool = False,
        to_end: bool = False,
        rest_motion: Tensor | None = None,
        blend: bool = False,
        guard: StandingGuard | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Dance on: predict, keep the first frames, move the windows on by as many, and predict again.

        The network computes where its weights are; under `torch.autocast` with bfloat16 in about half the time.

        Parameters
        ----------
        motion_seed : (B, 120, pose), the dance to the first two seconds of the music. Without it, the dance comes out
            of two seconds of rest before the music, and includes the music's first frame.
        audio : (B, T, 35) rhythm35 of B pieces; or (1, T, 35), one piece for B seeds, which then is encoded only once.
        steps : frames to make at most; the authors evaluate with 1200.
        stride : frames kept of each prediction: 1 as published, up to N to go as many times faster.
        orthonormalise : make each frame's matrices rotations before they are fed back; published without.
        to_end : go on to the music's last frame, as if its last sound lasted. As published, the dance stops where less
            than four seconds of music are ahead.
        rest_motion : (B or 1, 120, pose), the two seconds of rest before the music, for a dance without a seed; by
            default the first of `start`.
        blend : with a stride below N, most frames are predicted more than once: cross-fade from the earlier prediction
            to the later one, so that predictions join without a step; published without.
        guard : keeps the body on the floor; where it stands no longer, the network predicts anew what follows, from two
            seconds of rest in a pose that stands, and the guard knows the frame. Published without.
        progress : called with the fraction done.

        Returns
        -------
        (B, n, pose), the frames after the seed; n = min(steps, T - 239) as published, T - 120 to the end, and 120 more
        without a seed.

        Raises
        ------
        UsageError
            If the stride is not between 1 and N.
        AudioError
            If the music has another shape, is not finite, or is too short for a single frame.
        MotionError
            If the seed has another shape or is not finite.
        """
        self._check(motion_seed, audio, steps, stride)
        seed = self._rest_motion(audio, rest_motion) if motion_seed is None else motion_seed
        before = MOTION_WINDOW if motion_seed is None else 0
        after = AUDIO_WINDOW - MOTION_WINDOW - 1 if to_end else 0
        length = audio.shape[1]
        frames = before + length + after - AUDIO_WINDOW + 1
        if frames < 1:
            raise AudioError(f"the music has {length / RATE:.2f} s; FACT needs {(length + 1 - frames) / RATE:.2f} s")
        audio = extend_audio(audio, before, after)
        frames = min(frames, steps or frames)

        first = 0 if self.config.attention == "full" else MOTION_WINDOW - 1  # the token that predicts the next frame
        ahead = self.config.future if blend else stride
        window, dance = seed, []
        earlier: Tensor | None = None  # the earlier prediction of the frames to come
        for at in range(0, frames, stride):
            kept = min(stride, frames - at)
            tokens = slice(first, first + min(ahead, frames - at))
            # The next window needs tokens of its own: each attends to the whole window, from its place in it.
            audio_tokens = self.encode_audio(audio[:, at : at + AUDIO_WINDOW])
            predicted = self.decode(window, audio_tokens, tokens).to(seed.dtype)
            if earlier is not None:
                predicted = _cross_fade(earlier, predicted)
            if guard is not None:
                go_on = partial(self.decode, audio_tokens=audio_tokens, tokens=tokens)
                window, predicted = guard.watch(window, predicted, kept, go_on)
            earlier = predicted[:, kept:] if blend else None
            new = orthonormalised(predicted[:, :kept]) if orthonormalise else predicted[:, :kept]
            window = torch.cat((window[:, kept:], new), 1)
            dance.append(new)
            if progress is not None:
                progress((at + kept) / frames)
        return torch.cat(dance, 1)

    def _rest_motion(self, audio: Tensor, given: Tensor | None) -> Tensor:
        motion = padded(self.start[0], self.config.pose) if given is None else given
        return motion.expand(len(audio), MOTION_WINDOW, -1)

    def _check(self, seed: Tensor | None, audio: Tensor, steps: int | None, stride: int) -> None:
        if not 1 <= stride <= self.config.future:
            raise UsageError(f"stride {stride}; this network predicts up to {self.config.future} frames, so 1 to that")
        if steps is not None and steps < 1:
            raise UsageError(f"{steps} steps; at least one is needed")
        if audio.ndim != 3 or audio.shape[2] != AUDIO:
            raise AudioError(f"music of shape {tuple(audio.shape)}; rhythm35 of shape (B, T, {AUDIO}) is needed")
        if not audio.isfinite().all():
            raise AudioError("the music's features are not finite; check the recording")
        if seed is None:
            return
        if seed.ndim != 3 or seed.shape[1:] != (MOTION_WINDOW, self.config.pose):
            shape = f"(B, {MOTION_WINDOW}, {self.config.pose})"
            raise MotionError(f"a seed motion of shape {tuple(seed.shape)}; {shape} at {RATE} fps is needed")
        if len(audio) not in (1, len(seed)):
            raise MotionError(f"{len(seed)} seed motions for {len(audio)} pieces; give as many, or one piece")
        if not seed.isfinite().all():
            raise MotionError("the seed motion is not finite; choose other frames")


def beat_phase(beats: Tensor) -> Tensor:
    """(B, T), 1 on the frames of beats -> (B, T, 2): sine and cosine of the place between the beats around each frame.

    The first and the last beat-to-beat time are taken to go on for one beat beyond; farther away, and with fewer than
    two beats, both are 0, as no music has a phase.
    """
    found = torch.zeros(*beats.shape, 2, dtype=beats.dtype, device=beats.device)
    for row, hits in zip(found, beats, strict=True):
        at = hits.nonzero()[:, 0].to(beats.dtype)  # (K,) frames of the beats
        if len(at) < 2:
            continue
        at = torch.cat((2 * at[:1] - at[1:2], at, 2 * at[-1:] - at[-2:-1]))
        time = torch.arange(len(hits), dtype=beats.dtype, device=beats.device)
        after = torch.searchsorted(at, time, right=True)
        inside = (after > 0) & (after < len(at))
        end = after.clamp(1, len(at) - 1)
        angle = 2 * torch.pi * (time - at[end - 1]) / (at[end] - at[end - 1])
        row.copy_(torch.stack((angle.sin(), angle.cos()), -1) * inside[:, None])
    return found


def extend_audio(audio: Tensor, before: int, after: int) -> Tensor:
    """(B, T, 35) -> (B, before + T + after, 35): the first and the last frame repeated, without onsets and beats."""
    ends = audio[:, [0, -1]].clone()
    ends[..., HITS] = 0
    first, last = (ends[:, k : k + 1].expand(-1, count, -1) for k, count in ((0, before), (1, after)))
    return torch.cat((first, audio, last), 1)


def _cross_fade(earlier: Tensor, later: Tensor) -> Tensor:
    """(B, m, pose) predicted earlier and (B, n, pose) later -> (B, n, pose): the first fades into the second."""
    both = min(earlier.shape[1], later.shape[1])
    weight = torch.linspace(0, 1, both + 2, dtype=later.dtype, device=later.device)[1:-1, None]  # (m, 1)
    return torch.cat((earlier[:, :both] * (1 - weight) + later[:, :both] * weight, later[:, both:]), 1)


def _transformer(layers: int, config: FACTConfig) -> Transformer:
    return Transformer(layers, config.width, config.heads, config.hidden, config.width**-0.5)


def _initialise(network: FACT) -> None:
    """Draw the weights as Keras does by default: Glorot's uniform; positions and head from a cut normal."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    drawn = [network.head.weight, network.motion.positions]
    drawn += [network.audio.positions] if network.audio is not None else []
    for tensor in drawn:
        nn.init.trunc_normal_(tensor, std=0.02, a=-0.04, b=0.04)
