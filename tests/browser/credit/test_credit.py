"""Credit that nobody asked for, in a real browser through `capper run`: it never appears, and nothing else is missing."""

import pytest

from .shop import HYDRATED, KINDS, WORDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("kind", KINDS)
async def test_the_prompt_never_appears(visiting, kind, language):
    """Neither in the page as it comes nor once its script has taken over; the rest works and stands where it would."""
    words = WORDS[language]
    customer = await visiting()

    bare = await customer.opens(f"{language}/{kind}-bare")
    plain = await customer.text()
    tops = await customer.opens(f"{language}/{kind}", f"{kind}-{language}")
    text = await customer.text()
    bought = await customer.buys()
    said = await customer.ever_said()

    assert [] == [part for part in words.gone if part.casefold() in said.casefold()]
    assert [] == [part for part in words.kept if part not in text]
    assert plain == text
    assert "1" == bought
    assert [] == customer.errors
    assert tops == pytest.approx(bare, abs=2)


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("kind", HYDRATED)
async def test_a_warning_of_the_prompt_s_own(visiting, kind, language):
    """It outlives the banner it stood in, at the page's end, and the script that takes over finds what it expects."""
    words = WORDS[language]
    customer = await visiting()

    bare = await customer.opens(f"{language}/{kind}-bare")
    plain = await customer.text()
    tops = await customer.opens(f"{language}/{kind}", f"{kind}-{language}")

    assert f"{plain} {words.shop['warning']}" == await customer.text()
    assert "1" == await customer.buys()
    assert [] == [part for part in words.gone if part.casefold() in (await customer.ever_said()).casefold()]
    assert [] == customer.errors
    assert tops == pytest.approx(bare, abs=2)


@pytest.mark.parametrize("kind", ["server", "react", "vue"])
async def test_the_note_moves_nothing(visiting, kind):
    """Whoever asks for it is told, and the page stands and works as without."""
    customer = await visiting("credit_note = true\n[people.household]\nlanguage = 'nl'")

    bare = await customer.opens(f"nl/{kind}-bare")
    tops = await customer.opens(f"nl/{kind}", f"{kind}-note")

    assert (await customer.text()).endswith("2 kredietaanbiedingen verwijderd")
    assert "1" == await customer.buys()
    assert [] == customer.errors
    assert tops == pytest.approx(bare, abs=2)


@pytest.mark.parametrize("kind", KINDS)
async def test_without_capper_s_cut_it_does_appear(visiting, kind):
    """The same pages with `leave`: what the other tests miss is there, and the pages themselves have no fault."""
    words = WORDS["nl"]
    customer = await visiting('credit_prompts = "leave"')

    await customer.opens(f"nl/{kind}", f"{kind}-left")
    await customer.buys()
    said = await customer.ever_said()

    assert [] == [part for part in words.gone if part.casefold() not in said.casefold()]
    assert [] == customer.errors
