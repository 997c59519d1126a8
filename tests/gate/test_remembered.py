"""What stays of what somebody read, once it was forgotten."""

import functools
import gc

from capper.remembered import forget

HARMLESS = {
    "capper.ledger.wire.answer",  # numbers
    "capper.rewrite.drawing._em",  # letters
}


def memories():
    """All sized memories of capper's functions; without a size they are of what travels with capper."""
    kind = type(functools.lru_cache(len))
    found = (each for each in gc.get_objects() if isinstance(each, kind) and each.cache_parameters()["maxsize"])
    return [each for each in found if getattr(each, "__module__", "").startswith("capper.")]


async def test_no_memory_keeps_addresses_for_longer(person):
    """What is remembered without an end is of words, files and numbers, never of an address that somebody asked for."""
    anna = person("1 per advertiser per day")
    page = b'<a href="https://ad.doubleclick.net/ddm/clk/1;2?https://www.shoes.example/"><img src="https://s0.2mdn.net/1.png"></a>'
    before = {id(each): each.cache_info().misses for each in memories()}
    for _ in range(2):
        await anna.ask("https://news.example/story", "document", page, "text/html")
        await anna.ask("https://ads.example/1.png", "image", b"", "image/png", referrer="https://news.example/story")
    forget()

    kept = {
        f"{each.__module__}.{each.__qualname__}"
        for each in memories()
        if each.cache_info().currsize and each.cache_info().misses > before.get(id(each), 0)
    }
    assert kept <= HARMLESS
