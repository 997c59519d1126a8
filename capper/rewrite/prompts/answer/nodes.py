"""A JSON value as prompts see it: its role, what it says, what is inside."""

import re
from dataclasses import dataclass, field

from capper.domain.prompt import SILENCE, Reading
from capper.jsontext import Path
from capper.rewrite.prompts.base import Role

LONGEST = 700
_TEXTUAL = re.compile(
    r"title|headline|heading|header|text|body|copy|sub\w*|desc\w*|caption|cta\w*|button|btn|label|action|message|msg|badge|tag|"
    r"link|legend|note|hint|alt\w*|content|value|summary|teaser|banner|tooltip|slogan|lead|eyebrow|kicker|html|name|"
    r"titel|titre|titulo|titolo|tytul|tittel|overskrift|rubrik|kop|otsikko|nag\w*|uberschrift|knap|knapp|knop|knopf|painike|przycisk|"
    r"boton|bouton|pulsante|botao|azione|azioni|accion|acao|akcja|toiminto|tekst|texte|texto|testo|teksti|tresc|opis|undertitel|"
    r"undertekst|ondertitel|untertitel|sottotitolo|legenda|detalle|detalhe|dettaglio|mensaje|mensagem|messaggio|viesti|besked|"
    r"beskrivelse|beskrivning|beschreibung|omschrijving|kuvaus|descripcion|descricao|descrizione|bericht|melding|meddelande|"
    r"wiadomosc|nappi|kicker|pie|leyenda|tarra|lipuke|merke\w*|selite|merkelapp|knopp|bouton\w*|texto\w*|linea|linje|rad|rivi|tip|info|offer\w*|\w*text|\w*title|\w*label",
    re.IGNORECASE,
)
PROSE = re.compile(r"[^\W\d_]{2,}")


@dataclass(slots=True)
class Node:
    """A value with its role and what is inside."""

    value: object
    key: str
    path: Path
    role: Role = Role.OTHER
    reading: Reading = SILENCE
    kids: "list[Node]" = field(default_factory=list)
    machine: frozenset[str] = frozenset()
    text: str = ""
    new: str | None = None
    """A string that takes the value's place."""
    said: bool = False
    """Whether the page that holds the document says the same in a prompt."""
    cold: bool = False
    """Whether it was not looked into."""
    pending: bool = False
    """Whether it may yet be, where a prompt stands beside it."""


def is_textual(key: str) -> bool:
    """Whether a member of this name holds words for a person."""
    return bool(_TEXTUAL.fullmatch(key)) or not key


def is_element(value: object) -> bool:
    """Whether a value is an element as frameworks write it: `["$", tag, key, {properties}]`."""
    return isinstance(value, list) and len(value) >= 4 and value[0] == "$" and isinstance(value[3], dict)


def is_sentence(text: str) -> bool:
    """Whether a text is said to somebody rather than the name of something: some of its words begin small."""
    words = PROSE.findall(text)
    return len(words) > 2 and any(word.islower() and len(word) > 2 for word in words)


def worst(kids: list[Node]) -> Role:
    """What an object without a prompt is to a prompt beside it."""
    roles = {kid.role for kid in kids}
    for role in (Role.KEPT, Role.PART, Role.OTHER, Role.WARNING, Role.SUPPORT, Role.SUM):
        if role in roles:
            return Role.OTHER if role in (Role.SUM, Role.PART) else role
    return Role.EMPTY
