"""dnsmasq's configuration: every chosen host once, in lines it can read, and nothing else."""

import gzip
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.gateway.dnsmasq import dnsmasq_file
from capper.gateway.ours import ADDRESSES, HOST
from capper.gateway.pac import LARGEST, pac_file
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.hosts import HostSet, ad_hosts

LINE = re.compile(r"nftset=((?:/[a-z0-9._-]+)+)/4#inet#capper#(ads|others)4,6#inet#capper#\2(?:6)")


OURS = ["filter-rr=HTTPS,SVCB", *(f"address=/{HOST}/{address}" for address in ADDRESSES)]


def settings_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def named(text: str, which: str) -> list[str]:
    found = [LINE.fullmatch(line) for line in settings_of(text) if line not in OURS]
    assert all(found), text
    return [host for match in found if match[2] == which for host in match[1].split("/")[1:]]


def test_the_file():
    """Hosts fill the sets, exceptions others; records that lead around capper are left out, and its own page is found."""
    text = dnsmasq_file(HostSet(["ads.test", "www.ads.test", "b.test"], ["optout.ads.test"]))

    assert [
        *OURS,
        "nftset=/ads.test/b.test/4#inet#capper#ads4,6#inet#capper#ads6",
        "nftset=/optout.ads.test/4#inet#capper#others4,6#inet#capper#others6",
    ] == settings_of(text)


def test_every_host():
    """Where all is opened, all is redirected."""
    assert "nftset=/#/4#inet#capper#ads4,6#inet#capper#ads6" in settings_of(dnsmasq_file(None))


def test_ten_thousand_hosts_in_short_lines():
    """dnsmasq cuts a line of more than a kilobyte; each host stands on one line, whole."""
    hosts = {f"host{number}{'x' * (number % 50)}.ads{number % 7}.test" for number in range(10_000)}
    text = dnsmasq_file(HostSet(hosts))

    assert sorted(hosts) == sorted(named(text, "ads"))
    assert max(map(len, text.splitlines())) <= 900


@given(st.lists(st.text(max_size=30) | st.from_regex(r"[a-z0-9._-]{1,20}", fullmatch=True), max_size=6))
def test_no_host_says_anything_else(hosts):
    """Whatever a list names, only names of hosts get in."""
    text = dnsmasq_file(HostSet(hosts, hosts[:1]))

    assert set(named(text, "ads")) <= {host.strip().rstrip(".").lower() for host in hosts}


def objections(namespace: str, hosts: HostSet, file: Path) -> str:
    """What the real dnsmasq says of the configuration."""
    file.write_text(dnsmasq_file(hosts))
    ended = subprocess.run(
        ["ip", "netns", "exec", namespace, "dnsmasq", "--test", f"--conf-file={file}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if ended.returncode == 0 else ended.stderr


@pytest.mark.slow
def test_dnsmasq_reads_it(namespace, tmp_path):
    """The real dnsmasq has nothing to object to, with a hundred thousand hosts."""
    hosts = (f"host{number}.ads{number % 97}.test" for number in range(100_000))

    assert "" == objections(namespace, HostSet(hosts, ["a.host1.ads1.test"]), tmp_path / "capper.conf")


@pytest.mark.slow
def test_dnsmasq_reads_real_lists(namespace, tmp_path, shared_data):
    """Nor with every host that real lists of ads name, and they fit into a PAC file that Chromium takes."""
    files = sorted((shared_data / "lists").glob("*.txt.gz"))
    texts = (gzip.decompress(file.read_bytes()).decode("utf-8", "replace") for file in files)
    hosts = ad_hosts(FilterList(str(number), text, ListKind.ADS) for number, text in enumerate(texts))

    assert len(hosts) > 50_000
    assert "" == objections(namespace, hosts, tmp_path / "capper.conf")
    assert len(pac_file(hosts, ["192.168.1.2:8080"])) <= LARGEST
