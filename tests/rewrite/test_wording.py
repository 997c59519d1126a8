"""Why an ad was withheld, in each language, for every kind of window."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from capper.domain.cap import Cap
from capper.domain.decision import Decision, Verdict
from capper.domain.identity import Ad, Level, Viewer
from capper.domain.mute import Mute, Why
from capper.rewrite.wording import LANGUAGES, LOCALE_DIR, LONGEST_NAME, Speech, language_of, words
from capper.testing import NOON

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SHOES = Ad(("shoes.example",), "spring", "banner-1", ("footwear",))


def decision(cap="3 per calendar day", count=3, reopens=None, ad=SHOES):
    return Decision(Verdict.WITHHOLD, Viewer("anna"), ad, "rule", Cap.parse(cap) if cap else None, count, reopens)


def sentence(language="en", **kwargs):
    return words(decision(**kwargs), Speech(language, AMSTERDAM), NOON).sentence


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "shoes.example \u2013 3 of 3 today, again at 14:10"),
        ("nl", "shoes.example \u2013 3 van 3 vandaag, weer om 14:10"),
        ("sv", "shoes.example \u2013 3 av 3 i dag, igen kl. 14:10"),
        ("de", "shoes.example \u2013 3 von 3 heute, wieder um 14:10"),
    ],
)
def test_languages(language, expected):
    """Each language says the same."""
    assert sentence(language, reopens=NOON + timedelta(hours=1, minutes=9, seconds=1)) == expected


@pytest.mark.parametrize(
    ("level", "why", "english", "dutch"),
    [
        (Level.ADVERTISER, Why.ASKED, "shoes.example \u2013 muted by you", "shoes.example \u2013 door u gedempt"),
        (
            Level.CREATIVE,
            Why.CLICKED,
            "this ad of shoes.example \u2013 muted by you",
            "deze advertentie van shoes.example \u2013 door u gedempt",
        ),
        (
            Level.ADVERTISER,
            Why.BOUGHT,
            "shoes.example \u2013 you bought there",
            "shoes.example \u2013 u hebt daar gekocht",
        ),
    ],
)
def test_mutes(level, why, english, dutch):
    """A mute is told as hers, with its end where it has one, and counts nothing."""
    until = NOON + timedelta(days=90, hours=1)
    muted = replace(decision(cap="", count=0, reopens=until), mute=Mute(level, "shoes.example", why, NOON, until))
    told = [words(muted, Speech(language, AMSTERDAM), NOON) for language in ("en", "nl")]

    assert [each.sentence for each in told] == [
        f"{english}, again on February 20, 2027",
        f"{dutch}, weer op 20 februari 2027",
    ]
    assert told[0].short == ""


@pytest.mark.parametrize(
    ("cap", "english", "dutch"),
    [
        ("3 per day", "3 of 3 per 24 hours", "3 van 3 per 24 uur"),
        ("3 per week", "3 of 3 per 7 days", "3 van 3 per 7 dagen"),
        ("3 per hour", "3 of 3 per 60 minutes", "3 van 3 per 60 minuten"),
        ("3 per 90 seconds", "3 of 3 per 90 seconds", "3 van 3 per 90 seconden"),
        ("3 per calendar day", "3 of 3 today", "3 van 3 vandaag"),
        ("3 per calendar week", "3 of 3 this week", "3 van 3 deze week"),
        ("3 per calendar month", "3 of 3 this month", "3 van 3 deze maand"),
        ("3 per session", "3 of 3 in this session", "3 van 3 in deze sessie"),
        ("3 per page", "3 of 3 on this page", "3 van 3 op deze pagina"),
        ("3 per pod", "3 of 3 in this break", "3 van 3 in dit blok"),
        ("3 for life", "3 of 3 in all", "3 van 3 in totaal"),
        ("at most every 30 minutes", "at most once per 30 minutes", "hooguit eens per 30 minuten"),
        ("never", "never, by your own rule", "nooit, volgens uw eigen regel"),
        ("0 per advertiser per day", "never, by your own rule", "nooit, volgens uw eigen regel"),
        ("", "not shown", "niet getoond"),
    ],
)
def test_windows(cap, english, dutch):
    """Every kind of window has its words."""
    assert sentence("en", cap=cap) == f"shoes.example \u2013 {english}"
    assert sentence("nl", cap=cap) == f"shoes.example \u2013 {dutch}"


@pytest.mark.parametrize(
    ("reopens", "expected"),
    [
        (timedelta(0), "again at 13:00"),
        (timedelta(hours=2, microseconds=1), "again at 15:01"),
        (timedelta(hours=11), "again tomorrow"),
        (timedelta(hours=12), "again tomorrow at 01:00"),
        (timedelta(days=3), "again on Wednesday at 13:00"),
        (timedelta(days=6, hours=-13), "again on Saturday"),
        (timedelta(days=10), "again on December 2"),
        (timedelta(days=60), "again on January 21, 2027"),
    ],
)
def test_when(reopens, expected):
    """An hour today, a weekday this week, a date later; by the policy's clock, never too early."""
    assert sentence(reopens=NOON + reopens) == f"shoes.example \u2013 3 of 3 today, {expected}"


