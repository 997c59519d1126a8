"""How far a prompt reaches: its card's title and button go with it, what stands beside the card does not."""

import pytest

PROMPT = "<p>Je kunt nog € 2.500 lenen, al goedgekeurd voor jou</p>"


def test_a_card_s_title_and_button(left):
    """They say nothing of credit, and would be left without it."""
    card = f"<div class=a><h3>Toe aan een nieuwe keuken?</h3>{PROMPT}<a href=/x>Bekijk het</a></div>"

    assert "<main><p>Je pakket is onderweg</p></main>" == left(f"<main><p>Je pakket is onderweg</p>{card}</main>")


def test_a_product_s_card_keeps_its_name_and_price(left):
    """Of a product's card the prompt goes alone."""
    page = "<div class=p><h2>Eettafel Linde</h2><p>€ 349,00</p>%s<button>In winkelwagen</button></div>"

    assert page % "" == left(page % PROMPT)


def test_what_stands_beside_a_card_is_not_of_it(left):
    """A card with parts of its own reaches as far as it reaches."""
    page = "<div id=app>%s<p>Stoel</p></div>"

    assert page % "" == left(page % f"<section><h2>Meer ruimte</h2>{PROMPT}</section>")


def test_custom_elements_of_one_name_each_speak_for_themselves(left):
    """They are cards, whatever they are called."""
    page = "<x-list>%s<x-card><b>Deze week</b><p>Boodschappen € 54,11</p></x-card></x-list>"

    assert page % "" == left(page % f"<x-card><b>Krap deze maand?</b>{PROMPT}</x-card>")


def test_beside_her_own_money(left):
    """Who may borrow a sum has not got it: what is her own beside it spares nothing."""
    page = "<p>Welkom bij onze winkel</p><div><p>Je pakket is onderweg</p>%s</div>"

    assert page % "" == left(page % PROMPT)


def test_a_greeting_stays(left):
    """It greets whoever reads on."""
    page = "<div class=top><span>Hoi Samira</span>%s</div>"

    assert page % "" == left(page % PROMPT)


@pytest.mark.parametrize(
    ("language", "greeting", "text", "called", "gone"),
    [
        ("nl", "Hoi Samira", "Tegoed € 4.000", "credit-pill", True),
        ("nl", "Hoi Samira", "Tegoed € 4.000", "store-credit", False),
        ("nl", "Hoi Samira", "Tegoed € 40,00", "pill", False),
        ("nl", "Hoi Samira", "Cadeaukaart € 25,00", "credit-pill", False),
        ("de", "Hallo Jonas", "Kreditrahmen 3.000 €", "credit-pill", True),
        ("de", "Hallo Jonas", "Guthaben 12,50 €", "credit-pill", False),
        ("sv", "Hej Elin", "Köputrymme 20 000 kr", "pill", True),
        ("sv", "Hej Elin", "Saldo 1 204 kr", "credit-pill", False),
        ("fr", "Bonjour Léa", "Réserve 3 000 €", "credit-pill", True),
        ("fr", "Bonjour Léa", "Cagnotte 12,40 €", "credit-pill", False),
    ],
)
def test_a_sum_behind_a_greeting(left, language, greeting, text, called, gone):
    """It is told to whoever is greeted, though no verb stands with it; what its makers call it counts, her own money stays."""
    page = f"<html lang={language}><header><a href=/>shop</a><div class=u><span>{greeting}</span>%s</div></header>"
    pill = f'<span class="{called}">{text}</span>'

    assert page % ("" if gone else pill) == left(page % pill)


def test_a_link_behind_a_text_that_ends_in_a_prompt(left):
    """The greeting it begins with stays; what leads on from its end goes."""
    line = "<div class=bar><p>Welkom terug, mevrouw Dijkgraaf.%s</p></div>"
    prompt = " U heeft € 4.150 kredietruimte. <a href=/k>Bekijk wat u ermee kunt doen</a>"

    assert line % " " == left(line % prompt)


def test_a_link_behind_what_does_not_end_in_a_prompt(left):
    """The basket stands behind it, and is not of it."""
    page = "<header><div class=u><span>Hoi Samira</span>%s</div><a href=/mand>Winkelmand (2)</a></header>"

    assert page % "" == left(page % "<span>Je kunt nog € 2.500 lenen, al goedgekeurd</span>")


def test_the_description_of_what_goes(left):
    """A sum, round or not, is nothing without its term."""
    page = "<dl><dt>Klantnummer</dt><dd>40 118 773</dd>%s<dt>Adres</dt><dd>Lindelaan 8</dd></dl>"

    assert page % "" == left(page % "<dt>Nog vrij te besteden op rekening</dt><dd>€ 2.340,-</dd>")


@pytest.mark.parametrize(
    ("behind", "gone"),
    [
        ("", True),
        ("<h3>In arrivo</h3><p>Il tuo pacco arriva domani</p>", True),
        ("<p>Il tuo pacco arriva domani</p>", False),
    ],
)
def test_a_heading_with_nothing_under_it(left, behind, gone):
    """It may be of credit, and nothing else stands under it."""
    page = f"<html lang=it><main><h1>Home</h1>%s{behind}</main>"
    heading, prompt = (
        "<h3>Ti anticipiamo la tredicesima</h3>",
        "<p>Hai un prestito pre-approvato di 5.000 €, richiedilo</p>",
    )

    assert page % ("" if gone else heading) == left(page % (heading + prompt))


