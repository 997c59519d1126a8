"""Capper against plain mitmdump, in one run on one machine, as ratios of interleaved rounds.

    python benchmarks/bench.py [--rounds N] [--scale X] [--only WORD] [--write docs/benchmarks.md]

CPU time is the process's own (user and system, its children's included), read from the kernel, so that the load
generator and the origin, which are processes of their own, do not count. Linux only.
"""

import argparse
import asyncio
import contextlib
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bodies
import certificates
import credit

HERE = Path(__file__).parent
PYTHON = sys.executable
TICKS = os.sysconf("SC_CLK_TCK")
HOST = "localhost"


@dataclass
class Scenario:
    """One row: what is asked for, how often, and over what."""

    name: str
    scheme: str
    path: str
    count: int
    fresh: bool = False


SCENARIOS = [
    Scenario("1 kB object, HTTP", "http", "/1k", 3000),
    Scenario("1 kB object, TLS both sides", "https", "/1k", 3000),
    Scenario("new TLS connection, 1 kB", "https", "/1k", 300, fresh=True),
    Scenario("210 kB page with 10 ads, HTTP", "http", "/page", 600),
    Scenario("210 kB page with 10 ads, TLS", "https", "/page", 600),
    Scenario("210 kB page without ads, HTTP", "http", "/plain-page", 600),
    Scenario("30 kB image, not an ad, HTTP", "http", "/photo.png", 1500),
    Scenario("30 kB image, not an ad, TLS", "https", "/photo.png", 1500),
    Scenario("30 kB image, an ad beyond its cap, HTTP", "http", "/adbanners/banner.png", 1500),
]


def cpu(pid):
    """CPU seconds of a process and all below it, the dead ones it has waited for included."""
    total = 0.0
    for process in (pid, *children(pid)):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / TICKS
    return total


def children(pid):
    """Every process below `pid`."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *children(child)]
    return found


def memory(pid):
    """Resident memory of one process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def free_port():
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(port, process):
    """Seconds until something listens on `port`."""
    import socket

    start = time.perf_counter()
    while time.perf_counter() - start < 60:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return time.perf_counter() - start
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}: see above")
        time.sleep(0.01)
    raise SystemExit("nothing listens after 60 s")


class Proxy:
    """A proxy under test, with the port it listens on and how long that took."""

    def __init__(self, name, command, port, folder):
        self.name, self.port = name, port
        log = (folder / f"{name}.log").open("wb")
        start = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        wait_for(port, self.process)
        self.started = time.perf_counter() - start

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def mitmdump(folder, authority):
    port = free_port()
    command = [str(Path(PYTHON).with_name("mitmdump")), "-q", "--listen-host", "127.0.0.1", "--listen-port", str(port)]
    command += ["--set", f"confdir={folder / 'mitm'}", "--set", f"ssl_verify_upstream_trusted_ca={authority}"]
    return Proxy("mitmdump", command, port, folder)


