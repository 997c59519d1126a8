"""What a label says of the item it stands on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody has paid for this item: `Sponsored by Shoe House`.

    `name` is who, where the label says so; `open` that the name is yet to follow (`Sponsored by`). `doubtful` words are also
    said of what nobody advertises with: `Anzeige` is a small ad too.
    """

    name: str = ""
    open: bool = False
    doubtful: bool = False
