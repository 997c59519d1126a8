"""The redirect of a transparent router, as input of `nft -f`: one table of our own, so that deleting it undoes everything.

1. dnsmasq fills `ads4` and `ads6` with the addresses of chosen hosts. Packets to any other address meet one set look-up
   and stay in the kernel.
2. TCP to those addresses is redirected to capper, and UDP 443 is rejected so that browsers fall back to TCP, but only
   for ports in `redirected`, whose entries run out by themselves unless the watchdog renews them.
3. Only forwarded packets are looked at: what capper itself sends is never redirected, so there is no loop.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from capper.gateway.ours import ADDRESSES
from capper.gateway.texts import checked_interface

TABLE = "inet capper"
SETS = ("ads4", "ads6")
OTHERS = ("others4", "others6")
"""Where dnsmasq puts hosts that lists leave out below a chosen domain; no rule looks there."""
PORTS = (80, 443)
_KEPT = "1d"
_MOST = 65535

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Redirect:
    """Whose traffic is redirected where: the household's networks, perhaps only on some interfaces, to capper's port."""

    port: int
    lan: tuple[Network, ...]
    interfaces: tuple[str, ...] = ()


def table(redirect: Redirect) -> str:
    """The table, asleep: it redirects nothing until `lease` says so. Applying it again keeps the addresses in its sets.

    Raises:
        ValueError: an interface has no interface's name.
    """
    lines = [
        f"add table {TABLE}",
        *(_address_set(name, _KEPT) for name in SETS),
        *(_address_set(name, "1s") for name in OTHERS),
        f"add set {TABLE} redirected {{ type inet_service; flags timeout; }}",
        f"add chain {TABLE} divert {{ type nat hook prerouting priority dstnat; policy accept; }}",
        f"add chain {TABLE} quic {{ type filter hook forward priority filter - 1; policy accept; }}",
        f"flush chain {TABLE} divert",
        f"flush chain {TABLE} quic",
        # A name may be made to point at the router itself; its own pages stay its own.
        f"add rule {TABLE} divert fib daddr type local return",
        *_rules(redirect),
    ]
    return "\n".join(
        ("# Written by capper. Remove it with `capper gateway remove`, or: nft delete table inet capper", *lines, "")
    )


def _address_set(name: str, kept: str) -> str:
    kind = "ipv4_addr" if name.endswith("4") else "ipv6_addr"
    return f"add set {TABLE} {name} {{ type {kind}; flags timeout; timeout {kept}; size {_MOST}; }}"


def _rules(redirect: Redirect) -> Iterable[str]:
    names = ", ".join(f'"{checked_interface(name)}"' for name in redirect.interfaces)
    where = f"iifname {{ {names} }} " if names else ""
    for version, family, ads in ((4, "ip", SETS[0]), (6, "ip6", SETS[1])):
        # capper refuses clients from elsewhere, so they must not be sent to it.
        nets = [net for net in redirect.lan if net.version == version]
        if not nets:
            continue
        people = f"{{ {', '.join(map(str, collapse_addresses(nets)))} }}"  # type: ignore[type-var]
        whose = f"{family} daddr @{ads} {family} saddr {people}"
        yield f"add rule {TABLE} divert {where}{whose} tcp dport @redirected counter redirect to :{redirect.port}"
        ours = f"{where}{family} daddr {ADDRESSES[version == 6]} {family} saddr {people}"
        yield f"add rule {TABLE} divert {ours} tcp dport @redirected redirect to :{redirect.port}"
        # Every forwarded packet comes by here, and most are none of UDP 443.
        quic = f"udp dport 443 {where}{whose} udp dport @redirected"
        yield f"add rule {TABLE} quic {quic} counter reject with icmpx type port-unreachable"


def lease(seconds: int | None) -> str:
    """Let the redirect work for so many seconds from now, however often it is asked; None means until it is revoked."""
    until = "" if seconds is None else f" timeout {seconds}s"
    add = f"add element {TABLE} redirected {{ {', '.join(f'{port}{until}' for port in PORTS)} }}"
    delete = f"delete element {TABLE} redirected {{ {', '.join(map(str, PORTS))} }}"
    # An element that is there keeps its old time: it has to go first, and what is not there cannot be deleted.
    return f"{add}\n{delete}\n{add}\n"


def revoke() -> str:
    """Let all traffic go straight out at once; the addresses in the sets stay for when the redirect comes back."""
    return f"flush set {TABLE} redirected\n"


def removal() -> str:
    """Take everything away; it is no error if nothing is there."""
    return f"add table {TABLE}\ndelete table {TABLE}\n"
