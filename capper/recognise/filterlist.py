"""The text of a filter list: what its header promises, which of its lines hold here, and whether it is a list at all."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class ListKind(StrEnum):
    """What a list names: ads are capped, trackers only keep an ad from being mistaken for one, closed hosts are never opened."""

    ADS = "ads"
    TRACKERS = "trackers"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class FilterList:
    """One list as it was published, comments and all."""

    name: str
    text: str = field(repr=False)
    kind: ListKind = ListKind.ADS

    @property
    def digest(self) -> str:
        """The SHA-256 of kind and text: equal digests build equal engines."""
        return hashlib.sha256(f"{self.kind}\n{self.text}".encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Header:
    """What a list says of itself in its first comments; empty or None where it says nothing."""

    title: str = ""
    expires: timedelta | None = None
    homepage: str = ""
    version: str = ""


SHORTEST, USUAL, LONGEST = timedelta(hours=1), timedelta(days=4), timedelta(days=14)
"""Floor, default and ceiling of `! Expires`: no list needs asking oftener, and none may stop us from asking."""

_HEADER_LINES = 60
_FIELD = re.compile(r"[!#]\s*(?P<name>[A-Za-z ]{3,20}?)\s*:\s*(?P<value>.+)")
_EXPIRES = re.compile(r"(?P<count>\d{1,4})\s*(?P<unit>d|day|h|hour)s?\b", re.IGNORECASE)


def header(text: str) -> Header:
    """Read the header; `expires` is already within `SHORTEST` and `LONGEST`."""
    fields: dict[str, str] = {}
    for line in text[:20_000].split("\n")[:_HEADER_LINES]:
        if match := _FIELD.fullmatch(line.strip()):
            fields.setdefault(match["name"].lower(), match["value"].strip()[:200])
    told = (fields.get(name, "") for name in ("homepage", "version"))
    return Header(fields.get("title", ""), _length(fields.get("expires", "")), *told)


def _length(text: str) -> timedelta | None:
    if not (match := _EXPIRES.match(text)):
        return None
    count = int(match["count"])
    length = timedelta(days=count) if match["unit"][0] in "dD" else timedelta(hours=count)
    return max(SHORTEST, min(LONGEST, length))


def refusal(text: str) -> str | None:
    """Why `text` is no filter list, in words that follow `this is not a filter list:`; None when it is one."""
    # Whole lines of the beginning nearly always have one: to take a list apart takes a while.
    beginning = text[: text.rfind("\n", 0, 50_000) + 1]
    ruled = any(True for some in (beginning, text) for _ in rules(some))
    return not_text(text) or (None if ruled else "it has no rules")


def not_text(text: str) -> str | None:
    """What `text` is instead of a list of any kind: `it is a web page`; None where it may be one."""
    start = text[:2000].lstrip("\ufeff \t\r\n").lower()
    if not start:
        return "it is empty"
    if "\x00" in text or text.count("\ufffd") > max(8, len(text) // 100):
        return "it is binary data"
    if start.startswith(("<!doctype", "<html", "<head", "<body", "<?xml", "<script")):
        return "it is a web page"
    if start.startswith(("{", "[{", '["')):
        return "it is JSON"
    return None


def count_rules(text: str) -> int:
    """How many rules of the list hold here."""
    return sum(1 for _ in rules(text))


def rules(text: str) -> Iterator[str]:
    """The rules that hold here: no comments, no blocks for other blockers, hosts-file lines written as rules."""
    hosts = _is_hosts_file(text)
    for line in _chosen(text):
        if len(line) > _LONGEST_RULE:
            continue
        rule = _as_rule(line) if hosts else line
        if rule is not None and not _is_comment(rule):
            yield _PLAIN_ALL.sub("", rule) if "$" in rule else rule


_LONGEST_RULE = 32_768
"""EasyList's longest is about 9,000: it lists every site whose own host begins with `ads.`."""
_PLAIN_ALL = re.compile(r"(?<=[^/])\$all$|,all(?=,|$)|(?<=\$)all,")
"""`$all` names every type, as no type at all does; the engine knows only the latter."""


def _is_comment(line: str) -> bool:
    if line[0] == "#":
        return line[1:2] not in ("#", "@", "?", "$", "%")
    return line[0] == "!" or (line[0] == "[" and line[-1] == "]")


_HOSTS_LINE = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+(?P<host>[\w.-]+)\s*(?:#.*)?")
_BARE_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_LOCAL = frozenset({"localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback"})


def _is_hosts_file(text: str) -> bool:
    """Whether most of the first lines are `0.0.0.0 host`, or bare hosts."""
    sample = [line for line in map(str.strip, text[:50_000].split("\n")[:400]) if line and not _is_comment(line)]
    hosts = sum(1 for line in sample if _HOSTS_LINE.fullmatch(line) or _BARE_HOST.fullmatch(line))
    return hosts * 10 > len(sample) * 9


def _as_rule(line: str) -> str | None:
    match = _HOSTS_LINE.fullmatch(line)
    host = match["host"] if match else line
    if host in _LOCAL or not _BARE_HOST.fullmatch(host):
        return None if match else line
    return f"||{host}^"


# uBlock Origin's preprocessor: a proxy serves every browser, so no `env_` is true; what the engine cannot do is false.
_TRUE = frozenset({"ext_ublock", "cap_user_stylesheet", "true"})
_TOKEN = re.compile(r"\s*(&&|\|\||!|\(|\)|[\w.]+)")


def _chosen(text: str) -> Iterator[str]:
    """Lines outside of `!#if` blocks whose condition is false here; `!#else` and nesting are honoured."""
    stack: list[bool] = []
    for raw in text.removeprefix("\ufeff").split("\n"):
        line = raw.strip()
        word, _, rest = line.partition(" ") if line.startswith("!#") else ("", "", "")
        if word == "!#if":
            stack.append(_holds(rest))
        elif word == "!#else" and stack:
            stack[-1] = not stack[-1]
        elif word == "!#endif" and stack:
            stack.pop()
        elif line and all(stack):
            yield line


def _holds(condition: str) -> bool:
    """Evaluate `a && !(b || c)`; what cannot be read is false, as uBlock has it."""
    text = condition.strip()[:200]
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != "".join(text.split()):
        return False
    try:
        value = _either(tokens)
    except IndexError:
        return False
    return value and not tokens


def _either(tokens: list[str]) -> bool:
    value = _both(tokens)
    while tokens[:1] == ["||"]:
        tokens.pop(0)
        value = _both(tokens) or value
    return value


def _both(tokens: list[str]) -> bool:
    value = _one(tokens)
    while tokens[:1] == ["&&"]:
        tokens.pop(0)
        value = _one(tokens) and value
    return value


def _one(tokens: list[str]) -> bool:
    token = tokens.pop(0)
    if token == "!":  # noqa: S105  an operator
        return not _one(tokens)
    if token == "(":  # noqa: S105  an operator
        value = _either(tokens)
        if tokens.pop(0) != ")":
            raise IndexError
        return value
    return token in _TRUE


def includes(text: str) -> Iterator[str]:
    """The paths of `!#include` lines that hold here."""
    for line in _chosen(text):
        word, _, path = line.partition(" ")
        if word == "!#include":
            yield path.strip()
