"""What the tests of cutting prompts share: recognition with the packs that travel with capper, and what it leaves of a body."""

import pytest

from capper.gate.credit import Credit

TYPES = {"html": "text/html", "json": "application/json", "text": "text/plain"}


@pytest.fixture(scope="session")
def credit() -> Credit:
    """With the packs that travel with capper."""
    return Credit.load()


@pytest.fixture(scope="session")
def left(credit):
    """What is left of a body: `left(content, kind)`, kind being html, json or text."""

    def strip(content: str, kind: str = "html", url: str = "https://shop.example/", charset: str = "utf-8") -> str:
        stripped = credit.strip(content.encode(charset), TYPES[kind], url, charset)
        return stripped.data.decode(charset)

    return strip
