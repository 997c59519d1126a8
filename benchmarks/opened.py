"""Which share of real pages' connections is opened, by rule, and what deciding costs; the table of docs/privacy.md.

    python -m benchmarks.opened DATA                    DATA holds har/, lists/ and exclusions/
    python -m benchmarks.opened DATA --write docs/privacy.md

A page's connections are told by the recording: those with different numbers, or to different hosts, are different ones. Pages
recorded before everything was encrypted are counted as if it had been. Times are the best of several rounds, and the ratio is
that of two sizes of the same sets, so that both hold on another machine.
"""

import argparse
import contextlib
import gzip
import json
import ssl
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from mitmproxy import tls

from benchmarks.report import write
from benchmarks.timing import least_of_many
from capper.gateway.opened import Chooser, Rule
from capper.proxy.authority import Authority
from capper.proxy.opening import Opening
from capper.recognise.exclusions import exclusions
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.hosts import HostSet, ad_hosts
from capper.recognise.lists import starter_lists
from capper.settings.closed import built_in, silent
from capper.settings.sites import known_sites

LISTS = ("easylist-20260822",)
REGIONAL = ("easylist-germany-20260821", "adguard-dutch-20260320", "adguard-french-20260320", "nordic-ublock-20260822")
FEW_ADS = 20
"""A page with fewer connections to hosts on ad lists or tracker lists than this is not ad-heavy."""
BANKS = ("adguard-banks", "ut1-bank")


@dataclass(frozen=True)
class Page:
    """A recorded page: its name and its connections, one host each."""

    name: str
    connections: tuple[str, ...]

    def count(self, choose: Chooser, rule: Rule) -> int:
        """How many of them are under this rule."""
        return sum(choose.ruling(host).rule is rule for host in self.connections)

    def share(self, choose: Chooser) -> float:
        """How many of a hundred are opened."""
        return 100 * sum(map(choose.opens, self.connections)) / len(self.connections)


def pages(folder: Path) -> Iterator[Page]:
    """Every recording of the folder."""
    for file in sorted((*folder.glob("*.har.gz"), *folder.glob("*.devtoolslog.json.gz"))):
        data = json.loads(gzip.decompress(file.read_bytes()))
        used = set(_of_har(data) if file.name.endswith(".har.gz") else _of_log(data))
        if used:
            name = file.name.removesuffix(".har.gz").removesuffix(".devtoolslog.json.gz").removesuffix("-bodies")
            yield Page(name, tuple(sorted(host for host, _ in used)))


