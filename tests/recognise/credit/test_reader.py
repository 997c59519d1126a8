"""Does a piece of text push credit: signals and weights together."""

import weakref

import pytest

from capper.recognise.credit import CreditReader, Frame, load_packs
from capper.recognise.credit.packs import FOR
from capper.recognise.credit.reader import HOPEFUL, signals_of
from capper.recognise.credit.words import STOP, Token, fold


@pytest.fixture(scope="module")
def packs():
    return load_packs()


@pytest.fixture(scope="module")
def reader(packs):
    return lambda *languages, frame=Frame.ANY: CreditReader(
        tuple(packs.get(language) for language in languages), packs, frame
    )


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nl", "Je kunt nog € 2.500 besteden op rekening"),
        ("sv", "Du har 12 000 kr i köputrymme, handla nu och betala sen"),
        ("de", "Ihr Kreditrahmen wurde auf 3.000 € erhöht, jetzt nutzen"),
        ("en", "You're pre-approved for a loan of up to £7,500. Get your money today"),
        ("fr", "Vous êtes éligible : 2 000 € de réserve de crédit disponibles immédiatement"),
        ("es", "Tienes un préstamo preconcedido de 9.000 €, actívalo ya"),
        ("it", "Hai un prestito pre-approvato di 5.000 €, richiedilo subito"),
        ("da", "Du er forhåndsgodkendt til et lån på 50.000 kr."),
        ("no", "Du er forhåndsgodkjent for et lån på inntil 80 000 kr"),
        ("fi", "Sinulle on myönnetty 3 000 euron luottoraja, ota käyttöön heti"),
        ("pl", "Masz przyznany limit kredytowy 5 000 zł, skorzystaj już dziś"),
        ("pt", "Você tem um empréstimo pré-aprovado de R$ 5.000, contrate agora"),
    ],
)
def test_a_plain_prompt(reader, language, text):
    """In each language what nobody would take for anything else is a prompt."""
    assert reader(language).read(text).prompt


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nl", "Je retour is verwerkt, € 84,95 staat binnen drie dagen op je rekening"),
        ("sv", "Din lön på 28 400 kr har satts in på kontot."),
        ("de", "Ihr Tageslimit am Geldautomaten beträgt 1.000 €"),
        ("en", "Your annual leave is approved. Your salary of £2,310.44 will be paid on Friday"),
        ("fr", "Votre carte cadeau de 50 € est arrivée"),
        ("es", "Hasta 300 € de descuento en portátiles, solo hoy"),
        ("it", "Il tuo saldo ricarica è di 12,40 €"),
        ("da", "Vind 10.000 kr. til din sommerferie"),
        ("no", "Skattepengene dine på 6 412 kr er utbetalt"),
        ("fi", "Palautuksesi 39,90 € on hyvitetty kortille"),
        ("pl", "Twoja paczka czeka w automacie do 18.00"),
        ("pt", "O seu reembolso de 24,90 € foi aprovado"),
    ],
)
def test_her_own_money_and_a_shop_s_business(reader, language, text):
    """None of it is a prompt, though sums are ready and approved."""
    assert not reader(language).read(text).prompt


def test_a_word_against_in_a_phrase_s_gap_is_heard(reader):
    """`limit ... raised` leaps over whose doing it was."""
    reading = reader("en").read("Your limit, as you asked, was raised to £500")

    assert "set" in reading.signals


def test_a_figure_with_a_local_word_for_money_is_an_amount(reader):
    """No currency's sign, but everybody knows."""
    assert reader("es").read("Tienes 1.500 pavos para ti").amount


def test_who_warns_of_a_swindle_quotes_what_swindlers_say(reader):
    """It is against, whatever the words weigh."""
    reading = reader("en").read("Beware of fraudsters: 'your loan of £9,000 is pre-approved for you, apply now'")

    assert (False, True) == (reading.prompt, reading.against)


def test_a_greeting_in_either_of_two_languages(reader):
    """Danish knows no `hei`; a page that may be Danish or Norwegian greets all the same."""
    assert reader("da", "no").read("Hei Sindre").greeting


def test_elsewhere_a_sum_alone_is_no_prompt(reader):
    """On pages of insurance or competitions a sum that is ready for her is that page's business."""
    text = "€ 2.500 ligt voor je klaar"

    assert not reader("nl", frame=Frame.ELSEWHERE).read(text).prompt
    assert not reader("nl", frame=Frame.OWN).read(text).prompt


def test_a_stretch_is_promising_with_what_stands_around_it(reader):
    """The sum alone says nothing, with the line before it, it does."""
    pieces = ["Menu", "Je kredietlimiet is verhoogd, je kunt nog besteden:", "€ 2.500", "Bestellingen"]

    assert reader("nl").promising(pieces, 2)
    assert not reader("nl").promising(["Menu", "Tafel van eikenhout", "€ 2.500", "In winkelwagen"], 2)


def test_where_one_arrives_less_tells(reader):
    """A line that is nearly one elsewhere is one where nobody asked for anything."""
    text = "tienes un préstamo disponible"

    assert not reader("es").read(text).prompt
    assert reader("es", frame=Frame.LANDING).read(text).prompt
    assert not reader("es", frame=Frame.LANDING).read("tienes un mensaje disponible").prompt


def test_words_of_a_shop_s_business_do_not_make_credit_foreign(reader):
    """Buying today is what shops say; paying later goes with a prompt beside it all the same."""
    assert not reader("sv").read("Köp i dag, betala den 31 juli").foreign
    assert reader("sv").read("Köp i dag, få 20 % rabatt på alla soffor").foreign


def test_what_a_page_said_is_forgotten_with_it(packs, reader):
    """Texts are remembered by the reader of one page; words alone by the packs."""
    text = "Je kunt nog € 2.500 besteden op rekening"
    page = weakref.ref(reader("nl"))
    one, other = reader("nl"), reader("nl")
    one.read(text)

    assert page() is None
    assert one.read(text) is one.read(text)
    assert one.read(text) is not other.read(text)


@pytest.mark.parametrize("size", [1, 40, 100, 116, 130, 400])
@pytest.mark.parametrize(
    "line", ["€ 2.500", "Je kredietlimiet is verhoogd", "Je saldo is € 12,40", "Je zei “krediet” en meer nog"]
)
def test_pieces_are_judged_as_if_they_were_read_as_one(packs, reader, size, line):
    """Adding up what pieces weigh is a shorter way to the same odds, however long they are."""
    pack, weights = packs.get("nl"), packs.weights
    pieces = ["tafel je " * size, line]
    read = [signals_of(pack, fold(piece)) for piece in pieces]
    alone = [weights.odds("nl", *read[1])]
    together = [token for row, _ in read for token in (*row, Token(STOP, "\n"))]
    odds = weights.odds("nl", together, read[0][1] | read[1][1])
    credit = (read[0][1] | read[1][1]) & {*FOR}

    assert (bool(credit) and max(*alone, odds) >= HOPEFUL) == reader("nl").promising(pieces, 1)
