"""What the demo's hosts answer: three publishers, an ad server and the advertisers' shops. Pure: a request in, a reply out.

An ad is delivered in the two ways a page knows most: as an element of the page (`<a><img></a>`), with a house ad beside it,
and as a frame from the ad server. Banners may be cached for an hour, as real ones may.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from html import escape
from urllib.parse import parse_qs, quote, urlsplit

from capper.demo.pictures import Look, banner, photograph

AD_SERVER = "adserver.example"
CHOICES = "youradchoices.com"
"""The trade's own page about ads, as it is in this world: where the "i" of an ad leads."""
AD_LIST = f"! Title: the demo's ad server\n||{AD_SERVER}^\n"
"""The filter list that says which requests of this world are ads."""


@dataclass(frozen=True, slots=True)
class Advertiser:
    """Who advertises, by domain, and how their banners look."""

    name: str
    domain: str
    look: Look


SHOES = Advertiser("shoes", "shoes.example", Look("shoe", "#1f3a5f", "#ff8552", "Walk on clouds", "Shop shoes"))
TRAVEL = Advertiser("travel", "travel.example", Look("sun", "#0b7a75", "#ffd166", "Seven seas, one week", "Book now"))
COFFEE = Advertiser("coffee", "coffee.example", Look("cup", "#5b3a29", "#f3d9b1", "A better morning", "Taste it"))
ADVERTISERS = {advertiser.name: advertiser for advertiser in (SHOES, TRAVEL, COFFEE)}


@dataclass(frozen=True, slots=True)
class Placement:
    """An ad's place on a page: as a frame of its own or as an element of the page."""

    advertiser: Advertiser
    framed: bool
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Site:
    """A publisher: `top` stands above the text, `side` beside it."""

    host: str
    title: str
    accent: str
    sky: str
    land: str
    headline: str
    paragraphs: tuple[str, ...]
    top: Placement
    side: Placement


def _leaderboard(advertiser: Advertiser, *, framed: bool = False) -> Placement:
    return Placement(advertiser, framed, 728, 90)


def _rectangle(advertiser: Advertiser, *, framed: bool = True) -> Placement:
    return Placement(advertiser, framed, 300, 250)


NEWS = Site(
    "news.example",
    "The Harbour News",
    "#9b2226",
    "#bcd4e6",
    "#7a8ca0",
    "Ferry to the islands sails again",
    (
        "After eleven weeks in dry dock the ferry left the quay this morning, four minutes early and with a brass band on deck.",
        "The harbour master called it a calm day for a calm ship. Islanders waited with flags, coffee and a long list of parcels.",
        "The winter timetable begins on Monday; bicycles travel free of charge until the end of the month.",
    ),
    top=_leaderboard(SHOES),
    side=_rectangle(TRAVEL),
)
WEATHER = Site(
    "weather.example",
    "Weather by the Hour",
    "#1d5c96",
    "#8fc1e3",
    "#5085a5",
    "Clear until evening, then a little rain",
    (
        "Morning 9 degrees, noon 14, evening 11. Wind from the south-west, light, turning west after sunset.",
        "Rain reaches the coast about eight o'clock and is gone by midnight. No frost is expected before Thursday.",
        "Sunrise 7.42, sunset 16.31. The moon is three days past full.",
    ),
    top=_leaderboard(COFFEE),
    side=_rectangle(SHOES),
)
RECIPES = Site(
    "recipes.example",
    "Recipes for Two",
    "#4a7c3a",
    "#f1e3c6",
    "#a3b18a",
    "Leek and potato soup in half an hour",
    (
        "Two leeks, three potatoes, a litre of stock, a spoon of butter, and cream if there is any.",
        "Melt the butter, let the leeks go soft without colour, add potatoes and stock, and leave it alone for twenty minutes.",
        "Blend half of it, so that it is smooth and has something to bite on. Salt at the end. Serve with dark bread.",
    ),
    top=_leaderboard(SHOES),
    side=_rectangle(COFFEE, framed=False),
)
SITES = {site.host: site for site in (NEWS, WEATHER, RECIPES)}
HOSTS = (*SITES, AD_SERVER, CHOICES, *(f"www.{advertiser.domain}" for advertiser in ADVERTISERS.values()))


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as an origin sees it; header names are in lower case."""

    method: str
    host: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The first value of each query parameter."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """What an origin answers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""


