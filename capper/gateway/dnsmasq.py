"""The resolver's share of a transparent router: dnsmasq puts the addresses of chosen hosts into the table's sets.

It also keeps from clients the records that would lead around capper: HTTPS and SVCB records, which offer HTTP/3 and
encrypted names.
"""

from collections.abc import Iterable, Iterator

from capper.gateway.chosen import fewest
from capper.gateway.nftables import OTHERS, SETS, TABLE
from capper.gateway.ours import ADDRESSES, HOST
from capper.gateway.texts import is_host
from capper.recognise.hosts import HostSet

_LONGEST_LINE = 900
"""dnsmasq reads 1024 characters of a line."""

_HEAD = """\
# Written by capper; `capper gateway remove` takes it away. dnsmasq reads it when it starts (2.90 or newer, with nftset).

# Encrypted names (ECH) and HTTP/3 are offered in these records; without them a browser asks as capper can see.
# dnsmasq can only leave them out for all hosts, and pages load just as well without.
filter-rr=HTTPS,SVCB

# capper's own page, by which a device proves that it trusts the certificate. Nothing is at these addresses: connections are redirected.
{ours}

# Browsers that ask a resolver of their own, over HTTPS, are not seen here. To ask Firefox and Apple's relay not to:
#local=/use-application-dns.net/mask.icloud.com/mask-h2.icloud.com/
"""


def dnsmasq_file(hosts: HostSet | None) -> str:
    """The configuration that fills the sets with the addresses of `hosts` and their subdomains, as clients ask for them.

    None means every host.
    """
    if hosts is None:
        return f"{_head()}\nnftset=/#{_target(SETS)}\n"
    few = fewest(hosts)
    parts = [_head(), *_lines(few, SETS)]
    if few.without:
        parts += [
            "",
            "# Left out by a list though a domain above is named; the longer name counts.",
            *_lines(few.without, OTHERS),
        ]
    return "\n".join((*parts, ""))


def _head() -> str:
    return _HEAD.format(ours="\n".join(f"address=/{HOST}/{address}" for address in ADDRESSES))


def _lines(hosts: Iterable[str], sets: tuple[str, str]) -> Iterator[str]:
    target = _target(sets)
    line = ""
    for host in sorted(filter(is_host, hosts)):
        if line and len(line) + len(host) + 1 + len(target) > _LONGEST_LINE:
            yield f"{line}{target}"
            line = ""
        line = f"{line or 'nftset='}/{host}"
    if line:
        yield f"{line}{target}"


def _target(sets: tuple[str, str]) -> str:
    table = TABLE.replace(" ", "#")
    return f"/4#{table}#{sets[0]},6#{table}#{sets[1]}"