@pytest.mark.parametrize(
    ("cap", "ad", "who"),
    [
        ("1 per creative per day", SHOES, "this ad of shoes.example"),
        ("1 per creative per day", Ad(creative="x/1"), "this ad"),
        ("1 per campaign per day", SHOES, "this campaign of shoes.example"),
        ("1 per campaign per day", Ad(campaign="x/1"), "this campaign"),
        ("1 per category per day", SHOES, "footwear"),
        ("1 per day", Ad(("a.example", "b.example")), "a.example, b.example"),
        ("never", Ad(), ""),
        ("never", Ad(creative="x/1"), ""),
    ],
)
def test_who(cap, ad, who):
    """The name fits the level that the cap counts at; ids that mean nothing to a person are not told."""
    assert words(decision(cap, ad=ad), Speech(), NOON).who == who


def test_hostile_names():
    """A name is told without controls, bidi overrides and line ends, and not at any length."""
    name = "a\u202eb\x00c\nd" + "x" * 1000
    who = words(decision(ad=Ad((name,))), Speech(), NOON).who

    assert who.startswith("a b c dxxx")
    assert len(who) == LONGEST_NAME


def test_short_and_label():
    """The smallest slot gets the numbers; the label is a whole sentence."""
    told = words(decision(reopens=NOON), Speech("sv", AMSTERDAM), NOON)

    assert told.short == "3/3"
    assert told.label == f"Annons undanh\u00e5llen: {told.sentence}"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("sv", "de", "sv"),
        (None, "nl-BE,nl;q=0.9,en;q=0.8", "nl"),
        (None, "fr-FR, sv;q=0.5, de;q=0.7", "de"),
        (None, "en;q=0.1, de;q=0", "en"),
        (None, "zh, *;q=0.5", "en"),
        (None, "", "en"),
        ("pt", "de-AT", "de"),
        ("../../etc", "nl", "nl"),
        (None, "nl;q=x, sv", "sv"),
        (None, "x," * 100_000 + "de", "en"),
    ],
)
def test_language_of(chosen, accepted, language):
    """The policy's word, else the browser's, else English; nonsense is passed over."""
    assert language_of(chosen, accepted) == language


def catalogue(language):
    with (LOCALE_DIR / language / "LC_MESSAGES" / "capper.po").open("rb") as file:
        return read_po(file, locale=language)


def spoken():
    """Every message of the code and of the pages."""
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
    found = extract_from_dir(str(LOCALE_DIR.parent), methods)
    return {message for _, _, message, _, _ in found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_are_complete(language):
    """Every message of the code stands in every language, with the same fields, and none besides."""
    messages = {message.id: message for message in catalogue(language) if message.id}

    assert set(messages) == {tuple(each) if isinstance(each, list) else each for each in spoken()}
    for message in messages.values():
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert not message.fuzzy
        assert all(strings)
        assert {fields(text) for text in strings} == {fields(text) for text in ids}


def fields(text):
    import string

    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalogues_match(language):
    """The compiled catalogue is made from the text beside it."""
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))

    assert (LOCALE_DIR / language / "LC_MESSAGES" / "capper.mo").read_bytes() == compiled.getvalue()


def test_the_template_is_up_to_date():
    """The template for further languages holds what the code says."""
    with (LOCALE_DIR / "capper.pot").open("rb") as file:
        known = {message.id for message in read_po(file) if message.id}

    assert known == {tuple(each) if isinstance(each, list) else each for each in spoken()}
