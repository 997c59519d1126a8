"""What is remembered for minutes, in memory only, to tell one page load and one delivery of an ad from the next."""

from capper.trail.addresses import Addresses
from capper.trail.recent import Recent
from capper.trail.trail import PAUSE, Delivery, Page, Trail

__all__ = ["PAUSE", "Addresses", "Delivery", "Page", "Recent", "Trail"]
