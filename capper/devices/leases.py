"""DHCP leases: what dnsmasq, ISC's dhcpd, Kea and odhcpd wrote down of who has which address, and what a device calls itself."""

import csv
import html
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from capper.devices.neighbours import is_device

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,62}")
_A_TIME = 1_000_000_000
"""dnsmasq for machines without a clock writes a lease's length where others write when it ends."""
_MOST = 20_000
"""Leases of one file; no household has more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that was given out: packed, with the MAC it was given to and the name the device gave, where known."""

    address: bytes
    mac: str | None
    name: str = ""


def read_leases(text: str, now: datetime) -> tuple[Lease, ...]:
    """The leases of a file that are in force, whichever of the servers wrote it; what is no lease is skipped. Never raises."""
    found: dict[bytes, Lease | None] = {}
    for address, lease in _reader(text)(text, now):
        if len(found) >= _MOST:
            break
        # Servers write at the end what has changed: the last word holds.
        found[address] = lease
    return tuple(lease for lease in found.values() if lease)


_Rows = Iterator[tuple[bytes, Lease | None]]
"""Addresses in the file's order, each with its lease, or None where it is no longer given out."""


def _reader(text: str) -> Callable[[str, datetime], _Rows]:
    """By its first words: Kea names its columns, ISC's has blocks."""
    if text.startswith("address,"):
        return _kea
    if re.search(r"^(?:lease|ia-na) [^\n]{1,1000} \{$", text, re.MULTILINE):
        return _isc
    return _lines


# dnsmasq: `expiry mac address name client-id`, then `duid ...` and `expiry iaid address name duid`;
# odhcpd: `# interface duid iaid name expiry ... address/length...`, the DUID without colons


def _lines(text: str, now: datetime) -> _Rows:
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 8 and words[0] == "#":
            yield from _odhcpd(words, now)
        elif len(words) >= 4 and (expiry := _seconds(words[0])) is not None and (address := _packed(words[2])):
            mac = a_mac(words[1]) if len(address) == 4 else _mac_of_duid(words[4] if len(words) > 4 else "")
            ended = expiry >= _A_TIME and expiry < now.timestamp()
            yield address, None if ended else Lease(address, mac, _named(words[3]))


def _odhcpd(words: list[str], now: datetime) -> _Rows:
    owner, name, expiry = ":".join(re.findall("..", words[2])), words[4], _seconds(words[5])
    if words[5] != "-1" and (expiry is None or expiry < now.timestamp()):
        return
    mac = a_mac(owner) or _mac_of_duid(owner)
    for word in words[8:]:
        if address := _packed(word.partition("/")[0]):
            yield address, Lease(address, mac, _named(name))


# ISC's dhcpd: blocks of statements, a line each; a later block takes the place of an earlier one

_OPENS = re.compile(r'(lease|ia-na|iaaddr) ("(?:[^"\\]|\\.)*"|\S+) \{')
_SAYS = re.compile(r"(ends|binding state|hardware ethernet|client-hostname) ([^;]*);")


def _isc(text: str, now: datetime) -> _Rows:
    address: bytes | None = None
    owner: str | None = None
    said: dict[str, str] = {}
    for line in text.splitlines():
        plain = line.strip()
        if opened := _OPENS.match(plain[:1000]):
            what, whose = opened.groups()
            address = None if what == "ia-na" else _packed(whose)
            owner = owner if what == "iaaddr" else _mac_of_duid(_unescaped(whose)[4:].hex(":"))
            said = {}
        elif statement := _SAYS.match(plain[:1000]):
            said[statement[1]] = statement[2].strip('"')
        elif plain == "}" and address:
            mac = a_mac(said.get("hardware ethernet", "")) or owner
            lease = Lease(address, mac, _named(said.get("client-hostname", "")))
            yield address, lease if _in_force(said, now) else None
            address = None


def _in_force(said: dict[str, str], now: datetime) -> bool:
    if said.get("binding state", "active") != "active":
        return False
    match said.get("ends", "never").split():
        case ["never"]:
            return True
        case ["epoch", seconds]:
            return (_seconds(seconds) or 0) >= now.timestamp()
        case [_, day, time]:
            try:
                return datetime.strptime(f"{day} {time}", "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC) >= now
            except ValueError:
                return False
    return False


def _unescaped(text: str) -> bytes:
    """The bytes of ISC's quoted text: three octal digits, or one character, after a backslash."""

    def byte(found: re.Match[str]) -> str:
        return chr(int(found[1], 8)) if len(found[1]) == 3 else found[1]

    return re.sub(r"\\([0-3][0-7]{2}|.)", byte, text.strip('"')).encode("latin-1", "replace")


# Kea: comma-separated, with the columns' names in the first line


def _kea(text: str, now: datetime) -> _Rows:
    lines = (line for line in text.splitlines() if len(line) < 4096)
    for row in csv.DictReader(lines):
        if not (address := _packed(row.get("address") or "")):
            continue
        expiry, length = _seconds(row.get("expire") or ""), _seconds(row.get("valid_lifetime") or "")
        ended = length == 0 or (expiry is not None and expiry < now.timestamp())
        if ended or (row.get("state") or "0") != "0":
            yield address, None
        else:
            mac = a_mac(row.get("hwaddr") or "") or _mac_of_duid(row.get("duid") or "")
            yield address, Lease(address, mac, _named(html.unescape(row.get("hostname") or "")))


# What they have in common


def a_mac(text: str) -> str | None:
    """A MAC as the policy writes it; None if it is none, or no device's."""
    if not re.fullmatch(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}", text):
        return None
    return text.lower() if is_device(bytes.fromhex(text.replace(":", ""))) else None


def _mac_of_duid(text: str) -> str | None:
    """The MAC a DHCPv6 identifier was made of (RFC 8415, 11.2 and 11.4), if it was made of one.

    It may be that of another interface of the same device, which is as good.
    """
    if not re.fullmatch(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){1,129}", text):
        return None
    raw = bytes.fromhex(text.replace(":", ""))
    if raw[:4] == b"\0\1\0\1" and len(raw) == 14:
        return a_mac(raw[8:].hex(":"))
    if raw[:4] == b"\0\3\0\1" and len(raw) == 10:
        return a_mac(raw[4:].hex(":"))
    return None


def _packed(text: str) -> bytes | None:
    try:
        return ipaddress.ip_address(text).packed
    except ValueError:
        return None


def _seconds(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else None


def _named(text: str) -> str:
    """A device's name for itself; it comes from the device, so anything but a plain name is none."""
    name = text.strip().rstrip(".")
    return name if _NAME.fullmatch(name) else ""