def test_a_line_with_words_set_off_goes_whole(left):
    """Its sum is an element of its own, and neither half of the line would be a prompt."""
    page = "<div><p>Je bestelling is onderweg</p>%s</div>"

    assert page % "" == left(
        page % "<p>Voor jou gereserveerd: <em>drieduizend euro</em> krediet om direct te besteden</p>"
    )


def test_the_name_of_what_goes(left):
    """A term goes with its description, the other terms stay."""
    page = "<dl><dt>Status</dt><dd>Actief</dd>%s</dl>"
    prompt = "<dt>Meer nodig?</dt><dd>Je kunt nog € 2.500 lenen, al goedgekeurd voor jou</dd>"

    assert page % "" == left(page % prompt)


def test_a_button_behind_a_warning(left):
    """The warning stays, and what stands behind it goes with what stands before it."""
    page = "<div class=m><h3>Welkom terug!%s</h3>%s<p class=afm>Let op! Geld lenen kost geld</p>%s</div>"

    assert page % (" ", "", "") == left(
        page % (" Er ligt 4.000 euro voor je klaar", PROMPT, "<button>Gebruik mijn tegoed</button>")
    )


@pytest.mark.parametrize(
    "told",
    [
        "<article><h1>Al goedgekeurd voor € 3.000 krediet, voor jou klaar</h1><p>Zo lokken winkels, zegt de AFM.</p></article>",
        "<blockquote>Je kunt nog € 2.500 lenen, al goedgekeurd voor jou</blockquote>",
    ],
)
def test_what_somebody_tells(left, told):
    """An article about credit and a quotation are left as they are."""
    assert told == left(told)


@pytest.mark.parametrize("close", ["<button>Sluiten</button>", "<a href=#>Nee, bedankt</a>"])
def test_what_closes_a_card(left, close):
    """It stays: what drew the card around it can still be closed."""
    page = "<div role=dialog>%s%s</div>"

    assert page % ("", close) == left(page % (f"<h2>Alleen voor jou</h2>{PROMPT}<button>Ja, graag</button>", close))


def test_a_title_and_button_around_a_sentence_that_stays(left):
    """Of the line the greeting stays, of the card nothing else."""
    page = "<p>Je pakket is onderweg</p><div>%s<p>Hoi Samira! %s</p>%s</div>"
    prompt = "Je kunt nog € 2.500 lenen, al goedgekeurd voor jou."

    assert page % ("", "", "") == left(page % ("<h4>Alleen voor jou</h4>", prompt, "<a href=/x>Bekijk het</a>"))


@pytest.mark.parametrize(
    "page",
    [
        "<div><h3>Kreta, 8 dagen</h3><p>vanaf € 1.398 p.p.</p>%s<button>Boek deze reis</button></div>",
        "<div><span>€ 579,00</span>%s<button>In winkelwagen</button></div>",
        "<section><h1>Goedemorgen, Samira</h1>%s</section>",
    ],
)
def test_what_a_card_is_of(left, page):
    """A thing's name and price, and a page's main heading, are no title of what stands beneath."""
    assert page % "" == left(page % "<p>Voor jou is € 2.500 krediet gereserveerd, al goedgekeurd</p>")


def test_lines_that_are_a_prompt_only_together(left):
    """None of them is by itself, and none can be left out."""
    page = "<div><h2>Afschrijvingen</h2><p>Vitens</p></div>%s"
    card = (
        "<aside><p>Bijna op nul? Jij mag bij ons gewoon even onder nul.</p><a href=#r>Roodstaan aanzetten</a></aside>"
    )

    assert page % "" == left(page % card)


def test_a_heading_of_nothing_else(left):
    """It goes with what stands under it; one that stands over other things too stays."""
    prompt = "<h4>Iets groots kopen?</h4>" + PROMPT
    other = "<h4>Jouw bestelling</h4><p>Een eettafel</p>"

    assert f"<main>{other}</main>" == left(f"<main>{prompt}{other}</main>")
    assert f"<main>{other}</main>" == left(f"<main>{other}{PROMPT}</main>")


def test_rows_of_one_cell(left):
    """They are lines of one card, rows of several are not."""
    page = "<table><tr><th>Kaart</th><td>2093</td></tr>%s</table>"
    rows = f"<tr><td colspan=2>{PROMPT}</td></tr><tr><td colspan=2><a>Gebruik je kredietlimiet</a></td></tr>"

    assert page % "" == left(page % rows)


def test_components_that_say_everything_in_attributes(left):
    """One that is given a few words is a button."""
    page = "<x-page>%s<h3>Te betalen</h3><p>Stoel, € 79,90, vervalt 4 mei</p></x-page>"
    prompt = '<x-hero kicker="Nog te besteden op krediet" value="€ 2.500"></x-hero><x-knop text="Ga shoppen"></x-knop>'

    assert page % "" == left(page % prompt)


@pytest.mark.parametrize(
    "page",
    [
        "<div><span>€ 579,00</span>%s<button>In winkelwagen</button></div>",
        "<section><h2>Winkelmand (1)</h2><p>Jas Kaamos, maat 40, € 189,00</p>%s</section>",
        "<main><h1>Stoel</h1><p>Leverbaar</p>%s<button>In winkelwagen</button></main>",
    ],
)
def test_what_stands_beside_a_hint(left, page):
    """A tooltip or line goes alone; the price is the thing's, and so is the page's button."""
    hint = "<span class=info%s>i</span>"
    told = hint % ' title="Je kunt nog € 2.500 lenen, al goedgekeurd voor jou"'

    assert [page % hint % " ", page % ""] == [left(page % told), left(page % PROMPT)]
