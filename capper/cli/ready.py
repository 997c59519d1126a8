"""What `capper run` says once it is ready: what to do next, for a person, and a last line for scripts."""

import contextlib
import sys
from collections.abc import Iterable, Iterator

from capper.assembly import Assembly
from capper.cli.tables import print_text
from capper.domain.errors import ConfigError
from capper.gateway.ours import HOST
from capper.proxy.listening import Listening
from capper.settings import Address, Open, Settings, first_words, policy_file
from capper.settings.options import redacted
from capper.settings.sites import known_sites, read_sites, sites_file


def tell(settings: Settings, listening: Listening, hosts: int, policy: str, more: Iterable[tuple[str, str]]) -> None:
    """Say it.

    Args:
        hosts: how many ad-delivery hosts are opened.
        policy: the policy in force, in words.
        more: further rows, each with its name.
    """
    from capper.proxy.addresses import local_address  # noqa: PLC0415
    from capper.proxy.authority import authority_file  # noqa: PLC0415

    host, port = listening.addresses[0] if listening.ways else (settings.listen.host, settings.listen.port)
    reachable = local_address() if host in {"0.0.0.0", "::"} else host  # noqa: S104  compared, not listened on
    rows = [
        *_ways_in(listening, reachable),
        ("certificate", f"{authority_file(settings.state)}: install it there too, as an authority for websites"),
        (
            "then open",
            f"http://{HOST}/ in each browser: it gives the certificate, proves that it is trusted, and then is your dashboard",
        ),
        (
            "opened",
            "every site (--open all)"
            if settings.open is Open.ALL
            else f"{', '.join((f'{hosts} ad hosts', *_sites(settings)))}; the rest unread",
        ),
        ("policy", policy),
        ("ledger", redacted(settings.ledger)),
        *more,
        *((f"for {name}", f"{file}: import it in the WireGuard app") for name, file in listening.files),
    ]
    print_text(*(f"{name:<12} {what}" for name, what in rows))
    print_text(f"ready: http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}")
    sys.stdout.flush()


def policy_in_words(settings: Settings, assembly: Assembly) -> str:
    """Which policy is in force, for a person to find it."""
    version = assembly.following and assembly.following.source.version
    if version:
        return f"version {version}, as it was applied: capper policy history"
    return first_words(settings) or str(policy_file(settings))


def _ways_in(listening: Listening, host: str) -> list[tuple[str, str]]:
    """For each kind of listener that a person must do something about, what."""
    rows = []
    if proxy := listening.address_of("regular", "upstream", "socks5"):
        what = f"{host}, port {proxy[1]}: set it for HTTP and HTTPS in the browser's or phone's network settings"
        rows.append(("proxy", what))
    if proxy := listening.address_of("regular"):
        what = (
            f"http://{Address(host, proxy[1])}/proxy.pac as the address of automatic configuration: only ads come here"
        )
        rows.append(("or instead", what))
    if listener := listening.address_of("transparent"):
        rows.append(("redirected", f"port {listener[1]}: `capper gateway watch` sends connections to ad hosts there"))
    return rows


def _sites(settings: Settings) -> Iterator[str]:
    """What is opened besides ad hosts, for a person to read."""
    if settings.credit_sites:
        yield f"{len(known_sites().sites)} sites known for credit prompts"
    yield from settings.sites
    yield from _own_sites(settings)


def _own_sites(settings: Settings) -> tuple[str, ...]:
    with contextlib.suppress(ConfigError):  # the log has said what is wrong with it
        return read_sites(sites_file(settings.state))
    return ()
