"""What the benchmark's origin serves: made here from a seed, so that every run and every machine sees the same bytes."""

import random
import struct
import zlib
from collections.abc import Sequence

ADVERTISERS = ("shoes.example", "travel.example", "coffee.example", "phones.example", "books.example")
SERIAL = b"@serial"
"""Stands for a number of as many digits, another in each answer: what has it is met for the first time."""
WORDS = [
    "the",
    "of",
    "and",
    "city",
    "water",
    "market",
    "people",
    "said",
    "year",
    "time",
    "work",
    "first",
    "school",
    "house",
    "river",
    "council",
    "north",
    "open",
    "day",
    "new",
]


def content() -> dict[str, tuple[str, bytes]]:
    """Path -> (media type, body)."""
    html = "text/html; charset=utf-8"
    known = [banner(number, ADVERTISERS[number % len(ADVERTISERS)], f"{1000 + number}") for number in range(10)]
    new = [banner(number, f"brand-{number}-@serial.example", f"@serial{number}") for number in range(10)]
    return {
        "/1k": ("application/octet-stream", random.Random(1).randbytes(1024)),
        # Each load has five ads that were shown often enough and five of advertisers nobody has met.
        "/page": (html, page(210_000, [*known[:5], *new[5:]])),
        "/withheld-page": (html, page(210_000, known)),
        "/plain-page": (html, page(210_000)),
        "/photo.png": ("image/png", png(30_000, seed=2)),
        "/adbanners/banner.png": ("image/png", png(30_000, seed=3)),
    }


def page(size: int, ads: Sequence[str] = ()) -> bytes:
    """A news page of about `size` bytes with `ads` among its articles."""
    chance = random.Random(7)
    parts = ["<!DOCTYPE html><html lang=en><head><title>News</title><meta charset=utf-8></head><body><main>"]
    each = 1750
    articles = size // each
    between = articles // len(ads) if ads else articles
    for number in range(articles):
        if ads and number % between == 0:
            parts.append(ads[number // between])
        links = "".join(
            f'<li><a href="/story/{number}/{n}"><img src="/thumb/{number}-{n}.jpg" width=80 height=60 alt="">{chance.choice(WORDS)}</a>'
            for n in range(3)
        )
        text = " ".join(chance.choices(WORDS, k=each // 6))[: each - len(links) - 90]
        parts.append(
            f'<article class="story s{number}"><h2>{chance.choice(WORDS)}</h2><p>{text}</p><ul>{links}</ul></article>\n'
        )
    parts.append("</main></body></html>")
    return "".join(parts).encode()


def banner(number: int, advertiser: str, creative: str) -> str:
    """An ad as publishers write it into a page: a click redirector around a picture."""
    return (
        f'<div class="slot"><a href="https://adclick.g.doubleclick.net/pcs/click?xai=AK{number}&amp;adurl=https%3A%2F%2Fwww.{advertiser}%2Fsale" target=_blank>'
        f'<img src="https://tpc.googlesyndication.com/simgad/{creative}" width="300" height="250" alt="ad"></a></div>'
    )


def png(size: int, seed: int) -> bytes:
    """A PNG of noise, about `size` bytes."""
    width, height = 300, max(1, size // 900)
    chance = random.Random(seed)
    rows = b"".join(b"\0" + chance.randbytes(width * 3) for _ in range(height))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")
