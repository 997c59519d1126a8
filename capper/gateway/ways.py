"""What the settings say about the ways in: the listener for redirected connections, and where a browser finds the proxy."""

import contextlib
from collections.abc import Callable
from typing import Final

from capper.domain.errors import ConfigError
from capper.gateway.chosen import chosen_hosts
from capper.gateway.nftables import Redirect
from capper.gateway.opened import Chooser
from capper.recognise.hosts import HostSet
from capper.settings import Open, Settings
from capper.settings.closed import ClosedHosts, silent
from capper.settings.options import Address
from capper.settings.sites import KnownSites, known_sites, read_sites, sites_file

_ANY: Final = ("0.0.0.0", "::", "")  # noqa: S104  compared, not listened on


def sites_for(settings: Settings) -> tuple[str, ...]:
    """The sites whose pages are opened: those of the settings, the person's own, and those known for credit prompts."""
    own: tuple[str, ...] = ()
    with contextlib.suppress(ConfigError):  # `capper sites` says what is wrong with the file
        own = read_sites(sites_file(settings.state))
    return (*settings.sites, *own, *(known_sites().sites if settings.credit_sites else ()))


def hosts_for(settings: Settings, ads: HostSet, closed: ClosedHosts | None = None) -> HostSet | None:
    """The hosts whose traffic is to come to capper, less what stays `closed`; None where the settings say all of them."""
    return None if settings.open is Open.ALL else chosen_hosts(ads, sites_for(settings), closed, silent())


def chooser_for(
    settings: Settings,
    ads: Callable[[], HostSet],
    closed: Callable[[], ClosedHosts],
    own: Callable[[], frozenset[str]],
    wanted: Callable[[str], bool],
) -> Chooser:
    """What decides which connections are opened, as the settings say; the other sets as they are when it is asked."""
    known = known_sites() if settings.credit_sites else KnownSites()
    return Chooser(ads, closed, frozenset(settings.sites), own, known, wanted, silent())


def transparent_listener(settings: Settings) -> Address:
    """Where redirected connections arrive.

    Raises:
        ConfigError: the settings have no such listener.
    """
    for mode in settings.mode:
        if mode.partition("@")[0].casefold() == "transparent":
            return _listens_at(mode, settings.listen)
    raise ConfigError(
        "there is no listener for redirected connections: add one to `mode` in capper.toml,"
        ' like mode = ["regular", "transparent@:8081"]'
    )


def _listens_at(mode: str, usual: Address) -> Address:
    """What follows the last `@` of a mode: `8081`, `192.168.1.2:8081`, `:8081` for every address; else as usual."""
    head, at, where = mode.rpartition("@")
    if not (head and at):
        return usual
    host, colon, port = where.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ConfigError(f"mode {mode!r}: expected a port after the @, like transparent@:8081")
    return Address(host if colon else usual.host, int(port))


def redirect_for(settings: Settings, interfaces: tuple[str, ...]) -> Redirect:
    """The redirect that suits the settings.

    Raises:
        ConfigError: there is no listener for redirected connections, or no network whose devices it serves.
    """
    listener = transparent_listener(settings)
    if not settings.lan:
        raise ConfigError(
            'nobody may use the transparent listener: name the household\'s networks in capper.toml, like lan = ["192.168.1.0/24"]'
        )
    return Redirect(listener.port, settings.lan, interfaces)


def near_side(listener: Address) -> Address:
    """The listener as this machine itself reaches it."""
    if listener.host in _ANY:
        return Address("::1" if listener.host == "::" else "127.0.0.1", listener.port)
    return listener
