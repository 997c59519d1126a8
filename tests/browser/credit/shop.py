"""A shop that offers credit nobody asked for on its first page, and the same shop without; the words are this test's own."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from capper.proxy.testing import Seen, reply

SHOP = "shop.example"
KINDS = {"server": "plain", "react": "react", "vue": "vue", "angular": "angular", "lit": "lit", "api": "fetching"}
HYDRATED = {"reactwarned": "react", "vuewarned": "vue", "litwarned": "lit"}
"""How a page gets what it shows, with the script that runs in it; the last with a warning in the banner."""
STYLE = """
body { font: 16px/1.4 sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem }
.banner { background: #123; color: #fff; padding: 1.5rem; margin: 1rem 0 } .banner a { color: #fd5 }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; list-style: none; padding: 0 }
.card { border: 1px solid #bbb; padding: 1rem; flex: 1 1 14rem } #after { border-top: 4px solid #070 }
"""
State = dict[str, Any]


@dataclass(frozen=True)
class Words:
    """What is to be seen of a shop in one language."""

    shop: State
    """The page's state, the credit in it."""
    gone: tuple[str, ...]
    """Words of the prompts."""
    kept: tuple[str, ...]
    """Words that stay: the shop's own, own money, the warning."""

    def bare(self) -> State:
        """The state of the shop had it never thought of credit."""
        state = copy.deepcopy(self.shop)
        del state["banner"]
        state["cards"] = [card for card in state["cards"] if card["id"] != "room"]
        return state

    def warned(self) -> State:
        """The state of a shop that has its warning in the banner, and nowhere else."""
        state = copy.deepcopy(self.shop)
        state["banner"]["warning"], state["warning"] = state["warning"], ""
        return state

    def unwarned(self) -> State:
        """The same had it never thought of credit."""
        return self.bare() | {"warning": ""}


DUTCH = Words(
    {
        "locale": "nl-NL",
        "currency": "EUR",
        "greeting": "Welkom terug, Noor",
        "banner": {
            "heading": "Goed nieuws: je krediet staat voor je klaar",
            "before": "Als trouwe klant mag je tot",
            "amount": 4000,
            "after": "lenen, alvast goedgekeurd en zonder papierwerk.",
            "action": "Neem het nu op",
            "href": "/nl/ruimte",
        },
        "cards": [
            {"id": "gift", "heading": "Je cadeaubon", "text": "Er staat nog € 25 op je cadeaubon van oma."},
            {
                "id": "room",
                "heading": "Je bestedingslimiet kan omhoog",
                "text": "Verhoog je limiet vandaag nog naar € 2.500 en betaal pas later.",
            },
            {"id": "parcel", "heading": "Onderweg", "text": "Je pakket met de blauwe trui komt woensdag."},
        ],
        "products": [{"name": "Wollen sjaal", "price": 39}, {"name": "Theepot", "price": 24}],
        "add": "In winkelmand",
        "cart": "Winkelmand",
        "warning": "Let op! Geld lenen kost geld",
    },
    ("krediet", "staat voor je klaar", "4.000", "papierwerk", "Neem het nu op", "bestedingslimiet", "2.500"),
    ("Welkom terug, Noor", "€ 25 op je cadeaubon", "blauwe trui", "Wollen sjaal", "Let op! Geld lenen kost geld"),
)
ENGLISH = Words(
    {
        "locale": "en-GB",
        "currency": "GBP",
        "greeting": "Welcome back, Priya",
        "banner": {
            "heading": "Great news: your credit is ready and waiting",
            "before": "You have been pre-approved to borrow up to",
            "amount": 4000,
            "after": "today, with no paperwork.",
            "action": "Claim it now",
            "href": "/en/room",
        },
        "cards": [
            {"id": "gift", "heading": "Your gift card", "text": "There is £25 left on the gift card from your aunt."},
            {
                "id": "room",
                "heading": "Your spending limit could be higher",
                "text": "Raise your credit limit to £2,500 today and pay later.",
            },
            {"id": "parcel", "heading": "On its way", "text": "Your parcel with the blue jumper arrives on Wednesday."},
        ],
        "products": [{"name": "Woollen scarf", "price": 39}, {"name": "Teapot", "price": 24}],
        "add": "Add to basket",
        "cart": "Basket",
        "warning": "Warning: Late repayment can cause you serious money problems. For help, go to moneyhelper.org.uk.",
    },
    (
        "your credit",
        "ready and waiting",
        "pre-approved",
        "4,000",
        "paperwork",
        "Claim it now",
        "spending limit",
        "2,500",
    ),
    ("Welcome back, Priya", "£25 left on the gift card", "blue jumper", "Woollen scarf", "serious money problems"),
)
WORDS = {"nl": DUTCH, "en": ENGLISH}


@dataclass(frozen=True)
class Shop:
    """The shop's server: `/LANGUAGE/KIND`, and `/LANGUAGE/KIND-bare` for the page that never had a prompt."""

    scripts: Mapping[str, bytes]
    rendered: Mapping[str, Mapping[str, str]]
    """By the name of a state (`nl`, `nl-bare`), what each framework makes of it."""

    def respond(self, seen: Seen) -> bytes:
        """Answer one request."""
        script = self.scripts.get(seen.target.removeprefix("/"))
        if script is not None:
            return reply(script, kind="text/javascript")
        language, _, rest = seen.target.removeprefix("/").partition("/")
        kind, _, bare = rest.partition("-")
        if language not in WORDS or kind not in {*KINDS, *HYDRATED, "data"}:
            return reply(b"", 204)
        words = WORDS[language]
        state = words.bare() if bare else words.shop
        if kind in HYDRATED:
            state, language_and_state = (
                (words.unwarned(), f"{language}-unwarned") if bare else (words.warned(), f"{language}-warned")
            )
            return reply(
                self._page(language, HYDRATED[kind], state, language_and_state).encode(),
                kind="text/html; charset=utf-8",
            )
        if kind == "data":
            return reply(json.dumps({"data": state}, ensure_ascii=False).encode(), kind="application/json")
        page = self._page(language, kind, state, f"{language}-bare" if bare else language)
        return reply(page.encode(), kind="text/html; charset=utf-8")

    def _page(self, language: str, kind: str, state: State, name: str) -> str:
        made = self.rendered[name]
        data = json.dumps(state, ensure_ascii=False).replace("<", "\\u003c")
        next_data = f'{{"props":{{"pageProps":{data}}},"page":"/","buildId":"x1"}}'
        inside, held = {
            "server": (made["plain"], ""),
            "react": (made["react"], f'<script id="__NEXT_DATA__" type="application/json">{next_data}</script>'),
            "vue": (made["vue"], f"<script>window.__INITIAL_STATE__={data};</script>"),
            "lit": (made["lit"], f"<script>window.__INITIAL_STATE__={data};</script>"),
            # Angular writes its state itself, and looks for its mark directly in the body.
            "angular": ("", made["angular"]),
            "api": ("", ""),
        }[kind]
        api = f"/{language}/data{'-bare' if name.endswith('-bare') else ''}"
        return (
            f'<!DOCTYPE html><html lang="{language}" data-api="{api}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>{SHOP}</title>'
            f'<link rel="icon" href="data:,"><style>{STYLE}</style></head><body><div id="app">{inside}</div>'
            f'{held}<script type="module" src="/{KINDS[kind]}.js"></script></body></html>'
        )