def _of_har(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in data["log"]["entries"]:
        if host := _host(entry["request"]["url"]):
            yield host, str(entry.get("connection") or entry.get("serverIPAddress") or "")


def _of_log(data: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for row in data:
        response = row.get("params", {}).get("response", {}) if row.get("method") == "Network.responseReceived" else {}
        if (host := _host(response.get("url", ""))) and not response.get("fromDiskCache"):
            yield host, str(response.get("connectionId") or "")


def _host(url: str) -> str:
    parts = urlsplit(url)
    return (parts.hostname or "").rstrip(".") if parts.scheme in {"http", "https"} else ""


def read_list(data: Path, name: str, kind: ListKind) -> FilterList:
    """One of the filter lists."""
    return FilterList(name, gzip.decompress((data / "lists" / f"{name}.txt.gz").read_bytes()).decode(), kind)


def chooser(hosts: HostSet) -> Chooser:
    """As `capper run` decides, with nothing of a person's own."""
    closed = built_in()
    return Chooser(lambda: hosts, lambda: closed, known=known_sites(), silent=silent())


def table(data: Path) -> str:
    """The whole text between the marks."""
    lists = [*starter_lists(), *(read_list(data, name, ListKind.ADS) for name in LISTS)]
    named = ad_hosts([*lists, read_list(data, "easyprivacy-20260822", ListKind.ADS)])
    choose = chooser(ad_hosts(lists))
    wider = chooser(ad_hosts([*lists, *(read_list(data, name, ListKind.ADS) for name in REGIONAL)]))
    rows, shares, wide_shares = [], [], []
    for page in pages(data / "har"):
        ads = sum(map(named.covers, page.connections)) >= FEW_ADS
        share = page.share(choose)
        if ads:
            shares.append(share)
            wide_shares.append(page.share(wider))
        counts = " | ".join(
            str(page.count(choose, rule))
            for rule in (Rule.AD_HOST, Rule.CREDIT, Rule.SILENT, Rule.CLOSED, Rule.UNNAMED)
        )
        rows.append((not ads, page.name, f"| {page.name} | {len(page.connections)} | {counts} | {share:.0f} % |"))
    rows.sort()
    middle = statistics.median(shares)
    return "\n".join(
        [
            f"With the lists that travel with capper, {', '.join(LISTS)} and nothing of a person's own; ad-heavy pages first (those",
            f"with at least {FEW_ADS} connections to hosts on ad or tracker lists). Median of those {len(shares)}: {middle:.0f} % opened; with {len(REGIONAL)} regional lists besides,",
            f"{statistics.median(wide_shares):.0f} %.",
            "",
            "| page | connections | ad hosts: opened | credit sites: opened | carry no ads | stay closed | named nowhere | opened |",
            "|---|---|---|---|---|---|---|---|",
            *(row for *_, row in rows),
            "",
            _banks(data, choose),
            "",
        ]
    )


def _banks(data: Path, choose: Chooser) -> str:
    hosts = {host for name in BANKS for host in exclusions((data / "exclusions" / f"{name}.txt").read_text("utf-8"))}
    asked = [name for host in sorted(hosts) for name in (host, f"www.{host}", f"login.{host}")]
    opened = [host for host in asked if choose.opens(host) and choose.ruling(host).rule is Rule.AD_HOST]
    return f"Of {len(asked):,} names of {len(hosts):,} banks ({', '.join(BANKS)}) {len(opened)} are opened."


def costs(hosts: HostSet) -> dict[str, float]:
    """Microseconds for a decision with a hundred ad hosts and with a hundred thousand."""
    many = HostSet([*hosts, *(f"host{number}.ads{number % 97}.test" for number in range(max(0, 100_000 - len(hosts))))])
    asked = [f"a.b.{host}" for host in list(many)[:: len(many) // 500]] + [f"www.news{n}.example" for n in range(500)]
    found = {}
    for name, some in (("100", HostSet(list(many)[:100])), (f"{len(many):,}", many)):
        choose = chooser(some)
        found[name] = min(_round(choose, asked) for _ in range(9))
    return found


def hook_costs(folder: Path) -> dict[str, float]:
    """Microseconds of the whole hook for a connection that passes and for one that is opened, and of a handshake to compare."""
    authority = Authority.create(datetime.now(UTC))
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = Authority(authority.leaf("ads.test", key.public_key(), datetime.now(UTC)), key)
    file, trusted = folder / "leaf.pem", folder / "authority.pem"
    file.write_bytes(leaf.secret_pem())
    trusted.write_bytes(authority.pem())
    hello = tls.ClientHello(_first_message(trusted)[9:])
    client = SimpleNamespace(peername=("127.0.0.1", 1), id="1")
    context = SimpleNamespace(server=SimpleNamespace(address=("ads.test", 443)), client=client)
    data: Any = SimpleNamespace(client_hello=hello, context=context, ignore_connection=False)
    passing, opening = Opening(lambda _: False), Opening(lambda _: True)
    return {
        "passed through": least_of_many(lambda: passing.tls_clienthello(data)),
        "opened": least_of_many(lambda: opening.tls_clienthello(data)),
        "a handshake, both sides": least_of_many(lambda: _handshake(file, trusted), 20),
    }


def _client(trusted: Path) -> tuple[ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=str(trusted))
    return context.wrap_bio(to_client, to_server, server_hostname="ads.test"), to_client, to_server


def _first_message(trusted: Path) -> bytes:
    client, _, to_server = _client(trusted)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return to_server.read()


def _handshake(file: Path, trusted: Path) -> None:
    client, to_client, to_server = _client(trusted)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()


def _round(choose: Chooser, asked: list[str]) -> float:
    began = time.perf_counter()
    for host in asked:
        choose.opens(host)
    return (time.perf_counter() - began) / len(asked) * 1e6


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", type=Path)
    chosen = parser.parse_args()
    text = table(chosen.data)
    if chosen.write:
        write(chosen.write, text, "opened")
    print(text)
    found = costs(ad_hosts([read_list(chosen.data, name, ListKind.ADS) for name in LISTS]))
    print("; ".join(f"{name} ad hosts: {each:.1f} us a connection" for name, each in found.items()))
    few, many = found.values()
    print(f"ratio {many / few:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        hooks = hook_costs(Path(folder))
    print("; ".join(f"{name}: {each:.0f} us" for name, each in hooks.items()))
    print(f"ratio {hooks['a handshake, both sides'] / hooks['opened']:.0f}")


if __name__ == "__main__":
    main()