def answer(asked: Asked) -> Reply:
    """The reply of whichever host of this world was asked; 404 for all others."""
    site = SITES.get(asked.host)
    if site:
        return _site(site, asked)
    if asked.host == AD_SERVER:
        return _ad_server(asked)
    if asked.host == CHOICES:
        return html(_choices())
    shop = next((one for one in ADVERTISERS.values() if asked.host == f"www.{one.domain}"), None)
    return html(_shop(shop)) if shop else missing()


def markup(placement: Placement, site: Site) -> str:
    """The ad as it stands in the site's page."""
    size = f'width="{placement.width}" height="{placement.height}"'
    name = placement.advertiser.name
    if placement.framed:
        source = f"https://{AD_SERVER}/frame?ad={name}&size={placement.width}x{placement.height}&site={site.host}"
        return f'<iframe class="ad" src="{escape(source)}" {size} title="Advertisement"></iframe>'
    return (
        f'<a class="ad" href="{escape(_click(placement, site.host))}">'
        f'<img src="https://{AD_SERVER}/banner/{name}-{placement.width}x{placement.height}.png" {size} alt="{name}"></a>'
    )


def house(placement: Placement, site: Site) -> str:
    """What the site would rather have in the place of an ad of its own markup that is withheld; nothing for a frame."""
    if placement.framed:
        return ""
    picture = f"/house-{placement.width}x{placement.height}.png"
    return (
        f'<template data-capper-house><a href="/subscribe"><img src="{picture}" width="{placement.width}"'
        f' height="{placement.height}" alt="Read {escape(site.title)} on paper"></a></template>'
    )


def _site(site: Site, asked: Asked) -> Reply:
    if asked.path == "/site.css":
        return Reply(200, (("content-type", "text/css"), ("cache-control", "max-age=3600")), _css(site).encode())
    if asked.path == "/photograph.png":
        return _picture(photograph(site.sky, site.land), asked)
    measures = _size(asked.path.removeprefix("/house-").removesuffix(".png"))
    if measures:
        look = Look("page", site.accent, "#f3e9d2", "Read us on paper", "Subscribe")
        return _picture(banner(look, *measures), asked)
    if asked.path == "/favicon.ico":
        return missing()
    # The policy of a careful publisher: no inline style, no script; what takes the place of an ad must do without.
    policy = f"default-src 'none'; style-src 'self'; img-src 'self' https://{AD_SERVER}; frame-src https://{AD_SERVER}"
    return html(_page(site, asked.path), ("content-security-policy", policy))


def _ad_server(asked: Asked) -> Reply:
    query = asked.query
    routes: dict[str, Callable[[], Reply]] = {
        "/frame": partial(_frame, query),
        "/click": lambda: Reply(302, (("location", query.get("adurl", "/")), ("cache-control", "no-store"))),
    }
    if asked.path in routes:
        return routes[asked.path]()
    name, _, size = asked.path.removeprefix("/banner/").removesuffix(".png").partition("-")
    advertiser, measures = ADVERTISERS.get(name), _size(size)
    return _picture(banner(advertiser.look, *measures), asked) if advertiser and measures else missing()


def _frame(query: Mapping[str, str]) -> Reply:
    advertiser, measures = ADVERTISERS.get(query.get("ad", "")), _size(query.get("size", ""))
    if not advertiser or not measures:
        return missing()
    return frame(Placement(advertiser, True, *measures), query.get("site", ""))  # noqa: FBT003  read above


def frame(placement: Placement, site: str) -> Reply:
    """The document of an ad that stands in a frame, on a page of `site`."""
    name = placement.advertiser.name
    image = f"https://{AD_SERVER}/banner/{name}-{placement.width}x{placement.height}.png"
    text = (
        '<!doctype html><html><head><meta charset="utf-8"><title>Advertisement</title>'
        "<style>body{margin:0}img{display:block}.i{position:absolute;top:0;right:0;background:#fff;color:#06c;"
        "font:bold 12px/18px sans-serif;width:18px;text-align:center;text-decoration:none}</style></head><body>"
        f'<a href="{escape(_click(placement, site))}" target="_blank">'
        f'<img src="{image}" width="{placement.width}" height="{placement.height}" alt="{name}"></a>'
        f'<a class="i" href="https://{CHOICES}/?via={AD_SERVER}" target="_blank" aria-label="About this ad">i</a>'
        "</body></html>\n"
    )
    return html(text)


