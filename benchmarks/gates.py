"""A gate in this process, and exchanges to judge: what the parts share that leave proxy and network out."""

from collections.abc import Sequence
from datetime import datetime

from benchmarks.lists import NamedList
from benchmarks.pages import png
from capper.domain.exchange import Exchange
from capper.domain.policy import Policy
from capper.gate import Gate
from capper.journal import Journal, Level
from capper.ledger.base import Ledger
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList
from capper.recognise.lists import starter_lists
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.rewrite.auction.layout import load_layouts
from capper.testing import an_exchange

NEWS = "https://news.example/story"
PICTURE = png(3_600, seed=5)
"""Too small to be told from others, so that each address is an ad of its own."""


def recogniser(lists: Sequence[NamedList] = ()) -> Recogniser:
    """What recognises ads by the lists that travel with capper and by `lists`."""
    more = [FilterList(each.name, each.text, each.kind) for each in lists]
    engines = Engines.build([*starter_lists(), *more])
    engines.warm()
    return Recogniser(engines, AdReader(load_networks()))


def gate(known: Recogniser, ledger: Ledger, held: Policy) -> Gate:
    """A gate that writes no journal."""
    return Gate(lambda: known, ledger, lambda: held, Journal(Level.NOTHING), layouts=load_layouts())


def picture(url: str, at: datetime, *, page: str = NEWS) -> Exchange:
    """A picture that a page asked for."""
    return an_exchange(
        url,
        at=at,
        request={"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors", "Referer": page},
        response={"Content-Type": "image/png", "Content-Length": str(len(PICTURE))},
        body=PICTURE,
    )
