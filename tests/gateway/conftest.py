"""A street of network namespaces: a client, a gateway with dnsmasq, nftables and capper, and the web, joined by virtual cables.

Nothing outside is contacted: no namespace has a way out.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PEERS = Path(__file__).with_name("peers.py")
CAPPER = (sys.executable, "-c", "import sys; sys.argv[0] = 'capper'; from capper.cli import main; main()")
GATEWAY, GATEWAY6 = "192.168.77.1", "fd77::1"
LAN = ("192.168.77.0/24", "fd77::/64")
ADS, NEWS = ("203.0.113.10", "2001:db8:1::10"), ("203.0.113.20", "2001:db8:1::20")
POLICY = """\
caps = ["1 per advertiser per day"]

[people.anna]
devices = ["192.168.77.20"]

[people.ben]
devices = ["192.168.77.21"]
"""
PLAIN = """\
listen = "192.168.77.1:8080"
mode = ["regular", "transparent@:8081"]
lan = ["192.168.77.0/24", "fd77::/64"]
ledger = "memory"
lists = ["ads.txt"]
"""


def wait_for(what, seconds=30.0, said="it did not happen"):
    """Look again and again; the seconds it took."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        if what():
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError(said)


@pytest.fixture(name="wait_for")
def _wait_for():
    return wait_for


