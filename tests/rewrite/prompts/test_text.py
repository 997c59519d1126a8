"""Prompts in lines of text: what belongs to one goes with it, other lines and sentences stay."""

PROMPT = "Je kredietlimiet is verhoogd naar € 3.000, gebruik hem vandaag."


def test_a_sentence_about_something_else_stays(left):
    """Of one line only what is of the prompt goes."""
    assert "Je retour is ontvangen en € 39,95 is teruggestort. " == left(
        f"Je retour is ontvangen en € 39,95 is teruggestort. {PROMPT}", "text"
    )


def test_lines_beside_it(left):
    """A line that is of it goes, one of her own business stays."""
    text = f"Je pakket is bezorgd.\n{PROMPT}\nTot morgen!\n"

    assert "Je pakket is bezorgd.\nTot morgen!\n" == left(text, "text")
