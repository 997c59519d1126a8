"""`capper tls` as a person meets it."""

import json
from datetime import UTC, datetime

import pytest

from capper.cli import machines
from capper.gateway.ours import HOST
from capper.proxy.authority import load_authority
from capper.proxy.trust import Reason, Trust
from capper.proxy.trustfile import TrustFile, names_of, trust_file
from capper.proxy.viewer import Caller

PHONE, MAC = "192.168.1.20", "de:ad:be:ef:00:01"


@pytest.fixture
def state(home):
    """A household with a phone that trusts capper, but not at one host, and a guest that does not."""
    folder, now = home / "state", datetime.now(UTC)
    authority = load_authority(folder, now)
    names, trust = names_of(authority), Trust(lambda: datetime.now(UTC))
    phone = names.client(Caller(PHONE, mac=MAC).machine(), "browser")
    guest = names.client(Caller("192.168.1.30").machine(), "browser")
    trust.proven(phone)
    trust.refused(phone, names.host(phone, "pinned.ads.example"))
    trust.refused(guest, names.host(guest, "ads.example"))
    TrustFile(folder, authority.fingerprint()).save(trust.book, now)
    (home / "config").mkdir()
    (home / "config" / "policy.toml").write_text(
        f'caps = ["3 per advertiser per day"]\n[people.anna]\ndevices = ["{MAC}"]\n'
    )
    return folder


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("https://Pagead2.GoogleSyndication.com/x", "pagead2.googlesyndication.com: opened: a filter list says"),
        ("www.ing.nl", "www.ing.nl: passes through unopened: it is among banks (ing.nl)"),
        ("bank.somewhere.example", "it is among banks (bank)"),
        ("news.example", "news.example: passes through unopened: no list and no site of yours names it"),
        ("www.wehkamp.nl", "www.wehkamp.nl: opened: known for credit prompts"),
        ("cm.g.doubleclick.net", "but it carries no ads, only matching (cm.g.doubleclick.net)"),
        ("vault.bitwarden.com", "it is among mail and passwords (bitwarden.com)"),
    ],
)
def test_why(capper, host, said):
    """Whether a host is opened, by which rule, and by which entry of it."""
    told = capper("tls", "why", host)

    assert 0 == told.code, told.err
    assert said in told.out
    assert (HOST in told.out) == (": opened" in told.out)


def test_why_with_everything_open(capper, home):
    """Where all is opened, that is the rule."""
    (home / "capper.toml").write_text('open = "all"')

    assert "everything is opened" in capper("tls", "why", "www.ing.nl", "--config", home / "capper.toml").out


def test_what_a_device_made_of_it(capper, state):
    """For a host that a device refused, the device is named, with the reason and until when."""
    plain = capper("tls", "why", "pinned.ads.example").out
    (row,) = json.loads(capper("tls", "why", "pinned.ads.example", "--json").out)["devices"]
    other = json.loads(capper("tls", "why", "pinned.ads.example", "--device", "192.168.1.99", "--json").out)["devices"]

    assert (f"{MAC}, anna", Reason.PINNED) == (row["device"], row["reason"])
    assert f"{MAC}, anna: passes through until" in plain
    assert [] == other


def test_list(capper, state):
    """Devices that the policy names are shown by name, others by a digest; hosts are counted, never named."""
    rows = {row["device"]: row for row in json.loads(capper("tls", "list", "--json").out)}
    table = capper("tls", "list").out
    phone = rows.pop(f"{MAC}, anna")
    (guest,) = rows.values()

    assert ("trusts capper", {Reason.PINNED: 1}) == (phone["standing"], phone["passed"])
    assert ("does not trust capper", {}) == (guest["standing"], guest["passed"])
    assert guest["device"].startswith("a device (")
    assert Reason.PINNED in table
    assert "ads.example" not in table


def test_a_device_on_the_network_is_shown_by_what_it_is_now(capper, state, monkeypatch):
    """A device that nobody claims is told by its address while it is on the network."""
    monkeypatch.setattr(machines, "_present", lambda _: [machines.Device("192.168.1.30", label="guest-phone")])

    assert "192.168.1.30 (guest-phone)" in capper("tls", "list").out