@dataclass
class Street:
    """The namespaces, and the processes in them."""

    folder: Path
    mark: str
    stack: contextlib.ExitStack
    running: dict[str, subprocess.Popen] = field(default_factory=dict)

    def name(self, where: str) -> str:
        return f"{where}-{self.mark}"

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAPPER_", "XDG_"))}
        return kept | {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "CAPPER_CONFIG": str(self.folder / "capper.toml"),
            "CAPPER_STATE": str(self.folder / "state"),
            "CAPPER_POLICY": str(self.folder / "policy.toml"),
        }

    def run(self, where: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ip", "netns", "exec", self.name(where), *command],
            capture_output=True, text=True, check=check, timeout=60, env=self.environ, cwd=self.folder,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self, label: str, where: str, *command: str, ready: str = "", **more) -> subprocess.Popen:
        """Start a process in a namespace; with `ready`, wait until its output has a line that begins so."""
        out = self.folder / f"{label}.out"
        with out.open("wb") as file:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.name(where), *command],
                stdout=file, stderr=subprocess.STDOUT, env=self.environ, cwd=self.folder,
                stdin=subprocess.DEVNULL, **more,
            )  # fmt: skip
        self.running[label] = process
        self.stack.callback(end, process)
        if ready:
            wait_for(
                lambda: process.poll() is not None or any(s.startswith(ready) for s in self.said(label).splitlines()),
                60,
                f"{label} is not ready",
            )
            assert process.poll() is None, self.said(label)
        return process

    def said(self, label: str) -> str:
        return (self.folder / f"{label}.out").read_text()

    def capper(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A `capper` command on the gateway."""
        ended = self.run("gateway", *CAPPER, *words, check=False)
        assert not check or ended.returncode == 0, ended.stdout + ended.stderr
        return ended

    def start_capper(self) -> subprocess.Popen:
        return self.start(
            "capper", "gateway", *CAPPER, "run", "--upstream-ca", str(self.folder / "web" / "ca" / "capper-ca.pem"),
            ready="ready: ",
        )  # fmt: skip

    def start_watch(self) -> subprocess.Popen:
        return self.start("watch", "gateway", *CAPPER, "gateway", "watch", ready="on")

    def ask(self, host: str, path: str = "/", *, where: str = "client", **more) -> dict:
        """What a browser gets; `authority` is "web", "capper" or both."""
        if trusted := more.pop("authority", None):
            more["authority"] = str(self.authority(trusted))
        version = more.get("version", 4)
        request = {"host": host, "path": path, "resolver": GATEWAY6 if version == 6 else GATEWAY, **more}
        ended = subprocess.run(
            ["ip", "netns", "exec", self.name(where), sys.executable, str(PEERS), "ask"],
            input=json.dumps(request) + "\n", capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return json.loads(ended.stdout)

    @contextlib.contextmanager
    def browser(self, where: str = "client") -> Iterator[Callable[..., dict]]:
        """One that stays open, so that it asks without delay; it is told addresses (`at`)."""
        with subprocess.Popen(
            ["ip", "netns", "exec", self.name(where), sys.executable, str(PEERS), "ask"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip

            def ask(**request) -> dict:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                return json.loads(process.stdout.readline())

            yield ask

    def enrol(self, **more) -> dict:
        """Load capper's own page, and the picture on it that proves that our certificate is trusted; what the picture gave."""
        page = self.ask("capper.internal", "/device", **{**more, "authority": None})
        proof = re.search(r"https://([0-9a-f]+\.capper\.internal)(/[a-z.]+)", page.get("body", ""))
        assert proof, page
        return self.ask(proof[1], proof[2], **{"authority": "capper", **more})

    def authority(self, which: str) -> Path:
        files = {
            "web": self.folder / "web" / "ca" / "capper-ca.pem",
            "capper": self.folder / "state" / "ca" / "capper-ca.pem",
        }
        if which in files:
            return files[which]
        both = self.folder / "both.pem"
        both.write_text("".join(file.read_text() for file in files.values()))
        return both

    def counted(self) -> dict[str, int]:
        """Packets that each chain's rules have met."""
        listed = json.loads(self.run("gateway", "nft", "-j", "list", "table", "inet", "capper").stdout)["nftables"]
        found: dict[str, int] = {"divert": 0, "quic": 0}
        for rule in (item["rule"] for item in listed if "rule" in item):
            for part in rule["expr"]:
                found[rule["chain"]] += part.get("counter", {}).get("packets", 0)
        return found


def end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def missing() -> str:
    """Why there can be no street here."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    tools = [name for name in ("ip", "nft", "dnsmasq") if not shutil.which(name, path=path)]
    if tools:
        return f"not installed: {', '.join(tools)}"
    probe = f"capper-{secrets.token_hex(3)}"
    if subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode:
        return "this machine lets nobody make network namespaces"
    fit = subprocess.run(
        ["ip", "netns", "exec", probe, "nft", "add table inet capper"], capture_output=True, check=False
    ).returncode
    subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return "the kernel has no nftables" if fit else ""


@pytest.fixture(scope="session")
def namespaces() -> None:
    if reason := missing():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def namespace(namespaces) -> Iterator[str]:
    """A namespace with nothing in it."""
    name = f"capper-{secrets.token_hex(3)}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    yield name
    subprocess.run(["ip", "netns", "del", name], check=True)


@contextlib.contextmanager
def bare(folder: Path) -> Iterator[Street]:
    """Cables, addresses and the web; nothing runs on the gateway but its forwarding."""
    with contextlib.ExitStack() as stack:
        street = Street(folder, secrets.token_hex(3), stack)
        for where in ("client", "guest", "tablet", "gateway", "web"):
            subprocess.run(["ip", "netns", "add", street.name(where)], check=True)
            stack.callback(subprocess.run, ["ip", "netns", "del", street.name(where)], check=False)
            street.run(where, "ip", "link", "set", "lo", "up")
        cable(street, "client", "gateway", "lan0")
        cable(street, "web", "gateway", "wan0")
        for other in ("guest", "tablet"):
            beside(street, "client", other)
        for where, device, *addresses in (
            ("client", "eth0", "192.168.77.20/24", "192.168.77.21/24", "fd77::20/64"),
            ("guest", "eth0", "192.168.77.22/24", "fd77::22/64"),
            ("tablet", "eth0", "192.168.77.23/24", "fd77::23/64"),
            ("gateway", "lan0", f"{GATEWAY}/24", f"{GATEWAY6}/64"),
            # A second network, of which capper.toml says nothing.
            ("client", "eth0", "192.168.78.20/24"),
            ("gateway", "lan0", "192.168.78.1/24"),
            ("gateway", "wan0", "203.0.113.1/24", "2001:db8:1::1/64"),
            (
                "web",
                "eth0",
                *(f"203.0.113.{n}/24" for n in (10, 20, 53)),
                *(f"2001:db8:1::{n}/64" for n in (10, 20, 53)),
            ),
        ):
            for address in addresses:
                more = ("nodad",) if ":" in address else ()
                street.run(where, "ip", "addr", "add", address, "dev", device, *more)
        homes = ((where, GATEWAY, GATEWAY6) for where in ("client", "guest", "tablet"))
        for where, four, six in (*homes, ("web", "203.0.113.1", "2001:db8:1::1")):
            street.run(where, "ip", "route", "add", "default", "via", four)
            street.run(where, "ip", "-6", "route", "add", "default", "via", six)
        street.run("gateway", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        (street.folder / "capper.toml").write_text(PLAIN)
        (street.folder / "policy.toml").write_text(POLICY)
        (street.folder / "ads.txt").write_text("! Title: the ads of this test\n||ads.test^\n@@||optout.ads.test^\n")
        street.start(
            "web", "web", sys.executable, str(PEERS), "serve", str(street.folder / "web"), *ADS, *NEWS, ready="ready"
        )
        named = [
            f"--host-record={host},{four},{six}"
            for host, (four, six) in (
                ("ads.test", ADS), ("cdn.ads.test", ADS), ("news.test", NEWS), ("optout.ads.test", NEWS),
                # Another site at an ad server's address, as on a content network.
                ("shared.test", ADS),
            )
        ]  # fmt: skip
        named.append(f"--host-record=router.ads.test,{GATEWAY}")
        # HTTPS record, RFC 9460: priority 1, no target, alpn=h3.
        svcb = [f"--dns-rr={host},65,000100000100030268 33".replace(" ", "") for host in ("ads.test", "news.test")]
        start_dnsmasq(street, "names", "web", "--no-resolv", "--listen-address=203.0.113.53", *named, *svcb)
        yield street


@pytest.fixture
def bare_street(namespaces, tmp_path) -> Iterator[Street]:
    """A street of one's own, on whose gateway nothing runs yet."""
    with bare(tmp_path) as street:
        yield street


@pytest.fixture(scope="module")
def street(namespaces, tmp_path_factory) -> Iterator[Street]:
    """The household at work: capper, the redirect as `apply` puts it, dnsmasq as generated, and the watchdog."""
    with bare(tmp_path_factory.mktemp("street")) as street:
        street.start_capper()
        street.capper("gateway", "apply", "--dnsmasq", str(street.folder / "dnsmasq.conf"), "--restart", "")
        start_resolver(street)
        street.start_watch()
        for more in ({"source": "192.168.77.20"}, {"source": "192.168.77.21"}, {}, {"version": 6}):
            assert street.enrol(**more)["status"] == 200
        yield street


def start_resolver(street: Street) -> None:
    """dnsmasq on the gateway, as `capper gateway dnsmasq` writes it."""
    start_dnsmasq(
        street, "resolver", "gateway", f"--conf-file={street.folder / 'dnsmasq.conf'}", "--no-resolv",
        "--server=203.0.113.53", f"--listen-address={GATEWAY}", f"--listen-address={GATEWAY6}",
    )  # fmt: skip


def start_dnsmasq(street: Street, label: str, where: str, *options: str) -> None:
    given = options if any("conf-file" in option for option in options) else ("--conf-file=/dev/null", *options)
    street.start(
        label, where, "dnsmasq", "--keep-in-foreground", "--log-facility=-", "--user=root", "--pid-file=", "--no-hosts",
        "--bind-interfaces", "--cache-size=1000", *given, ready="dnsmasq[",
    )  # fmt: skip


def beside(street: Street, one: str, other: str) -> None:
    """Another device on the cable of `one`, with a MAC of its own."""
    link = ["ip", "-n", street.name(one), "link"]
    subprocess.run([*link, "add", "link", "eth0", "name", other, "type", "macvlan", "mode", "bridge"], check=True)
    subprocess.run([*link, "set", other, "netns", street.name(other), "name", "eth0"], check=True)
    street.run(other, "ip", "link", "set", "eth0", "up")


def cable(street: Street, one: str, other: str, name: str) -> None:
    """Join two namespaces: `eth0` here, `name` there."""
    subprocess.run(
        ["ip", "link", "add", "eth0", "netns", street.name(one), "type", "veth",
         "peer", "name", name, "netns", street.name(other)],
        check=True,
    )  # fmt: skip
    street.run(one, "ip", "link", "set", "eth0", "up")
    street.run(other, "ip", "link", "set", name, "up")
