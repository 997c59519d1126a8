"""What the benchmark's origin serves: made here from a seed, so that every run and every machine sees the same bytes."""

import random
import struct
import zlib

ADVERTISERS = ["shoes.example", "travel.example", "coffee.example", "phones.example", "books.example"]
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


def content():
    """Path -> (media type, body)."""
    return {
        "/1k": ("application/octet-stream", random.Random(1).randbytes(1024)),
        "/page": ("text/html; charset=utf-8", page(210_000, ads=10)),
        "/plain-page": ("text/html; charset=utf-8", page(210_000, ads=0)),
        "/photo.png": ("image/png", png(30_000, seed=2)),
        "/adbanners/banner.png": ("image/png", png(30_000, seed=3)),
    }


def page(size, ads):
    """A news page of `size` bytes with `ads` banners among its articles."""
    chance = random.Random(7)
    parts = ["<!DOCTYPE html><html lang=en><head><title>News</title><meta charset=utf-8></head><body><main>"]
    articles = 120
    each = size // articles
    for number in range(articles):
        if ads and number % (articles // ads) == 0:
            parts.append(banner(number // (articles // ads)))
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


def banner(number):
    """An ad as publishers write it into a page: a click redirector around a picture."""
    advertiser = ADVERTISERS[number % len(ADVERTISERS)]
    return (
        f'<div class="slot"><a href="https://adclick.g.doubleclick.net/pcs/click?xai=AK{number}&amp;adurl=https%3A%2F%2Fwww.{advertiser}%2Fsale" target=_blank>'
        f'<img src="https://tpc.googlesyndication.com/simgad/{1000 + number}" width="300" height="250" alt="ad"></a></div>'
    )


def png(size, seed):
    """A PNG of noise, about `size` bytes."""
    width, height = 300, max(1, size // 900)
    chance = random.Random(seed)
    rows = b"".join(b"\0" + chance.randbytes(width * 3) for _ in range(height))

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")
