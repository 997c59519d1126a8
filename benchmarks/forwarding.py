"""What the redirect of a transparent router costs traffic that is not redirected: the processor's time for 64 kB.

    sudo python -m benchmarks.forwarding [--pairs N]

Three network namespaces: a client, a router, the web. Sending 64 kB takes them through the router to where they are read, all on
the processor that sends, so that the time of one call is that of the whole way. Of 200 calls a tenth is faster than the figure:
those that nobody else on the machine held up. With and without the redirect in turn, on a router that masquerades and on one
that tracks no connections of its own.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from statistics import median

from capper.gateway.nftables import Redirect, lease, removal, table

CLIENT, INSIDE, OUTSIDE, WEB = "192.168.77.20", "192.168.77.1", "203.0.113.1", "203.0.113.20"
PORT = 5000
REDIRECT = table(Redirect(8081, (ip_network("192.168.77.0/24"),))) + lease(None)
MASQUERADE = (
    'table ip household { chain out { type nat hook postrouting priority srcnat; oifname "wan0" masquerade; }; }'
)
READS = f"""
import socket
server = socket.create_server(("{WEB}", {PORT})); print("ready", flush=True)
peer, buffer = server.accept()[0], bytearray(1 << 20)
while peer.recv_into(buffer): pass
"""
SENDS = f"""
import array, fcntl, json, socket, sys, termios, time
peer, block, unread = socket.create_connection(("{WEB}", {PORT})), bytes(65536), array.array("i", [0])
peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
def waiting():
    fcntl.ioctl(peer, termios.TIOCOUTQ, unread)
    return unread[0]
for _ in sys.stdin:
    took = []
    while len(took) < 200:
        while waiting(): time.sleep(0)
        began = time.perf_counter_ns(); peer.send(block); took.append(time.perf_counter_ns() - began)
    print(json.dumps(sorted(took)[20]), flush=True)
"""


class Router:
    """The namespaces, joined."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack, self.mark = stack, secrets.token_hex(3)
        for where in ("client", "router", "web"):
            subprocess.run(["ip", "netns", "add", self.name(where)], check=True)
            stack.callback(subprocess.run, ["ip", "netns", "del", self.name(where)], check=False)
        self.join("client", CLIENT, "lan0", INSIDE)
        self.join("web", WEB, "wan0", OUTSIDE)
        self.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def name(self, where: str) -> str:
        return f"{where}-{self.mark}"

    def command(self, where: str, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name(where), *words]

    def run(self, where: str, *words: str, told: str = "") -> None:
        subprocess.run(self.command(where, *words), input=told, text=True, check=True)

    def join(self, where: str, address: str, device: str, router: str) -> None:
        subprocess.run(
            ["ip", "link", "add", "eth0", "netns", self.name(where), "type", "veth",
             "peer", "name", device, "netns", self.name("router")],
            check=True,
        )  # fmt: skip
        for place, name, own in ((where, "eth0", address), ("router", device, router)):
            self.run(place, "ip", "addr", "add", f"{own}/24", "dev", name)
            self.run(place, "ip", "link", "set", name, "up")
        self.run(where, "ip", "route", "add", "default", "via", router)

    def start(self, where: str, program: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            self.command(where, sys.executable, "-c", program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process


@contextmanager
def router() -> Iterator[Router]:
    """One of one's own, gone afterwards."""
    with ExitStack() as stack:
        yield Router(stack)


def asked(process: "subprocess.Popen[str]") -> int:
    """The nanoseconds of one more round."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    return int(json.loads(process.stdout.readline()))


def measured(pairs: int, *, masquerading: bool) -> str:
    """A line of figures."""
    took: dict[bool, list[int]] = {True: [], False: []}
    with router() as street:
        if masquerading:
            street.run("router", "nft", "-f", "-", told=MASQUERADE)
        reader = street.start("web", READS)
        assert reader.stdout
        reader.stdout.readline()
        sender = street.start("client", SENDS)
        asked(sender)
        for pair in range(pairs):
            for redirecting in ((True, False), (False, True))[pair % 2]:
                street.run("router", "nft", "-f", "-", told=REDIRECT if redirecting else removal())
                took[redirecting].append(asked(sender))
    ratios = sorted(without / redirected for without, redirected in zip(took[False], took[True], strict=True))
    # A median's 95 % by the ranks around it.
    reach = int(0.98 * pairs**0.5)
    low, high = ratios[max(pairs // 2 - reach, 0)], ratios[min(pairs // 2 + reach, pairs - 1)]
    without, redirected = (median(took[each]) / 1000 for each in (False, True))
    return f"{without:.1f} us without, {redirected:.1f} us with: {median(ratios):.3f} ({low:.3f} to {high:.3f}) times as fast"


def main() -> None:
    """Measure both routers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=40)
    pairs = parser.parse_args().pairs
    if os.geteuid():
        sys.exit("only root makes network namespaces")
    print("a router that masquerades:", measured(pairs, masquerading=True))
    print("a router that does not:   ", measured(pairs, masquerading=False))


if __name__ == "__main__":
    main()