def capper(folder, authority, ports, lists):
    port = free_port()
    command = [str(Path(PYTHON).with_name("capper")), "run", "--listen", f"127.0.0.1:{port}", "--open", "all"]
    command += ["--state", str(folder / "capper"), "--ledger", "embedded", "--upstream-ca", str(authority)]
    for origin in ports:
        command += ["--resolve", f"{HOST}:{origin}=127.0.0.1:{origin}"]
    for path in lists:
        subprocess.run(
            [command[0], "lists", "add", str(path), "--state", str(folder / "capper")],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return Proxy("capper", command, port, folder)


def trust(folder):
    """A file with the certificates that the proxies sign with, for the client to trust."""
    authorities = [folder / "mitm" / "mitmproxy-ca-cert.pem", folder / "capper" / "ca" / "capper-ca.pem"]
    bundle = folder / "trusted.pem"
    bundle.write_text("".join(path.read_text() for path in authorities))
    return bundle


def load(proxy, scenario, ports, authority, count):
    """One round; CPU milliseconds per request."""
    target = f"{HOST}:{ports[0] if scenario.scheme == 'http' else ports[1]}"
    command = [PYTHON, str(HERE / "load.py"), str(proxy.port), scenario.scheme, target, scenario.path, str(count), "8"]
    command += [str(authority), *(["new"] if scenario.fresh else [])]
    before = cpu(proxy.process.pid)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{proxy.name}, {scenario.name}: {done.stderr}")
    return (cpu(proxy.process.pid) - before) * 1000 / int(done.stdout.split()[2])


def compare(proxies, scenario, ports, authority, rounds, scale):
    """Interleaved rounds, one of each proxy in turn; (medians in ms, ratios capper/mitmdump)."""
    count = max(80, int(scenario.count * scale) // 8 * 8)
    for proxy in proxies:
        load(proxy, scenario, ports, authority, max(80, count // 10))
    figures = {proxy.name: [] for proxy in proxies}
    for _ in range(rounds):
        for proxy in proxies:
            figures[proxy.name].append(load(proxy, scenario, ports, authority, count))
    ratios = [ours / theirs for ours, theirs in zip(figures["capper"], figures["mitmdump"], strict=True)]
    return {name: statistics.median(values) for name, values in figures.items()}, ratios


async def claims(folder, count):
    """Seconds that claims took, and bare INCRs on the same connection in turn with them; both sorted."""
    from capper.domain.cap import Cap
    from capper.domain.decision import prepare
    from capper.domain.policy import Policy, Rule
    from capper.ledger import open_ledger
    from capper.ledger.secret import Secret
    from capper.testing import a_sighting, an_ad

    caps = (
        "3 per creative per day",
        "10 per creative per week",
        "5 per advertiser per day",
        "15 per advertiser per week",
        "1 per advertiser per page",
    )
    policy = Policy(Rule("caps", tuple(map(Cap.parse, caps))))
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    folder.mkdir(exist_ok=True)
    ledger = open_ledger("embedded", Secret.load_or_create(folder / "secret"), folder=folder / "data", deadline=None)
    claimed, bare = [], []
    try:
        for number in range(count + 200):
            sighting = a_sighting(
                an_ad(f"a{number % 500}.example", f"c/{number % 1000}"), occasion=f"o{number}", page=f"p{number}"
            )
            _, claim = prepare(policy, sighting, now + timedelta(seconds=number))
            start = time.perf_counter()
            await ledger.claim("anna", [claim], now + timedelta(seconds=number), policy.session_gap)
            between = time.perf_counter()
            await ledger.link("INCR", "bare")
            end = time.perf_counter()
            claimed.append(between - start)
            bare.append(end - between)
    finally:
        await ledger.close()
    return sorted(claimed[200:]), sorted(bare[200:])


def quantile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def row(*cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def machine():
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown",
    )
    return f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the requests of a full run")
    parser.add_argument("--only", default="", help="scenarios whose name holds this word")
    parser.add_argument(
        "--lists", nargs="*", type=Path, default=[], help="filter lists to load beside the starter lists"
    )
    parser.add_argument("--write", type=Path, help="the page whose table is replaced")
    args = parser.parse_args()
    lines = []

    def say(text=""):
        print(text, flush=True)
        lines.append(text)

    with tempfile.TemporaryDirectory(prefix="capper-bench-") as name:
        folder = Path(name)
        authority, certificate = certificates.make(folder, HOST)
        origin = subprocess.Popen(
            [PYTHON, str(HERE / "origin.py"), str(certificate)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        ports = [int(port) for port in origin.stdout.readline().split()]
        say(f"Machine: {machine()}. {datetime.now(UTC):%Y-%m-%d}, {args.rounds} interleaved rounds.")
        say()
        cold = capper(folder, authority, ports, args.lists)
        cold.stop()
        proxies = [mitmdump(folder, authority), capper(folder, authority, ports, [])]
        fresh = {proxy.name: memory(proxy.process.pid) for proxy in proxies}
        trusted = trust(folder)
        try:
            say(row("CPU per request", "mitmdump, ms", "capper, ms", "ratio min", "median", "max"))
            say("|---|--:|--:|--:|--:|--:|")
            for scenario in SCENARIOS:
                if args.only in scenario.name:
                    medians, ratios = compare(proxies, scenario, ports, trusted, args.rounds, args.scale)
                    ratios = [f"{figure:.2f}" for figure in (min(ratios), statistics.median(ratios), max(ratios))]
                    say(row(scenario.name, *(f"{medians[name]:.2f}" for name in ("mitmdump", "capper")), *ratios))
            after = {proxy.name: memory(proxy.process.pid) for proxy in proxies}
        finally:
            for proxy in proxies:
                proxy.stop()
            origin.communicate()
        say()
        claimed, bare = asyncio.run(claims(folder / "ledger", int(5000 * args.scale)))
        say(row("claim, 5 caps, one ad, unix socket", "p50, us", "p99, us"))
        say("|---|--:|--:|")
        for label, values in (("bare INCR, same connection", bare), ("claim", claimed)):
            say(row(label, f"{quantile(values, 0.5) * 1e6:.0f}", f"{quantile(values, 0.99) * 1e6:.0f}"))
        say(
            row(
                "ratio",
                f"{quantile(claimed, 0.5) / quantile(bare, 0.5):.2f}",
                f"{quantile(claimed, 0.99) / quantile(bare, 0.99):.2f}",
            )
        )
        say()
        say(row("start and memory", "mitmdump", "capper"))
        say("|---|--:|--:|")
        say(row("listening after start, first run (engine built), s", "", f"{cold.started:.2f}"))
        say(row("listening after start, cached engine, s", *(f"{proxy.started:.2f}" for proxy in proxies)))
        say(row("resident memory at start, MB", *(f"{fresh[proxy.name]:.0f}" for proxy in proxies)))
        say(row("resident memory after the load, MB", *(f"{after[proxy.name]:.0f}" for proxy in proxies)))
        say()
        for line in asyncio.run(judged()):
            say(line)
        say()
        for line in credit.table():
            say(line)
    if args.write:
        write(args.write, "\n".join(lines))


async def judged():
    """The table of what judging bodies adds, made in this process."""
    return [line async for line in bodies.table()]


def write(path, table):
    """Put the table between the page's two marks."""
    begin, end = "<!-- figures: begin -->", "<!-- figures: end -->"
    text = path.read_text()
    path.write_text(text[: text.index(begin) + len(begin)] + "\n" + table + "\n" + text[text.index(end) :])


if __name__ == "__main__":
    main()
