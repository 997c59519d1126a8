"""Words as packs see them: tokens, amounts, and what a lexicon finds in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.credit.words import AMOUNT, FIGURE, STOP, WORD, Lexicon, Token, fold, tokens, with_amounts


@pytest.fixture
def lexicon():
    built = Lexicon()
    built.add("raise", ["limit* ... raised", "higher limit"])
    built.add("ready", ["ready for? you?", "#|N waiting"])
    built.add("credit", ["*credit*", "loan|loans of #"])
    return built


def said(lexicon, text):
    return {match.category for match in lexicon.match(tokens(fold(text)))}


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("Your limits were raised", {"raise"}),
        ("Limit: today, as asked, raised", {"raise"}),
        ("Limit as you asked us last week raised", set()),
        ("A higher limit", {"raise"}),
        ("Higher. Limit", set()),
        ("It is ready", {"ready"}),
        ("€ 4.000 waiting", {"ready"}),
        ("4000 waiting", {"ready"}),
        ("Microcredits", {"credit"}),
        ("Loans of €500", {"credit"}),
        ("Loans of all kinds", set()),
    ],
)
def test_what_a_lexicon_finds(lexicon, text, categories):
    """Words, stems, rows of words, rows with others between, one of several, what may be missing, sums."""
    assert categories == said(lexicon, text)


def test_the_longest_of_a_category_counts(lexicon):
    """Of one category at one place the longest match is reported."""
    found = lexicon.match(tokens("ready for you"))

    assert [("ready", 0, 3)] == [(match.category, match.start, match.end) for match in found]


def test_what_a_phrase_leaps_over_is_told(lexicon):
    """The words in its gap are not its own."""
    (found,) = lexicon.match(tokens("limit as you asked raised"))

    assert (1, 2, 3) == found.leapt


@given(
    st.lists(
        st.sampled_from(
            [
                "limit",
                "limits",
                "higher",
                "raised",
                "ready",
                "for",
                "you",
                "€",
                "500",
                "loan",
                "of",
                ".",
                "microcredit",
                "4000",
                "chair",
            ]
        )
    )
)
def test_what_may_be_said_is_all_that_is_said(words):
    """What is in a text in order may be in it in whatever order: nothing is refused that would have been found."""
    built = Lexicon()
    built.add("raise", ["limit* ... raised", "higher limit", "# limit"])
    built.add("credit", ["*credit*", "loan of #", "ready for? you?"])
    text = " ".join(words)
    found = said(built, text)

    assert all(built.may_say(frozenset([category]), text.split()) for category in found)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [("...", "ends with"), ("a ...", "ends with"), ("a? b", "begins with"), ("a|b c|d", None), ("?!", "no word")],
)
def test_entries_that_cannot_be_read(entry, reason):
    """What is wrong is said; one of several at two places is fine."""
    if reason is None:
        Lexicon().add("x", [entry])
        return
    with pytest.raises(ValueError, match=reason):
        Lexicon().add("x", [entry])


def test_amounts_in_words():
    """Number words and figures before a name for money are one amount, and only these."""
    row = tokens("two thousand pavos or 1500 pavos or two chairs")
    read = with_amounts(row, {"two", "thousand"}.__contains__, {"pavos"}.__contains__)

    assert [(AMOUNT, ""), (WORD, "or"), (AMOUNT, "1500"), (WORD, "or"), (WORD, "two"), (WORD, "chairs")] == read


def test_figures_without_end_cost_no_more_than_others():
    """Thousands of figures in a row, none of them money: each is looked at once."""
    asked = []

    with_amounts([Token(FIGURE, "1")] * 2000 + [Token(WORD, "x")], asked.append, lambda word: word == "pavos")

    assert len(asked) <= 2


def test_a_full_stop_behind_a_short_word_ends_no_sentence():
    """`eff. rente` stands together; a longer word ends one."""
    assert [Token(WORD, "eff"), Token(WORD, "rente")] == tokens("eff. rente")
    assert Token(STOP, ".") in tokens("rente. eff")


@given(
    st.lists(
        st.sampled_from(["your", "limit", "5", "12", "4000", "€ 20", "€ 4.000", "10k", "7 %", "raised", ".", "loan of"])
    )
)
def test_of_one_shape_is_of_one_meaning(words):
    """Texts that differ in sums and figures alone say the same, unless a figure is known for its own sake."""
    built = Lexicon()
    built.add("raise", ["limit* ... raised", "limit 5", "# limit", "N raised"])
    row = tokens(" ".join(words))
    other = [Token(kind, "€ 77" if kind == AMOUNT else "99" if text in ("12", "4000") else text) for kind, text in row]

    assert built.shape(row) == built.shape(other)
    assert built.match(row) == built.match(other)
    assert built.shape(tokens("limit 5")) != built.shape(tokens("limit 6"))
