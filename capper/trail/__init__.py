"""What is remembered for minutes, in memory only, to tell one page load and one delivery of an ad from the next."""

from capper.trail.addresses import Addresses
from capper.trail.delivery import Delivery, Page
from capper.trail.offers import Sheaf
from capper.trail.recent import Recent
from capper.trail.seen import Seen
from capper.trail.trail import PAUSE, Trail

__all__ = ["PAUSE", "Addresses", "Delivery", "Page", "Recent", "Seen", "Sheaf", "Trail"]
