"""What an auction's answer of 100 kB costs: found, read and one bid taken out, in milliseconds of CPU on this machine.

python -m benchmarks.auctions
"""

import json
import sys
from typing import Any

from benchmarks.timing import least
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.rewrite.auction import payload
from capper.rewrite.auction.layout import load_layouts

LIMIT = 2.0
"""How many milliseconds finding the bids and taking one out may cost."""
URL = "https://exchange.example/openrtb2/bid"
BIDS = 30


def markup(number: int, click: str) -> str:
    """A banner's markup of 3 kB, no two alike."""
    filling = "".join(f"<div class='a{n}'><img src='https://cdn.example/{number}/{n}.png'></div>" for n in range(46))
    return f"<a href='{click.format(number)}' target='_blank'>{filling}</a>"


PLAIN = "https://click.example/c?id={}&amp;adurl=https%3A%2F%2Fshoes.example%2F"
SCRIPTED = "https://click.example/c?id={}' onclick='window.open(\"https://shoes.example/\")"


def openrtb(click: str = PLAIN, **more: object) -> dict[str, Any]:
    """An OpenRTB answer."""
    bids = [
        {"impid": "1", "price": 1 + n / 100, "crid": f"c{n}", "cid": "k", "w": 300, "h": 250, "adm": markup(n, click), **more}
        for n in range(BIDS)
    ]  # fmt: skip
    return {"id": "1", "seatbid": [{"seat": str(n), "bid": [bid]} for n, bid in enumerate(bids)], "cur": "USD"}


def own_form() -> dict[str, Any]:
    """An answer in a form of the exchange's own, read by names."""
    meta = {"advertiserDomains": ["shoes.example"]}
    return {"bids": [{"requestId": str(n), "cpm": 1, "ad": markup(n, PLAIN), "meta": meta} for n in range(BIDS)]}


def no_auction() -> dict[str, Any]:
    """As much JSON with prices and without a bid."""
    return {"items": [{"id": n, "name": "x" * 20, "price": {"list": [n, n]}, "tags": ["a", "b"]} for n in range(1000)]}


def yardstick() -> float:
    """Milliseconds of `json.loads` for an answer of 100 kB: with it beside them, figures of two machines can be compared."""
    text = json.dumps(openrtb(adomain=["shoes.example"]))
    return least(lambda: json.loads(text))


def main() -> int:
    """Print the table; 1 if an auction's answer costs more than the limit."""
    rows = (
        ("adomain", openrtb(adomain=["shoes.example"]), True),
        ("by the click", openrtb(), True),
        ("by a script's click", openrtb(SCRIPTED), True),
        ("a form of its own", own_form(), True),
        ("no auction, exchange", no_auction(), True),
        ("no auction, elsewhere", no_auction(), False),
    )
    spent = {name: cost(name, json.dumps(answer).encode(), exchange=exchange) for name, answer, exchange in rows}
    worst = max(time_ for name, time_ in spent.items() if "script" not in name)
    print(f"at most {worst:.2f} ms to find and take out; the limit is {LIMIT} ms")
    return int(worst > LIMIT)


def cost(name: str, data: bytes, *, exchange: bool) -> float:
    """Print what one answer costs; the milliseconds to find its bids and take one out, 0 where it has none."""
    layouts, reader = load_layouts(), AdReader(load_networks())
    found = payload.find(data, URL, layouts, exchange=exchange)
    finding = least(lambda: payload.find(data, URL, layouts, exchange=exchange))
    whose = least(lambda: [read_offer(reader, bid.offer) for bid in found.bids])
    taking = least(lambda: payload.apply(found, {3})) if found.bids else 0.0
    print(f"{name:22} {len(data):7} bytes  find {finding:5.2f}  whose {whose:5.2f}  apply {taking:5.2f} ms")
    return finding + taking if found.bids else 0.0


if __name__ == "__main__":
    sys.exit(main())
