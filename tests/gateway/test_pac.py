"""The PAC file, run by JavaScript engines: it says what the set of hosts says, whatever stands in it."""

import json
import random
import shutil
import string
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.gateway.pac import LARGEST, PacFile, pac_file
from capper.recognise.hosts import HostSet

RUNNER = """
const vm = require("vm");
require("readline").createInterface({input: process.stdin}).on("line", line => {
  const {pac, urls} = JSON.parse(line), context = vm.createContext({});
  vm.runInContext(pac, context);
  console.log(JSON.stringify(urls.map(([url, host]) => context.FindProxyForURL(url, host))));
});
"""
PROXY = "192.168.1.2:8080"
VIA, DIRECT = f"PROXY {PROXY}; DIRECT", "DIRECT"
LABELS = st.sampled_from(["a", "ads", "xn--9ca", "1", ""])
# Few names, so that those asked for often lie above, below and between those in the set.
HOSTS = st.lists(LABELS, min_size=1, max_size=3).map(".".join)
ADDRESSES = st.sampled_from(["192.0.2.1", "9.192.0.2.1", "2.1", "2001:db8::1", "::1", "db8::1"])


@pytest.fixture(scope="module")
def engine():
    """Asks a PAC file: `engine(text, [(url, host), ...])`."""
    node = shutil.which("node")
    if not node:
        pytest.skip("no node here (apt-get install nodejs)")
    with subprocess.Popen([node, "-e", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(pac: str, urls: list[tuple[str, str]]) -> list[str]:
            process.stdin.write(json.dumps({"pac": pac, "urls": urls}) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


def verdicts(engine, hosts: HostSet | None, asked: list[str]) -> list[bool]:
    answers = engine(pac_file(hosts, [PROXY]), [(f"https://{host}/", host) for host in asked])
    assert set(answers) <= {VIA, DIRECT}
    return [answer == VIA for answer in answers]


@given(
    st.lists(HOSTS | ADDRESSES, max_size=8),
    st.lists(HOSTS, max_size=4),
    st.lists(HOSTS | ADDRESSES | st.text(st.characters(max_codepoint=0x17F), max_size=12), min_size=1, max_size=20),
)
def test_it_says_what_the_set_says(engine, hosts, without, asked):
    """For names, addresses and nonsense the verdict is that of the set."""
    freed = [*without, *(f"ads.{host}" for host in hosts[::2])]
    chosen = HostSet(hosts, freed)
    asked = [*asked, *(part + host for host in (*hosts, *freed) for part in ("", "a."))]

    assert [chosen.covers(host) for host in asked] == verdicts(engine, chosen, [host.strip() for host in asked])


def test_case_final_dots_and_brackets(engine):
    """A browser may write a host in several ways."""
    chosen = HostSet(["ads.test", "2001:db8::1"])

    assert [True] * 4 == verdicts(engine, chosen, ["ADS.Test", "ads.test.", "[2001:db8::1]", "2001:DB8::1"])


def test_a_hundred_thousand_hosts_fit(engine):
    """Chromium takes a file with as many hosts as all lists together name, and every verdict is right."""
    dice = random.Random(7)
    names = sorted({label(dice) + dice.choice([".com", ".net", ".ads.test", ".co.uk"]) for _ in range(110_000)})
    dice.shuffle(names)
    chosen = HostSet(names[:100_000], names[100_000:100_100])
    asked = [*names[98_000:101_000], *(f"www.{name}" for name in names[:1000]), *(f"x{name}" for name in names[:1000])]
    pac = pac_file(chosen, [PROXY])

    assert len(pac) < LARGEST * 2 // 3
    assert [chosen.covers(host) for host in asked] == verdicts(engine, chosen, asked)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "width"), [(150_000, 6), (180_000, 5), (240_000, 4)])
def test_more_hosts_have_shorter_digests(engine, count, width):
    """However many lists are in use, the file stays one that Chromium takes; no chosen host is missed, and hardly one too many taken."""
    pac = pac_file(HostSet(f"h{number}.test" for number in range(count)), [PROXY])
    asked = [f"h{number}.test" for number in range(0, 2 * count, 97)]
    answers = engine(pac, [("https://a/", host) for host in asked])
    wrong = [host for host, answer in zip(asked, answers, strict=True) if (answer == VIA) != (int(host[1:-5]) < count)]

    assert len(pac) <= LARGEST
    assert f"as {width} characters" in pac
    assert [] == [host for host in wrong if int(host[1:-5]) < count]
    assert len(wrong) <= (0 if width > 4 else 3)


def label(dice: random.Random) -> str:
    return "".join(dice.choices(string.ascii_lowercase + string.digits, k=dice.randint(4, 14)))


def test_every_host(engine):
    """With no set at all, whatever is a website goes through capper."""
    assert [True, True] == verdicts(engine, None, ["news.test", "192.168.1.1"])


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://ads.test/a", VIA),
        ("HTTPS://ads.test/", VIA),
        ("wss://ads.test/", VIA),
        ("ftp://ads.test/", DIRECT),
        ("file:///ads.test", DIRECT),
    ],
)
def test_only_websites_go_through(engine, url, answer):
    """Other protocols go straight out."""
    assert [answer] == engine(pac_file(HostSet(["ads.test"]), [PROXY]), [(url, "ads.test")])


def test_several_proxies_and_ipv6(engine):
    """Proxies are tried in their order, and then none."""
    pac = pac_file(None, ["gateway.lan:8080", "[fd00::1]:8080"])

    assert ["PROXY gateway.lan:8080; PROXY [fd00::1]:8080; DIRECT"] == engine(pac, [("http://a/", "a")])


@pytest.mark.parametrize(
    "proxy", ['a";alert(1)//:80', "a:b", "a", ":80", "a:0", "a:70000", "fd00::1:80", "a:80; DIRECT", "a:80\n"]
)
def test_a_proxy_is_an_address(proxy):
    """Nothing but a host and a port can get into the script."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        pac_file(None, [proxy])


def test_there_must_be_a_proxy():
    """A file that leads nowhere is a mistake."""
    with pytest.raises(ValueError, match="at least one"):
        pac_file(None, [])


@given(st.lists(st.text(max_size=30), max_size=6))
def test_nothing_of_a_host_stands_in_the_script(hosts):
    """Hosts are digests: whatever a list holds, the script around them is the same."""
    empty, full = (PacFile(HostSet(each, each[:2])).to([PROXY]) for each in ([], hosts))

    assert [
        line for line in full.splitlines() if not line.startswith(("var capperHosts", "var capperOthers", "// When"))
    ] == [
        line for line in empty.splitlines() if not line.startswith(("var capperHosts", "var capperOthers", "// When"))
    ]
    assert full.isascii()
