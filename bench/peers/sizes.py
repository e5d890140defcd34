"""The variants that every candidate makes, and how large each is."""

import math
from dataclasses import dataclass

Size = tuple[int, int]


@dataclass(frozen=True)
class Variant:
    """A wanted rendition: a box, and whether it is filled or only fitted into."""

    name: str
    box: Size
    stretch: bool = False

    def size(self, source: Size) -> Size:
        """What a picture of that size becomes: the rule of crates/imaging, to the pixel."""
        if self.stretch:
            return self.box
        scale = min(self.box[0] / source[0], self.box[1] / source[1], 1.0)
        width, height = (round_half_up(side * scale) for side in source)
        return min(max(width, 1), self.box[0]), min(max(height, 1), self.box[1])


VARIANTS = (
    Variant("1080p", (1920, 1080)),
    Variant("720p", (1280, 720)),
    Variant("800x600", (800, 600), stretch=True),
)


def round_half_up(value: float) -> int:
    """Python's round() goes to the even neighbour, and adding 0.5 first is off for 0.49999999999999994."""
    below = math.floor(value)
    return below + (value - below >= 0.5)


def covers(size: Size, target: Size) -> bool:
    """Whether the target can be made by shrinking alone."""
    return size[0] >= target[0] and size[1] >= target[1]


def largest(source: Size) -> Size:
    """The smallest size that covers every variant, as far as the picture itself does."""
    sizes = [variant.size(source) for variant in VARIANTS]
    return min(source[0], max(w for w, _ in sizes)), min(source[1], max(h for _, h in sizes))
