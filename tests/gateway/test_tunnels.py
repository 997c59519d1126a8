"""WireGuard as a phone uses it, with a real WireGuard client in a namespace: each listener is a person."""

import shutil

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("namespaces")]

PEOPLE = {"anna": 51821, "ben": 51822}
AS_FRAME = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Referer": "https://news.test/"}


@pytest.fixture
def household(bare_street):
    """capper with a listener for each of two people, set up as `capper gateway wireguard` says."""
    missing = [name for name in ("wg", "wg-quick", "wireguard-go") if not shutil.which(name)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install wireguard-tools wireguard-go)")
    street, modes = bare_street, []
    for person, port in PEOPLE.items():
        said = street.capper("gateway", "wireguard", person, "--endpoint", f"192.168.77.1:{port}", "--no-qr").stdout
        (street.folder / f"{person}.conf").write_text(said.partition("In capper.toml")[0])
        modes.append(next(word for word in said.split() if word.startswith("wireguard:/")))
    (street.folder / "policy.toml").write_text('caps = ["1 per advertiser per day"]\n')
    for person in PEOPLE:
        street.capper("people", "add", person, "--device", f"wireguard:{person}")
    plain = (street.folder / "capper.toml").read_text()
    (street.folder / "capper.toml").write_text(
        "".join(f"mode = {modes!r}\n" if line.startswith("mode") else f"{line}\n" for line in plain.splitlines())
    )
    street.start_capper()
    return street


def tunnel(street, person: str) -> None:
    """Her phone, in the client's namespace: the profile as it was printed, and the web by way of the tunnel."""
    device = f"wg-{person}"
    stripped = street.run("client", "wg-quick", "strip", str(street.folder / f"{person}.conf")).stdout
    (street.folder / f"{person}.wg").write_text(stripped)
    street.run("client", "wireguard-go", device)
    street.run("client", "wg", "setconf", device, str(street.folder / f"{person}.wg"))
    street.run("client", "ip", "addr", "add", "10.0.0.1/32", "dev", device)
    street.run("client", "ip", "link", "set", device, "up")
    for network in ("203.0.113.0/24", "192.0.2.0/24", "10.0.0.53/32"):
        street.run("client", "ip", "route", "add", network, "dev", device)


def test_each_listener_is_a_person(household):
    """Anna's second sight of an advertiser gives way; ben, through his own profile, has not seen it yet.

    Before the phone has proven that it trusts capper, by a page that it finds through the tunnel, ad hosts pass through too.
    """
    shown = {}
    for person, times in (("anna", 2), ("ben", 1)):
        tunnel(household, person)
        guest = household.ask("ads.test", at="203.0.113.10", authority="web")
        proof = household.enrol(resolver="10.0.0.53")
        answers = [
            household.ask("ads.test", "/frame", at="203.0.113.10", authority="capper", headers=AS_FRAME)
            for _ in range(times)
        ]
        shown[person] = ["shoes.png" in answer.get("body", str(answer)) for answer in answers]
        news = household.ask("news.test", at="203.0.113.20", authority="web")
        household.run("client", "ip", "link", "del", f"wg-{person}")

        assert "asked by 203.0.113.1" == news.get("body") == guest.get("body"), (news, guest)
        assert 200 == proof.get("status"), proof

    assert {"anna": [True, False], "ben": [True]} == shown