@pytest.mark.parametrize("made", [True, False], ids=["certificate", "nothing"])
def test_nothing_is_known_yet(capper, home, made):
    """Before any device has proven anything it says how to."""
    if made:
        load_authority(home / "state", datetime.now(UTC))

    assert f"http://{HOST}/" in capper("tls", "list").out
    assert [] == json.loads(capper("tls", "list", "--json").out)


def left(capper) -> list[tuple[str, int]]:
    return sorted((row["standing"], len(row["passed"])) for row in json.loads(capper("tls", "list", "--json").out))


@pytest.mark.parametrize(
    ("words", "count", "remaining"),
    [
        (("pinned.ads.example",), 1, [("does not trust capper", 0), ("trusts capper", 0)]),
        (("other.example",), 0, [("does not trust capper", 0), ("trusts capper", 1)]),
        (("--device", MAC), 2, [("does not trust capper", 0)]),
        (("--device", "192.168.1.30"), 1, [("trusts capper", 1)]),
        (("pinned.ads.example", "--device", "192.168.1.30"), 0, [("does not trust capper", 0), ("trusts capper", 1)]),
        (("--all",), 3, []),
    ],
)
def test_forget(capper, state, words, count, remaining):
    """A host, a device or everything is forgotten, and nothing else."""
    told = json.loads(capper("tls", "forget", *words, "--json").out)

    assert {"forgotten": count} == told
    assert remaining == left(capper)


def test_closing(capper, home):
    """A host is closed and opened again by one command; what travels with capper stays closed, and says why."""
    closed, again = (capper("tls", "close", "https://ads.shop.example/x").out for _ in range(2))
    why = capper("tls", "why", "x.ads.shop.example").out
    reopened = capper("tls", "reopen", "ads.shop.example")
    refused = capper("tls", "reopen", "www.ing.nl")

    assert ("ads.shop.example is never opened from now on\n", "ads.shop.example is closed already\n") == (closed, again)
    assert "you closed it (ads.shop.example)" in why
    assert 0 == reopened.code
    assert "no list" in capper("tls", "why", "x.ads.shop.example").out
    assert 2 == refused.code
    assert "it stays closed: it is among banks" in refused.err


def test_a_site_of_yours_stands_above_a_closing(capper, home):
    """Closing what one has opened says that it goes on being opened, why, and what ends that; then it is closed."""
    capper("sites", "add", "ads.shop.example")
    (home / "capper.toml").write_text('sites = ["shop.example"]')
    told = capper("tls", "close", "shop.example", "--config", home / "capper.toml")
    opened = json.loads(capper("tls", "why", "shop.example", "--json", "--config", home / "capper.toml").out)["opened"]
    below = capper("tls", "close", "shop.example")
    capper("sites", "remove", "ads.shop.example")
    closed = capper("tls", "close", "shop.example")

    assert (1, True) == (told.code, opened)
    assert "shop.example goes on being opened: take it out of `sites` in capper.toml" in told.out
    assert 1 == below.code
    assert "and yet ads.shop.example goes on being opened, as a site of yours: capper sites remove" in below.out
    assert (0, "shop.example is closed already\n") == (closed.code, closed.out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("why", "a b"), "expected a site"),
        (("close", ""), "expected"),
        (("forget",), "name a host, a --device, or --all"),
        (("forget", "--device", "x"), "--device: expected an address"),
    ],
)
def test_refusals(capper, state, words, said):
    """What cannot be done is one sentence and exit code 2."""
    told = capper("tls", *words)

    assert (2, 1) == (told.code, told.err.count("\n"))
    assert said in told.err


def test_a_damaged_file(capper, state):
    """It is named, and what to do about it."""
    trust_file(state).write_text("{")
    told = capper("tls", "list")

    assert 2 == told.code
    assert "delete it, and let each device prove itself again" in told.err
