"""Which packs a text is read with: by its words, and by what its body says of itself."""

import pytest

from capper.recognise.credit import declared, languages, load_packs


@pytest.fixture(scope="module")
def packs():
    return load_packs()


@pytest.mark.parametrize(
    ("body", "tag"),
    [
        ('<!doctype html><html class=x lang="nl-BE"><p data-locale="de-DE">', "nl-BE"),
        ("<html lang=sv><p>", "sv"),
        ('<meta property="og:locale" content="pt_BR"><p lang="en">', "pt_BR"),
        ("<meta http-equiv=Content-Language content=fi>", "fi"),
        ('<x-placement data-key="a" data-locale="de-DE" data-sum="799">', "de-DE"),
        ('{"page": {"locale": "it-IT", "title": "Ciao"}}', "it-IT"),
        ('{"languageCode":"pl"}', "pl"),
        ("<script>window.config = {userLanguage: 'da'}</script>", "da"),
        ('<a hreflang="fr" href="/fr">Français</a><p class="lang en">', ""),
        ('{"language":"Deutsch","slang":"en"}', ""),
        ("", ""),
    ],
)
def test_what_a_body_says_it_is_in(body, tag):
    """A page of itself, else the first element or member that tells."""
    assert tag == declared(body.encode())


def test_what_is_said_counts_beside_what_is_read(packs):
    """Few words may be in several languages."""
    text = "799,00 € Heute shoppen. de de"

    assert "de" not in [pack.language for pack in languages(packs, text)]
    assert "de" == languages(packs, text, "de-DE")[0].language
