"""Names a policy gives to sites, advertisers and devices, brought into the one form in which they are compared."""

import ipaddress
import re
import unicodedata

from capper.settings.reader import a_text, spell_value

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PLAIN_HOST = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*")
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
_TAG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_KINDS = ("user", "wireguard")
_KEY_SPACES = ("sponsor", "app")
"""What an advertiser without a domain goes by (docs: whose ad it is)."""
_LONGEST_NAME = 120


def a_domain(value: object) -> str:
    """A domain in lower case and ASCII, without scheme, `www.`, port and path: `https://www.Shoes.example/sale` is `shoes.example`.

    Raises:
        ValueError: says what was expected.
    """
    expected = 'a domain like "shoes.example"'
    text = a_text(value, expected)
    if text in {"*", "*.*"}:
        raise ValueError(f'expected {expected}, found "*"; leave the key out to fit every one')
    host = re.sub(r"^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//", "", text)
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2]
    host = re.sub(r":\d*$", "", host).removeprefix("*.")
    bare = re.sub(r"^www\.(?=.*\.)", "", host, flags=re.IGNORECASE)
    return a_host(bare, expected, value)


def an_advertiser(value: object) -> str:
    """An advertiser: a domain as `a_domain` reads it; `sponsor/NAME` for one known by its name alone, `app/ID` for an app.

    Raises:
        ValueError: says what was expected.
    """
    text = a_text(value, 'an advertiser like "shoes.example"')
    kind, slash, name = text.partition("/")
    if not slash or kind.casefold() not in _KEY_SPACES:
        return a_domain(value)
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValueError(f"expected a name after {kind.casefold()}/, found {spell_value(value)}")
    return f"{kind.casefold()}/{name.casefold() if kind.casefold() == 'sponsor' else name}"


def a_host(text: str, expected: str = "a host name", found: object = None) -> str:
    """A host name in lower case and ASCII.

    Raises:
        ValueError: it is none; `expected` and `found` are what the message says.
    """
    if len(text) <= 253 and _PLAIN_HOST.fullmatch(text):
        return text
    host = ".".join(_ascii(label) for label in re.split(r"[.\u3002\uff0e\uff61]", text.rstrip(".").lower()))
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError(f"expected {expected}, found {spell_value(text if found is None else found)}")
    return host


def _ascii(label: str) -> str:
    """RFC 5891's A-label, mapped as UTS 46 does; a sharp s stays one, unlike in Python's own older `idna` codec."""
    if label.isascii():
        return label
    mapped = unicodedata.normalize("NFKC", label).lower()
    return mapped if mapped.isascii() else f"xn--{mapped.encode('punycode').decode('ascii')}"


def a_device(value: object) -> str:
    """A device: an address, a network, a MAC, `user:NAME` or `wireguard:NAME`, each in its canonical form.

    Raises:
        ValueError: says what was expected.
    """
    expected = 'an address, a network, a MAC, "user:NAME" or "wireguard:NAME"'
    text = a_text(value, expected)
    kind, colon, name = text.partition(":")
    if colon and kind.casefold() in _KINDS and name.strip():
        return f"{kind.casefold()}:{name.strip()}"
    if _MAC.fullmatch(mac := text.casefold().replace("-", ":")):
        return mac
    try:
        # A mapped IPv4 address is how a dual-stack socket names an IPv4 client.
        if "/" not in text:
            address = ipaddress.ip_address(text)
            return str(getattr(address, "ipv4_mapped", None) or address)
        return str(ipaddress.ip_network(text))
    except ValueError as exc:
        hint = "; its host bits are set" if "host bits" in str(exc) else ""
        raise ValueError(f"expected {expected}, found {spell_value(value)}{hint}") from exc


def is_mac(device: str) -> bool:
    """Whether a device, as `a_device` reads it, is a MAC."""
    return _MAC.fullmatch(device) is not None


def a_language(value: object) -> str:
    """A language tag: `nl`, `pt-BR`."""
    text = a_text(value, 'a language like "nl"')
    if not _TAG.fullmatch(text):
        raise ValueError(f'expected a language like "nl" or "pt-BR", found {spell_value(value)}')
    return text


def a_name(value: object) -> str:
    """A name for a rule or a person: one short line of visible characters."""
    text = a_text(value, "a name")
    if len(text) > 80 or not text.isprintable():
        raise ValueError(f"expected a name of at most 80 visible characters, found {spell_value(value)}")
    return text
