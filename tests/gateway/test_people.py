"""People by their devices' MACs behind one gateway, in network namespaces: counts of their own, whatever the addresses."""

import json
import re
import shutil
import subprocess

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("namespaces")]

AS_FRAME = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Referer": "https://news.test/"}
CAPPERS_OWN = {4: "192.0.2.88", 6: "2001:db8:ca99::88"}
ADS = {4: "203.0.113.10", 6: "2001:db8:1::10"}
OURS = {4: "192.168.77.20", 6: "fd77::20"}
THEIRS = {4: "192.168.79.20", 6: "fd79::20"}


def saw(street, source: str, where: str = "client") -> bool:
    """Whether an ad's frame came with the ad in it; that it came through capper is shown by the certificate."""
    at = ADS[6 if ":" in source else 4]
    answer = street.ask("ads.test", "/frame", where=where, at=at, source=source, authority="capper", headers=AS_FRAME)
    assert answer.get("status") == 200, answer
    return "shoes.png" in answer["body"]


def mac(street, where: str) -> str:
    return json.loads(street.run(where, "ip", "-j", "link", "show", "eth0").stdout)[0]["address"]


def take(street, where: str, *addresses: str, device: str = "eth0") -> None:
    """Give a device further addresses."""
    for address in addresses:
        width = ("64", "nodad") if ":" in address else ("24",)
        street.run(where, "ip", "addr", "add", f"{address}/{width[0]}", "dev", device, *width[1:])


def serve(street, *networks: str) -> None:
    """Further networks of the household's."""
    config = street.folder / "capper.toml"
    config.write_text(
        config.read_text().replace('"fd77::/64"', ", ".join(f'"{one}"' for one in ("fd77::/64", *networks)))
    )


def put_up(street, *ends: tuple[str, str, tuple[str, ...]]) -> None:
    """A cable between two namespaces, made where they are not there yet; each end with its name and addresses."""
    for where, _, _ in ends:
        if subprocess.run(["ip", "netns", "add", street.name(where)], check=False, capture_output=True).returncode == 0:
            street.stack.callback(subprocess.run, ["ip", "netns", "del", street.name(where)], check=False)
    (one, first, _), (other, second, _) = ends
    subprocess.run(
        ["ip", "link", "add", first, "netns", street.name(one), "type", "veth",
         "peer", "name", second, "netns", street.name(other)],
        check=True,
    )  # fmt: skip
    for where, device, addresses in ends:
        street.run(where, "ip", "link", "set", device, "up")
        take(street, where, *addresses, device=device)


def redirect(street) -> None:
    """capper at work, and what goes to the ad server redirected to it."""
    street.start_capper()
    street.capper("gateway", "apply", "--unwatched", "--dnsmasq", str(street.folder / "x.conf"), "--restart", "")
    for name, address in (("ads4", ADS[4]), ("ads6", ADS[6])):
        street.run("gateway", "nft", "add", "element", "inet", "capper", name, f"{{ {address} }}")


@pytest.fixture
def house(bare_street):
    """A gateway that redirects what goes to the ad server, a laptop (`client`) and a telephone, and a policy of nobody's."""
    street = bare_street
    put_up(street, ("phone", "eth0", tuple(THEIRS.values())), ("gateway", "lan1", ("192.168.79.1", "fd79::1")))
    street.run("phone", "ip", "route", "add", "default", "via", "192.168.79.1")
    street.run("phone", "ip", "-6", "route", "add", "default", "via", "fd79::1")
    (street.folder / "policy.toml").write_text('# the household\'s\ncaps = ["1 per advertiser per day"]  # few\n')
    serve(street, "192.168.79.0/24", "fd79::/64")
    redirect(street)
    # Each device proves once that it trusts capper, by whichever address it has at first.
    for where, source, at in (("client", OURS[4], CAPPERS_OWN[4]), ("phone", THEIRS[6], CAPPERS_OWN[6])):
        assert street.enrol(where=where, source=source, at=at).get("status") == 200
    return street


def add(street, wait_for, *words: str) -> None:
    """`capper people add`, heeded by the capper that runs."""
    before = street.said("capper").count("policy reloaded")
    street.capper("people", "add", *words)
    wait_for(lambda: street.said("capper").count("policy reloaded") > before)


@pytest.mark.parametrize("version", [4, 6])
def test_each_device_is_a_persons_by_its_mac(house, wait_for, version):
    """Two people behind one gateway have counts of their own, over IPv4 and IPv6 together, whatever address a device takes.

    Nor must a device prove anew that it trusts capper when its address changes.
    """
    add(house, wait_for, "anna", "--device", mac(house, "client"))
    add(house, wait_for, "ben", "--device", mac(house, "phone"))
    other = 10 - version
    first = [saw(house, OURS[version]), saw(house, OURS[other]), saw(house, THEIRS[version], "phone")]
    take(house, "client", "192.168.77.177", "fd77::beef:1", "2001:db8:77::5")
    take(house, "phone", "192.168.79.177", "fd79::beef:1")
    moved = [saw(house, source) for source in ("fd77::beef:1", "192.168.77.177")]
    moved += [saw(house, source, "phone") for source in ("fd79::beef:1", "192.168.79.177")]

    assert [True, False, True] == first
    assert [False] * 4 == moved