def _size(text: str) -> tuple[int, int] | None:
    return {"728x90": (728, 90), "300x250": (300, 250)}.get(text)


def _click(placement: Placement, site: str) -> str:
    name = placement.advertiser.name
    landing = f"https://www.{placement.advertiser.domain}/welcome?from={site}"
    return f"https://{AD_SERVER}/click?creative={name}-{placement.width}&adurl={quote(landing, safe='')}"


def _page(site: Site, path: str) -> str:
    others = "".join(f'<li><a href="https://{host}/">{escape(other.title)}</a></li>' for host, other in SITES.items())
    text = "".join(f"<p>{escape(paragraph)}</p>\n" for paragraph in site.paragraphs)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(site.headline)} - {escape(site.title)}</title>
<link rel="stylesheet" href="/site.css">
<link rel="icon" href="data:,">
</head>
<body>
<header><h1>{escape(site.title)}</h1><nav><ul>{others}</ul></nav></header>
<div id="top">{markup(site.top, site)}{house(site.top, site)}</div>
<main>
<article>
<h2>{escape(site.headline)}</h2>
<img class="photograph" src="/photograph.png" width="640" height="220" alt="">
{text}<p class="more"><a href="{escape(path.rstrip("/"))}/more">Read on</a></p>
</article>
<aside id="side">{markup(site.side, site)}{house(site.side, site)}</aside>
</main>
<footer>{escape(site.host)} is a site of the capper demo.</footer>
</body>
</html>
"""


def _css(site: Site) -> str:
    return f"""body {{ margin: 0; font: 17px/1.55 Georgia, serif; color: #222; background: #faf8f4 }}
header {{ background: {site.accent}; color: #fff; padding: 14px 28px; display: flex; align-items: baseline; gap: 36px }}
header h1 {{ font-size: 26px; margin: 0 }}
nav ul {{ list-style: none; display: flex; gap: 20px; margin: 0; padding: 0; font: 14px sans-serif }}
nav a {{ color: #fff }}
#top {{ display: flex; justify-content: center; padding: 16px; background: #eee9df }}
main {{ display: flex; gap: 32px; max-width: 1000px; margin: 20px auto; padding: 0 20px }}
article {{ flex: 1 }}
h2 {{ line-height: 1.2 }}
iframe {{ border: 0 }}
.photograph {{ max-width: 100%; height: auto }}
@media (max-width: 760px) {{
  header, main {{ flex-direction: column; gap: 8px }}
  nav ul {{ flex-wrap: wrap }}
  #top img, #top svg {{ max-width: 100%; height: auto }}
}}
footer {{ text-align: center; color: #777; font: 13px sans-serif; padding: 20px }}
"""


def _shop(advertiser: Advertiser) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{advertiser.domain}</title></head>'
        f"<body><h1>{escape(advertiser.look.slogan)}</h1><p>Welcome to {advertiser.domain}.</p></body></html>\n"
    )


def _choices() -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>AdChoices</title></head>'
        "<body><h1>Your ad choices</h1><p>This ad was shown to you by people who would rather not say.</p></body></html>\n"
    )


def html(text: str, *headers: tuple[str, str]) -> Reply:
    """A page that is not to be kept."""
    fixed = (("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"))
    return Reply(200, (*fixed, *headers), text.encode())


def _picture(data: bytes, asked: Asked) -> Reply:
    tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    headers = (("content-type", "image/png"), ("cache-control", "public, max-age=3600"), ("etag", tag))
    if asked.headers.get("if-none-match") == tag:
        return Reply(304, headers[1:])
    return Reply(200, headers, data)


def missing() -> Reply:
    """There is no such thing here."""
    return Reply(404, (("content-type", "text/plain"), ("cache-control", "no-store")), b"not in this world\n")
