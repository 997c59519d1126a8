"""What an auction's answer of 100 kB costs: found, read and one bid taken out, in milliseconds of this machine.

python benchmarks/auctions.py
"""

import json
import time

from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.rewrite import payload
from capper.rewrite.layout import load_layouts

URL = "https://exchange.example/openrtb2/bid"
FILLING = "".join(f"<div class='a{n}'><img src='https://cdn.example/{n}.png'></div>" for n in range(48))
MARKUP = f"<a href='https://click.example/c?adurl=https%3A%2F%2Fshoes.example%2F'>{FILLING}</a>"


def answer(count, **more):
    """An answer of `count` bids with 3 kB of markup each."""
    bid = {"impid": "1", "price": 1.25, "crid": "c", "cid": "k", "w": 300, "h": 250, "adm": MARKUP, **more}
    return json.dumps(
        {"id": "1", "seatbid": [{"seat": str(n), "bid": [bid]} for n in range(count)], "cur": "USD"}
    ).encode()


def best(work, rounds=50):
    """The least time of `work`, in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main():
    """Print the table."""
    layouts, reader = load_layouts(), AdReader(load_networks())
    for name, data in (("adomain", answer(30, adomain=["shoes.example"])), ("by the click", answer(30))):
        found = payload.find(data, URL, layouts)
        figures = (
            best(lambda data=data: payload.find(data, URL, layouts)),
            best(lambda found=found: [read_offer(reader, bid.offer) for bid in found.bids]),
            best(lambda found=found: payload.apply(found, {3})),
        )
        print(
            f"{name:14} {len(data):7} bytes  find {figures[0]:.2f}  whose {figures[1]:.2f}  apply {figures[2]:.2f} ms"
        )


if __name__ == "__main__":
    main()
