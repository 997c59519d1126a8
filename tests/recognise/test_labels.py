"""Which texts are labels, whom they name, and what is none; the words themselves are data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.domain.mark import Mark
from capper.recognise.labels import LONGEST, load_labels

LABELS = load_labels()
LANGUAGES = {"nl", "sv", "de", "en", "fr", "es", "it", "da", "no", "fi", "pl", "pt"}


@pytest.mark.parametrize(
    "text",
    [
        "Sponsored", "SPONSORED", "- Sponsored -", "[Advertisement]", "Paid Post", "Gesponsord", "Advertentie", "Partnercontent", "Sponsrat innehåll",
        "I samarbete", "Gesponsert", "Bezahlte Anzeige", "Sponsorisé", "Contenu sponsorisé", "Publicidad", "Contenido patrocinado", "Pubblicità",
        "Contenuto sponsorizzato", "Sponsoreret", "Annoncørbetalt indhold", "Annonsørinnhold", "Kaupallinen yhteistyö", "Materiał sponsorowany",
        "Reklama", "Patrocinado", "Publicidade", "S p o n s o r e d", "Sponsored · 3 h", "2 min | Sponsored", "Sponsored by our partners",
    ],
)  # fmt: skip
def test_labels(text):
    """A label is one in any case and between any marks, with the time beside it, and where it names nobody."""
    assert LABELS.read(text) == Mark()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sponsored by Shoe House", "Shoe House"),
        ("SPONSORED BY: eBay", "eBay"),
        ("I samarbete med ICA", "ICA"),
        ("Annons: I samarbete med ICA Maxi", "ICA Maxi"),
        ("ANNONS I SAMARBETE MED VOLVO", "VOLVO"),
        ("Annons från Telia", "Telia"),
        ("Aangeboden door Albert Heijn", "Albert Heijn"),
        ("Präsentiert von 1&1", "1&1"),
        ("En collaboration avec Café Éthique", "Café Éthique"),
        ("Patrocinado por Banco Azul", "Banco Azul"),
        ("In collaborazione con Pasta Bella", "Pasta Bella"),
        ("Annoncørbetalt indhold fra Bilka", "Bilka"),
        ("Annonsørinnhold fra Strøm for alle", "Strøm for alle"),
        ("Kaupallinen yhteistyö: Valio", "Valio"),
        ("Partner materiału: Bank Zielony", "Bank Zielony"),
        ("Sponsored: Deep Sea Cruises", "Deep Sea Cruises"),
    ],
)
def test_names(text, name):
    """Who a label names, as it is written."""
    assert LABELS.read(text) == Mark(name)


def test_domains():
    """A name that is a host is that host, without the page on it."""
    assert LABELS.read("Ad · www.example.com/sale") == Mark("example.com", doubtful=True)


@pytest.mark.parametrize(
    "text", ["Sponsored by", "Gesponsord door:", "I samarbete med", "Präsentiert von", "Offerto da"]
)
def test_names_to_come(text):
    """A label may end before the name, which then stands in the next element."""
    assert LABELS.read(text) == Mark(open=True)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", "Annonsera", "Advertise", "Mediadaten", "Anzeigen schalten", "Kleinanzeigen", "Sponsoring", "Sponsors", "Alle anzeigen",
        "Sponsored walks are old", "Sponsored by the union, the march grew", "This was sponsored by a bank", "Promoted to manager last week",
        "Sponsored by people like you!", "Adam", "Advent", "Annonser", "I samarbete med våra läsare granskar vi hur det gick till i Malmö",
        "partner", "x" * (LONGEST + 1), "Ad " * 40, "\ud800", "İ" * 20,
    ],
)  # fmt: skip
def test_no_labels(text):
    """Links to a media kit, small ads, sentences and other words."""
    assert LABELS.read(text, "en") is None


@pytest.mark.parametrize(
    ("text", "language", "doubtful"),
    [
        ("Anzeige", "de-AT", True),
        ("Anzeige", "", True),
        ("Anzeige", "xx", True),
        ("Anzeige", "sv", None),
        ("Annonce", "nb", None),
        ("Annonse", "nb-NO", True),
        ("Ad", "pl", True),
        ("Sponsored", "sv", False),
    ],
)
def test_words_that_mean_other_things(text, language, doubtful):
    """A word that is also said of small ads is doubtful, and none on pages in another language."""
    found = LABELS.read(text, language)

    assert doubtful == (found.doubtful if found else None)


def test_every_language():
    """Each of the twelve has labels, doubtful words, and phrases that a name follows; every one of them is read as that."""
    assert {words.language for words in LABELS.languages} == LANGUAGES
    for words in LABELS.languages:
        for label in words.labels:
            assert LABELS.read(label.upper(), words.language) in (Mark(), Mark(open=True)), label
        for label in words.doubtful:
            assert LABELS.read(label, words.language) is not None, label
        for phrase in words.by:
            assert LABELS.read(f"{phrase} Shoe House", words.language) == Mark("Shoe House"), phrase


@pytest.mark.parametrize("dress", ["{}", "- {} -", "({})", "[{}]", "{}:"])
@pytest.mark.parametrize("case", [str.upper, str.capitalize, str.title, str.lower])
def test_no_label_is_lost_before_it_is_read(dress, case):
    """Whatever label a page has, in UTF-8 or latin-1, the quick look lets it through."""
    for words in LABELS.languages:
        for word in (*words.labels, *words.doubtful, *words.by):
            text = dress.format(case(word))
            spoken = {text, text.encode().decode("latin-1")}

            assert LABELS.likely(spoken) == spoken


@given(
    st.text(max_size=40).map(lambda text: f"Sponsored by {text}") | st.text(max_size=100),
    st.sampled_from(["", "sv", "de-DE", "x"]),
)
def test_any_text_can_be_read(text, language):
    """Whatever a page says, reading it neither fails nor names what it does not say."""
    found = LABELS.read(text, language)

    assert found is None or found.name.lower() in " ".join(text.lower().split())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('language = "xx"\nlabel = []', "label: expected one of language, labels"),
        ('language = "xx"\nlabels = ["Ad"]', "labels: expected lower case"),
        ('language = "xx"\nlabels = "ad"', "labels: expected a list of texts"),
        ("language = 1", "language: expected a text"),
        ("spoken = []", "expected a language, or attributes"),
        ("language", "read the labels in"),
    ],
)
def test_mistakes_are_told(text, complaint, tmp_path):
    """A file that says something else than expected is refused with its name and the key."""
    (tmp_path / "xx.toml").write_text(text)

    with pytest.raises(ConfigError, match=complaint):
        load_labels(tmp_path)


def test_no_labels_at_all(tmp_path):
    """A folder without files is refused: without words nothing would ever be found, and nobody would know why."""
    with pytest.raises(ConfigError, match="no \\*\\.toml there"):
        load_labels(tmp_path)
