"""The PAC file: JavaScript by which a browser sends only chosen hosts through capper, and all else straight out.

Chromium takes no PAC file of more than a mebibyte, and lists in use name a hundred thousand hosts, so these are written as
digests of 48 bits, six characters each (fewer where there are so many hosts that they would not fit). That some host of the
world is taken for a chosen one by chance is a matter of one in billions, and does no harm: capper would pass it through
unopened. The JavaScript is that of 1999, which every browser
and operating system understands; nothing from outside stands in it but digests and the proxies' addresses.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from capper.gateway.chosen import fewest
from capper.recognise.hosts import HostSet

LARGEST = 1024 * 1024
"""Bytes; Chromium takes no PAC file that is larger (net/proxy_resolution/pac_file_fetcher_impl.cc)."""
CONTENT_TYPE = "application/x-ns-proxy-autoconfig"

_PRIME: Final = 16_777_213
"""The largest prime below 2**24: a product of two smaller numbers is exact in JavaScript."""
_BASES: Final = (5_570_981, 11_400_727)
_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BUCKETS: Final = 4096
_WIDTHS: Final = (6, 5, 4)
"""Characters of an entry, besides the bucket's 12 bits: with four, one host in a hundred thousand is taken for a chosen one."""
_ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}")

_SCRIPT = """\
// Written by capper. Hosts that deliver ads, and sites its owner named, go through it; everything else goes straight out.
// When capper does not answer, everything goes straight out. `capper gateway hosts` lists the {count} hosts meant here.
var capperProxy = {proxy};

// Digests: 4096 buckets by the first 12 bits, each entry the next {bits} as {width} characters.
var capperDigits = "{digits}";
var capperHosts = "{hosts}".split(",");
var capperOthers = "{others}".split(",");

function capperHas(buckets, a, b) {{
  var entries = buckets[a >> 12] || "", at, entry = capperDigits.charAt((a >> 6) & 63) + capperDigits.charAt(a & 63) +
    capperDigits.charAt(b >> 18) + capperDigits.charAt((b >> 12) & 63) + capperDigits.charAt((b >> 6) & 63) +
    capperDigits.charAt(b & 63);
  entry = entry.substring(0, {width});
  for (at = entries.indexOf(entry); at >= 0; at = entries.indexOf(entry, at + 1)) if (at % {width} === 0) return true;
  return false;
}}

// Reads a host from the right, so that each domain above it is met on the way; the longest one that is known decides.
function capperCovers(host) {{
  var a = 1, b = 1, covered = false, at, code, address;
  host = host.toLowerCase().replace(/^\\[|\\]$/g, "").replace(/\\.+$/, "");
  address = /:|[0-9]$/.test(host);
  if (host.length > 253) return false;
  for (at = host.length - 1; at >= 0; at--) {{
    code = host.charCodeAt(at);
    a = (a * {bases[0]} + code) % {prime};
    b = (b * {bases[1]} + code) % {prime};
    if (at === 0 || (!address && host.charAt(at - 1) === ".")) {{
      if (capperHas(capperHosts, a, b)) covered = true;
      else if (capperHas(capperOthers, a, b)) covered = false;
    }}
  }}
  return covered;
}}

function FindProxyForURL(url, host) {{
  return /^(?:https?|wss?):/i.test(url) && {condition} ? capperProxy : "DIRECT";
}}
"""


def pac_file(hosts: HostSet | None, proxies: Sequence[str]) -> str:
    """The PAC file that sends `hosts` and their subdomains to the first of `proxies` that answers; None means every host.

    Args:
        proxies: as `HOST:PORT`, an IPv6 address in brackets.

    Raises:
        ValueError: a proxy is not written so, or there is none.
    """
    return PacFile(hosts).to(proxies)


class PacFile:
    """A PAC file whose hosts are digested once, for whatever address a browser reaches capper by."""

    def __init__(self, hosts: HostSet | None) -> None:
        few = fewest(hosts or HostSet())
        self._everything = hosts is None
        self._count = len(few)
        self._width = _width(len(few) + len(few.without))
        self._hosts, self._others = _buckets(few, self._width), _buckets(few.without, self._width)

    def to(self, proxies: Sequence[str]) -> str:
        """The file, with these proxies; see `pac_file`."""
        for proxy in proxies:
            if not _ADDRESS.fullmatch(proxy) or not 0 < int(proxy.rpartition(":")[2]) < 65536:
                raise ValueError(f"expected a proxy as HOST:PORT, found {proxy!r}")
        if not proxies:
            raise ValueError("expected at least one proxy")
        return _SCRIPT.format(
            count=self._count,
            proxy=json.dumps("; ".join([*(f"PROXY {proxy}" for proxy in proxies), "DIRECT"])),
            digits=_DIGITS,
            hosts=self._hosts,
            others=self._others,
            bases=_BASES,
            width=self._width,
            bits=6 * self._width,
            prime=_PRIME,
            condition="true" if self._everything else "capperCovers(host)",
        )


def _width(count: int) -> int:
    """How many characters each host may have for all of them to fit."""
    room = LARGEST - len(_SCRIPT) - 2 * _BUCKETS - 1024
    return next((width for width in _WIDTHS if width * count <= room), _WIDTHS[-1])


def _buckets(hosts: Iterable[str], width: int) -> str:
    buckets: defaultdict[int, list[str]] = defaultdict(list)
    for host in sorted(hosts):
        # Browsers know hosts in ASCII only.
        if host.isascii():
            first, second = (_digest(host, base) for base in _BASES)
            buckets[first >> 12].append((_spell(first & 4095, 2) + _spell(second, 4))[:width])
    return ",".join("".join(buckets[number]) for number in range(_BUCKETS)) if buckets else ""


def _digest(host: str, base: int) -> int:
    digest = 1
    for code in reversed(host.encode("ascii")):
        digest = (digest * base + code) % _PRIME
    return digest


def _spell(number: int, length: int) -> str:
    return "".join(_DIGITS[number >> shift & 63] for shift in range(6 * (length - 1), -1, -6))
