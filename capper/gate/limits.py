"""How much the gate is willing to look at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes past which an exchange passes without being looked at, and below which it is no ad.

    `body` is the size on the wire and `decoded` the size after content decoding, both in bytes.
    """

    body: int = 8 * 1024 * 1024
    decoded: int = 16 * 1024 * 1024
    long: int = 32 * 1024
    """A body longer than this, in bytes, that has words of credit is read for prompts in a thread of its own."""
    glanced: int = 1024 * 1024
    """And from this on whether it has any is found out there as well."""
    notice: int = 256 * 1024
    """An answer to a notice (`nurl`, an impression) is no longer than this, in bytes, where it says how long it is."""
    pixel: int = 2
    """An image no wider or no higher than this is a beacon, not a sighting."""
    beacon: int = 1000
    """The same in bytes, of an image that is known by its size in bytes alone."""
