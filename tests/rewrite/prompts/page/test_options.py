"""A way to pay later stays, with its name; what recommends it goes, and it is not chosen beforehand."""

import pytest

TOTAL = "<p>Te betalen € 84,20</p>"
HINT = "<b>Meest gekozen: jij bent al goedgekeurd</b>"


OTHER = "<label><input type=radio name=p>iDEAL</label>"
LAID_OUT = {
    "in labels": f"<label><input type=radio name=p%s>Achteraf betalen %s</label>{OTHER}",
    "in cells": "<table><tr><td><input type=radio name=p%s></td><td>Achteraf betalen %s</td></tr>"
    "<tr><td><input type=radio name=p></td><td>iDEAL</td></tr></table>",
    "elsewhere": "<input type=radio id=a name=p%s><input type=radio id=b name=p>"
    "<div><label for=a>Achteraf betalen</label> %s</div><div><label for=b>iDEAL</label></div>",
    "in a row": "<div><input type=radio id=a name=p%s><label for=a>Achteraf betalen</label>%s"
    "<input type=radio id=b name=p><label for=b>iDEAL</label></div>",
    "a box to tick": "<label><input type=checkbox name=later%s>Achteraf betalen %s</label>",
}


@pytest.mark.parametrize("page", LAID_OUT.values(), ids=LAID_OUT)
@pytest.mark.parametrize("hint", [HINT, "<p>Aanbevolen voor jou, slimste keuze!</p>"])
def test_what_is_ticked(left, page, hint):
    """However a choice is laid out, the way to pay later is there to choose, and not chosen."""
    assert page % (" ", "") + TOTAL == left(page % (" checked", hint) + TOTAL)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (
            "<option value=i>iDEAL<option value=l selected>Achteraf betalen – slimste keuze voor jou!",
            "<option value=i>iDEAL<option value=l >Achteraf betalen",
        ),
        (
            "<option value=l selected>Achteraf betalen (aanbevolen voor jou)</option><option value=i>iDEAL</option>",
            "<option value=l >Achteraf betalen</option><option selected value=i>iDEAL</option>",
        ),
        (
            "<option value=l>Achteraf betalen – slimste keuze voor jou!</option><option value=i>iDEAL</option>",
            "<option value=l>Achteraf betalen</option><option selected value=i>iDEAL</option>",
        ),
        (
            "<option value=l>Achteraf betalen – slimste keuze voor jou!</option><option value=i selected>iDEAL</option>",
            "<option value=l>Achteraf betalen</option><option value=i selected>iDEAL</option>",
        ),
    ],
    ids=["chosen", "chosen and first", "first", "not chosen"],
)
def test_a_list(left, entries, expected):
    """An entry that pays later keeps its name; where it is what the list begins with, the first other entry is."""
    page = f"<select name=pay>%s</select>{TOTAL}"

    assert page % expected == left(page % entries)


def test_a_list_chosen_for_by_words_beside_it(left):
    """The words go, and so does what they speak for being chosen."""
    page = (
        "<select name=pay><option>iDEAL</option><option%s>Achteraf betalen</option></select>%s<p>Te betalen € 84,20</p>"
    )
    words = "<p>Achteraf betalen is de slimste keuze voor jou: je bent al goedgekeurd!</p>"

    assert page % (" ", "") == left(page % (" selected", words))


@pytest.mark.parametrize(
    "page",
    [
        "<label><input type=radio name=p checked>Achteraf betalen</label><label><input type=radio name=p>iDEAL</label>",
        "<select name=pay><option selected>Achteraf betalen</option><option>iDEAL</option></select>",
        "<select name=size><option>S – klein</option><option selected>M – meest gekozen voor jou</option></select>",
    ],
)
def test_what_nobody_recommends_is_as_she_left_it(left, page):
    """Chosen, and no word for it: it may be her own choice of last time."""
    assert page + TOTAL == left(page + TOTAL)


def test_what_a_script_says_is_chosen_stays_so(left):
    """The words go; a class or an ARIA state is the script's, which goes by its own."""
    page = (
        "<div role=radiogroup><div role=radio aria-checked=true class='opt on'>Achteraf betalen %s</div>"
        f"<div role=radio aria-checked=false class=opt>iDEAL</div></div>{TOTAL}"
    )

    assert page % "" == left(page % HINT)


def test_all_entries_pay_later(left):
    """There is nothing else to choose: the list is as it was, without the praise."""
    page = f"<select><option selected>Achteraf betalen%s</option><option>Gespreid betalen</option></select>{TOTAL}"

    assert page % "" == left(page % " – slimste keuze voor jou!")


@pytest.mark.parametrize(("badge", "expected"), [("Beliebteste Wahl", ""), ("zzgl. 2,95 € Gebühr", None)])
def test_a_badge(left, badge, expected):
    """That most choose it recommends a way to pay later; what it costs does not."""
    page = (
        "<html lang=de><div><label><input type=radio name=z> Ratenzahlung %s</label>"
        "<label><input type=radio name=z> PayPal</label></div><p>Gesamtsumme 429,00 €</p>"
    )
    badge = f"<span class=tag>{badge}</span>"

    assert page % (badge if expected is None else expected) == left(page % badge)


def test_a_badge_of_another_way_to_pay(left):
    """Whoever recommends to pay at once recommends no credit."""
    page = (
        "<html lang=de><div><label><input type=radio name=z> Ratenzahlung</label>"
        "<label><input type=radio name=z> PayPal <span>Beliebteste Wahl</span></label></div><p>Gesamtsumme 429,00 €</p>"
    )

    assert page == left(page)
