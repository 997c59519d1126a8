"""How far a prompt among JSON values reaches: its module's title, sum and button go with it, what stands beside stays."""

import json

import pytest

TEXT = "Je kunt nog € 2.500 lenen, al goedgekeurd voor jou"
TILE = {"type": "weather", "title": "Regen vanaf zes uur"}


@pytest.mark.parametrize(
    "module",
    [
        {"type": "advance", "title": f"Krap tot vrijdag? {TEXT}.", "button": "Naar mijn rekening"},
        {"type": "tip", "kop": TEXT, "duw": "Vraag aan"},
        {"kind": "loan", "title": TEXT, "action": {"label": "Pak het", "url": "/x"}},
        {"groot": "€ 430", "tekst": "om nu mee te nemen wat je wilt, in drie keer betalen"},
    ],
)
def test_a_module_goes_whole(left, module):
    """Its button, however it is called, and its sum, however bare."""
    page = {"cards": [module, TILE]}

    assert {"cards": [TILE]} == json.loads(left(json.dumps(page), "json"))


def test_members_of_one_name_in_front(left):
    """What begins like the prompt's member is of it, a sum too; the others are of her account."""
    account = {"kaart_naam": "Visa Goud", "kaart_saldo": "-1.204,50"}
    promo = {"promo_titel": "Zet € 5.500 op je rekening", "promo_tekst": TEXT}

    assert account == json.loads(left(json.dumps({**account, **promo}), "json"))


def test_what_a_session_says_besides(left):
    """Members of the document itself stay, unless they are named as a module's are."""
    session = {"naam": "Joke", "levering": "Komt op maandag aan"}

    assert session == json.loads(left(json.dumps({**session, "aanbod": TEXT}), "json"))


@pytest.mark.parametrize(
    "beside",
    [
        {"label": "Bekijk je pakket, het komt vandaag", "price": "€ 12,95"},
        {"items": ["Stoel", "Tafel"], "label": "Meer"},
    ],
)
def test_an_object_that_is_no_button(left, beside):
    """It says more than a button does."""
    page = {"banner": TEXT, "order": beside}

    assert {"order": beside} == json.loads(left(json.dumps(page), "json"))