def test_a_device_that_is_nobodys_yet(house, wait_for):
    """What came to capper is shown by the name under which it can be given to somebody; then its count is that person's."""
    as_household = [saw(house, THEIRS[6], "phone"), saw(house, THEIRS[4], "phone")]
    phone = mac(house, "phone")
    wait_for((house.folder / "state" / "strangers.json").exists)
    shown = json.loads(house.capper("people", "devices", "--json").stdout)
    found = next(row for row in shown if row["device"] == phone)
    add(house, wait_for, "ben", "--device", found["device"])
    as_ben = [saw(house, source, "phone") for source in THEIRS.values()]
    left = [row["device"] for row in json.loads(house.capper("people", "devices", "--json", check=False).stdout)]
    policy = (house.folder / "policy.toml").read_text()

    assert [True, False, True, False] == as_household + as_ben
    assert found["came_to_capper"]
    assert set(THEIRS.values()) <= set(found["addresses"])
    assert phone not in left
    assert policy.startswith('# the household\'s\ncaps = ["1 per advertiser per day"]  # few\n')


def test_a_pause(house, wait_for):
    """While anna pauses, ad hosts come to her with their own certificate, and ben's ads are counted as ever."""
    add(house, wait_for, "anna", "--device", mac(house, "client"))
    add(house, wait_for, "ben", "--device", mac(house, "phone"))
    assert saw(house, OURS[4])

    def hers(authority: str) -> dict:
        return house.ask("ads.test", "/frame", at=ADS[4], source=OURS[4], authority=authority, headers=AS_FRAME)

    house.capper("people", "pause", "anna", "10")
    took = wait_for(lambda: "error" in hers("capper"), 10)
    during = [hers("web") for _ in range(2)]
    ben = [saw(house, THEIRS[4], "phone"), saw(house, THEIRS[4], "phone")]
    house.capper("people", "resume", "anna")
    wait_for(lambda: "error" not in hers("capper"), 10)

    assert took < 5
    assert ["shoes.png" in answer.get("body", "") for answer in during] == [True, True]
    assert [True, False] == ben
    assert not saw(house, OURS[4])


@pytest.fixture
def udhcpc(tmp_path):
    """A DHCP client that takes no address, and says which one it was given."""
    if not shutil.which("udhcpc"):
        pytest.skip("not installed: udhcpc (apt-get install udhcpc)")
    script = tmp_path / "udhcpc.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)

    def ask(street, where: str, name: str) -> str:
        told = street.run(
            where, "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", str(script), "-x", f"hostname:{name}", "-t", "20", "-T", "1"
        )  # fmt: skip
        return re.search(r"lease of ([0-9.]+) obtained", told.stdout + told.stderr)[1]

    return ask


def start_dhcp(street, where: str, device: str, first: str, last: str) -> None:
    """dnsmasq, giving out addresses; its leases are where capper.toml says."""
    street.start(
        "dhcp", where, "dnsmasq", "--keep-in-foreground", "--log-facility=-", "--user=root", "--pid-file=", "--port=0",
        "--conf-file=/dev/null", f"--interface={device}", f"--dhcp-leasefile={street.folder / 'dhcp.leases'}",
        f"--dhcp-range={first},{last},1h", ready="dnsmasq",
    )  # fmt: skip


def read_leases(street) -> None:
    config = street.folder / "capper.toml"
    config.write_text(config.read_text() + f'leases = ["{street.folder / "dhcp.leases"}"]\n')


def test_names_that_devices_give_the_router(house, wait_for, udhcpc):
    """Where dnsmasq gives out the addresses, a device may be named as it calls itself, and is shown by that name."""
    read_leases(house)
    start_dhcp(house, "gateway", "lan1", "192.168.79.50", "192.168.79.60")
    udhcpc(house, "phone", "bens-phone")
    shown = json.loads(house.capper("people", "devices", "--json").stdout)
    add(house, wait_for, "ben", "--device", "Bens-Phone")

    assert [(mac(house, "phone"), "bens-phone")] == [(row["device"], row["name"]) for row in shown if row["name"]]
    assert f'devices = ["{mac(house, "phone")}"]' in (house.folder / "policy.toml").read_text()


def test_a_device_behind_another_router(bare_street, udhcpc):
    """Where the gateway sees no MACs, a device is its MAC's all the same by the leases of the server that gave it its address."""
    street = bare_street
    put_up(street, ("router", "wan0", ("192.168.91.2",)), ("gateway", "lan1", ("192.168.91.1",)))
    put_up(street, ("reader", "eth0", ()), ("router", "lan0", ("192.168.92.1",)))
    street.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    street.run("router", "ip", "route", "add", "default", "via", "192.168.91.1")
    street.run("gateway", "ip", "route", "add", "192.168.92.0/24", "via", "192.168.91.2")
    serve(street, "192.168.91.0/24", "192.168.92.0/24")
    read_leases(street)
    (street.folder / "policy.toml").write_text(
        f'caps = ["1 per advertiser per day"]\n[people.cleo]\ndevices = ["{mac(street, "reader")}"]\n'
    )
    start_dhcp(street, "router", "lan0", "192.168.92.50", "192.168.92.60")
    address = udhcpc(street, "reader", "cleos-reader")
    take(street, "reader", address, "192.168.92.99")
    street.run("reader", "ip", "route", "add", "default", "via", "192.168.92.1")
    redirect(street)
    for source in (address, "192.168.92.99"):
        assert street.enrol(where="reader", source=source, at=CAPPERS_OWN[4]).get("status") == 200
    leased = [saw(street, address, "reader") for _ in range(2)]
    unknown = saw(street, "192.168.92.99", "reader")

    assert [True, False, True] == [*leased, unknown]
