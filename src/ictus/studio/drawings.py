"""What stands on an empty panel: a few lines for each art."""

_FRAME = '<svg viewBox="0 0 240 180" role="img" aria-label="{}" fill="none" stroke-linecap="round">{}</svg>'


def _dots(*places: tuple[float, float]) -> str:
    first, *others = [f'cx="{x}" cy="{y}"' for x, y in places]
    return f'<circle class="first" {first} r="6"/>' + "".join(f'<circle class="dot" {at} r="4.5"/>' for at in others)


# A bar in four, as the players see it: down, to the left, to the right, up.
CONDUCT = _FRAME.format(
    "the path of a hand that beats four",
    '<path class="line" d="M126 22C118 60 116 110 118 146C122 122 98 108 62 124C92 104 150 104 182 122'
    'C160 96 140 92 136 96C134 70 130 40 126 22"/>' + _dots((118, 146), (62, 124), (182, 122), (136, 96)),
)
# Steps on the floor, and the line that a dancer's hand leaves above them.
DANCE = _FRAME.format(
    "a line of movement over steps on the floor",
    '<path class="faint" d="M20 150H220"/>'
    '<path class="line" d="M28 96C52 22 84 30 100 78S138 132 156 84S196 20 214 60"/>'
    + _dots((40, 150), (93, 150), (147, 150), (200, 150)),
)
# A body of lines and points.
POSE = _FRAME.format(
    "a body as points and the lines between them",
    '<path class="line" d="M120 44V100M84 66L120 56L156 66L176 96M84 66L62 40M120 100L98 128L94 160M120 100L144 128'
    'L150 160"/>' + _dots((120, 32), (84, 66), (156, 66), (62, 40), (176, 96), (120, 100), (98, 128), (144, 128)),
)
# A bow's way, and the string that it sets in motion.
SOUND = _FRAME.format(
    "a wave that grows out of a movement",
    '<path class="faint" d="M20 90H220"/>'
    '<path class="line" d="M20 90C30 90 32 78 40 78S52 104 60 104S70 62 80 62S92 126 102 126S112 42 122 42'
    'S134 130 144 130S154 58 164 58S174 108 184 108S196 84 206 84S214 90 220 90"/>'
    + _dots((122, 42), (40, 78), (80, 62), (164, 58)),
)
