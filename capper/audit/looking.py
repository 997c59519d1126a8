"""How much of a screen ads take, from the boxes that a browser tells: pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """Where an ad stands on the page, in CSS pixels from its top left corner."""

    x: float
    y: float
    width: float
    height: float

    def seen(self, top: float, height: int) -> float:
        """How much of its height is on a screen that begins at `top`."""
        return max(0.0, min(self.y + self.height, top + height) - max(self.y, top))


def crowding(boxes: Sequence[Box], width: int, height: int) -> tuple[int, float]:
    """The most ads of which half (or half a screen) can be seen at one time, and the most of a screen's area that they cover (0 to 1).

    Wherever she scrolls to: the most is reached where an ad begins at the top of the screen or ends at its foot.
    """
    most, share = 0, 0.0
    for top in {max(0.0, place) for box in boxes for place in (box.y, box.y + box.height - height)}:
        most = max(most, sum(box.seen(top, height) >= min(box.height, height) / 2 for box in boxes))
        covered = sum(min(box.width, width) * box.seen(top, height) for box in boxes)
        share = max(share, min(1.0, covered / (width * height)))
    return most, share
