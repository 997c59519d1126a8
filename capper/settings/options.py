"""Every option of capper: its key, its default, what it means, and how its value is read from a file, the environment or a command."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from capper.packaged import packaged_config
from capper.settings.names import a_host, a_language
from capper.settings.places import state_dir
from capper.settings.reader import a_choice, a_text, an_integer, near, spell_value

MIB = 1024 * 1024
_SIZES = {"": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 1000**2, "mib": MIB}
MODES = ("regular", "transparent", "socks5", "upstream", "wireguard", "local", "tun")
LEDGERS = ("embedded", "memory")
LEDGER_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
_SHORTEST = {4: 16, 6: 32}
"""A public prefix shorter than this is no household's."""

Network = IPv4Network | IPv6Network


class Open(StrEnum):
    """Which TLS connections are opened: those that may carry ads, or all (for demonstrations and tests)."""

    ADS = "ads"
    ALL = "all"


class Enrolment(StrEnum):
    """When a device's connections are opened: once it has proven that it trusts capper's certificate, or on trial."""

    PROOF = "proof"
    TRIAL = "trial"


class Log(StrEnum):
    """How the log is written: for a person, or a JSON object a line for programs."""

    TEXT = "text"
    JSON = "json"


class Address(NamedTuple):
    """A host and a port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `capper run` needs to know; `OPTIONS` says what each key means.

    `policy` is None where the owner named none and has none at the usual place: the starter policy then holds.
    `ledger` and `proxy_auth` may hold passwords and are left out of `repr`.
    """

    listen: Address = Address("127.0.0.1", 8080)  # noqa: RUF009  immutable
    mode: tuple[str, ...] = ("regular",)
    lan: tuple[Network, ...] = ()
    proxy_auth: str = field(default="", repr=False)
    workers: int = 1
    policy: Path | None = None
    language: str = "en"
    ledger: str = field(default="embedded", repr=False)
    deadline_ms: int = 50
    state: Path = field(default_factory=state_dir)
    journal_level: int = 2
    lists: tuple[Path, ...] = ()
    open: Open = Open.ADS
    sites: tuple[str, ...] = ()
    credit_sites: bool = True
    closed: tuple[str, ...] = ()
    enrolment: Enrolment = Enrolment.PROOF
    feeds: tuple[str, ...] = ()
    max_body: int = 8 * MIB
    max_decoded: int = 16 * MIB
    leases: tuple[Path, ...] = ()
    upstream_ca: Path | None = None
    dashboard: Address | None = None
    log: Log = Log.TEXT
    resolve: Mapping[str, str] = field(default_factory=dict)

    @property
    def secret_file(self) -> Path:
        """The household's secret, without which nothing in the ledger can be found or read."""
        return self.state / "secret"

    @property
    def ledger_folder(self) -> Path:
        """Where the embedded ledger lives."""
        return self.state / "ledger"


class Option(NamedTuple):
    """One key: how its value is read (given the folder that a relative path starts from), and what it means.

    `words` turns the text of an environment variable into the value a file would hold.
    """

    read: Callable[[object, Path], object]
    help: str
    example: str
    words: Callable[[str], object] = str


def an_address(value: object, _: Path) -> Address:
    """`127.0.0.1:8080`, `[::1]:8080`, or a port alone on this machine."""
    expected = 'an address like "127.0.0.1:8080"'
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text = a_text(value, expected)
    host, _colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]") or ("127.0.0.1" if host == _colon else "0.0.0.0")  # noqa: S104
    if not (port.isascii() and port.isdigit() and int(port[:6]) < 65536) or (":" in bare and host == bare):
        raise ValueError(f"expected {expected}, found {spell_value(value)}")
    if not re.fullmatch(r"[0-9A-Za-z.:%_-]+", bare):
        raise ValueError(f"expected {expected}, found {spell_value(value)}")
    return Address(bare, int(port))


def no_address(value: object, base: Path) -> Address | None:
    """The same, or empty text for none."""
    return None if value == "" else an_address(value, base)


def a_mode(value: object) -> str:
    """A mode of mitmproxy's, with what follows its colon: `regular`, `wireguard:anna.conf@51821`."""
    text = a_text(value, f"a mode ({', '.join(MODES)})")
    name = text.partition(":")[0].partition("@")[0].casefold()
    if name not in MODES:
        raise ValueError(f"expected a mode ({', '.join(MODES)}), found {spell_value(value)}{near(name, MODES)}")
    return text


def a_network(value: object) -> Network:
    """An address range of the household's: `192.168.1.0/24`."""
    expected = 'an address range like "192.168.1.0/24"'
    text = a_text(value, expected)
    try:
        network = ipaddress.ip_network(text)
    except ValueError as exc:
        raise ValueError(f"expected {expected}, found {spell_value(value)} ({exc})") from exc
    if not network.is_private and network.prefixlen < _SHORTEST[network.version]:
        raise ValueError(f'"{text}" is far more than a household; name the range of your own network')
    return network


def a_site(value: object) -> str:
    """A site by its host: `news.example`; a URL of it will do."""
    expected = 'a site like "news.example"'
    text = a_text(value, expected)
    return a_host(text.partition("://")[2].partition("/")[0] if "://" in text else text, expected, value)


def a_flag(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {spell_value(value)}")  # noqa: TRY004  told with the rest
    return value


def known_feeds() -> tuple[str, ...]:
    """The feeds of which it is known how they look, by name."""
    names = {file.stem for file in (packaged_config() / "feeds").glob("*.toml")}
    return (*sorted(names - {"any"}), *(names & {"any"}))


def a_feed(value: object) -> str:
    """A feed by its name: `x`."""
    known = known_feeds()
    expected = f"a feed ({', '.join(known)})"
    name = a_text(value, expected).casefold()
    if name not in known:
        raise ValueError(f"expected {expected}, found {spell_value(value)}{near(name, known)}")
    return name


def a_ledger(value: object, base: Path) -> str:
    """`embedded`, `embedded:FOLDER`, `memory` or the URL of a Redis or Valkey."""
    expected = f'"{LEDGERS[0]}", "{LEDGERS[1]}" or a URL like "redis://localhost:6379/0"'
    text = a_text(value, expected)
    scheme, colon, rest = text.partition(":")
    word = scheme.casefold()
    if word == "embedded":
        return f"embedded:{a_path(rest, base)}" if rest else word
    if word in LEDGERS and not rest:
        return word
    if word not in LEDGER_SCHEMES or not rest.startswith("//"):
        known = LEDGER_SCHEMES if colon else LEDGERS
        raise ValueError(f"expected {expected}, found {spell_value(redacted(text))}{near(scheme, known)}")
    return word + colon + rest


def a_size(value: object, _: Path) -> int:
    """A number of bytes: `8388608` or `8 MiB`."""
    expected = 'a size like "8 MiB"'
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text = a_text(value, expected)
    found = re.fullmatch(r"(\d{1,12})\s*([A-Za-z]*)", text, re.ASCII)
    if not found or found[2].casefold() not in _SIZES:
        raise ValueError(f"expected {expected}, found {spell_value(value)}")
    size = int(found[1]) * _SIZES[found[2].casefold()]
    if not 1024 <= size <= 1024 * MIB:
        raise ValueError(f"expected a size from 1 KiB to 1024 MiB, found {spell_value(value)}")
    return size


def a_path(value: object, base: Path) -> Path | None:
    """A path; `~` is the home folder, and a relative one starts from `base`. Empty text means none."""
    if isinstance(value, str | Path) and not str(value).strip():
        return None
    text = str(value) if isinstance(value, Path) else a_text(value, "a path in quotes")
    if "\0" in text:
        raise ValueError(f"expected a path, found {spell_value(text)}")
    return base / Path(text).expanduser()


def an_auth(value: object, base: Path) -> str:
    """`NAME:PASSWORD`, or `@FILE` with an htpasswd file."""
    if value == "":
        return ""
    text = a_text(value, '"NAME:PASSWORD" or "@FILE"')
    if text.startswith("@"):
        return f"@{a_path(text[1:], base)}"
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        # What was found is not repeated: it may be half a password.
        raise ValueError('expected "NAME:PASSWORD" or "@FILE" with an htpasswd file')
    return text


def a_resolve(value: object, _: Path) -> dict[str, str]:
    """A table of hosts and the address (and port) each is found at."""
    if not isinstance(value, Mapping):
        raise ValueError(  # noqa: TRY004  told with the file's other errors
            f'expected a table of hosts like "news.example" = "127.0.0.1:9001", found {spell_value(value)}'
        )
    return {a_host(host): _an_endpoint(where) for host, where in value.items()}


def _an_endpoint(value: object) -> str:
    text = a_text(value, 'an address like "127.0.0.1:9001"')
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        return str(an_address(text, Path()))


def many[T](read: Callable[[object], T]) -> Callable[[object, Path], tuple[T, ...]]:
    """A reader of a list, or of one value as a list of one."""

    def read_all(value: object, _: Path) -> tuple[T, ...]:
        return tuple(dict.fromkeys(read(item) for item in _listed(value)))

    return read_all


def _paths(value: object, base: Path) -> tuple[Path, ...]:
    return tuple(path for item in _listed(value) if (path := a_path(item, base)))


def _modes(value: object, base: Path) -> tuple[str, ...]:
    modes = many(a_mode)(value, base)
    if not modes:
        raise ValueError('expected at least one mode, like "regular"')
    return modes


def _listed(value: object) -> list[object]:
    if isinstance(value, Mapping):
        raise ValueError(f"expected a list, found {spell_value(value)}")  # noqa: TRY004  told with the rest
    return list(value) if isinstance(value, list | tuple) else [value]


def _alone(read: Callable[[object], object]) -> Callable[[object, Path], object]:
    return lambda value, _: read(value)


def _commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> object:
    return int(text) if re.fullmatch(r"\d{1,15}", text.strip(), re.ASCII) else text


def _truth(text: str) -> object:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
        text.strip().lower(), text
    )


def _pairs(text: str) -> dict[str, str]:
    return {host.strip(): where.strip() for host, _, where in (part.partition("=") for part in _commas(text))}


OPTIONS: dict[str, Option] = {
    "listen": Option(
        an_address,
        "Where the proxy listens. Anything but this machine's own loopback needs `lan` or `proxy_auth`, so that nobody"
        " outside the household can use it.",
        '"192.168.1.2:8080"',
    ),
    "mode": Option(
        _modes,
        "How clients reach it, as mitmproxy's modes: regular (an ordinary proxy), transparent, socks5,"
        " wireguard:FILE@PORT (one per person), upstream:URL (through another proxy). Several may run at once.",
        '["regular", "wireguard:anna.conf@51821"]',
        _commas,
    ),
    "lan": Option(
        many(a_network),
        "The address ranges of the household: clients from elsewhere are refused.",
        '["192.168.1.0/24", "fd00:1234::/64"]',
        _commas,
    ),
    "proxy_auth": Option(
        an_auth,
        'What a browser must give to use the proxy: "NAME:PASSWORD", or "@FILE" with an htpasswd file. The name is the'
        " device `user:NAME` of the policy.",
        '"@capper.htpasswd"',
    ),
    "workers": Option(
        _alone(an_integer(1, 64)),
        "How many processes share the work, on Linux; at most one for each processor. All connections of a device go to the"
        " same one, and the ledger counts for all. One is enough for a household (docs/deploy.md).",
        "4",
        _number,
    ),
    "policy": Option(
        a_path,
        "The policy file. Empty means policy.toml in the configuration folder, or the starter policy where there is none."
        " It is read again whenever it changes.",
        '"policy.toml"',
    ),
    "language": Option(
        _alone(a_language), "The language of placeholders for people of whom the policy names none.", '"nl"'
    ),
    "ledger": Option(
        a_ledger,
        "Where sightings are counted: embedded (a Valkey of our own, kept in the state folder, or in FOLDER: embedded:FOLDER), memory (forgotten at the"
        " end), or the URL of a Redis >= 7.0 or Valkey >= 8: redis://, rediss://, unix://, redis+sentinel://,"
        " redis+cluster://.",
        '"rediss://:PASSWORD@ledger.example:6380/0"',
    ),
    "deadline_ms": Option(
        _alone(an_integer(1, 10_000)),
        "How long, in milliseconds, the ledger may take to answer before the ad is simply shown.",
        "50",
        _number,
    ),
    "state": Option(
        a_path,
        "The folder for the ledger, its secret, the certificate authority and the lists. Empty means the system's usual"
        " place for such files.",
        '"/var/lib/capper"',
    ),
    "journal_level": Option(
        _alone(an_integer(0, 3)),
        "What is remembered of decisions: 0 nothing, 1 counts, 2 each person's own decisions for 24 hours, readable by"
        " that person, 3 research (for people who agreed to it).",
        "1",
        _number,
    ),
    "lists": Option(
        _paths,
        "Files with filter rules of your own, besides the lists that `capper lists` looks after.",
        '["my-rules.txt"]',
        _commas,
    ),
    "open": Option(
        _alone(a_choice(Open)),
        "Which TLS connections are opened: ads (hosts that deliver ads, and the sites below) or all (for demonstrations and"
        " tests). What is not opened is not seen.",
        '"all"',
    ),
    "sites": Option(
        many(a_site),
        "Sites whose own pages are opened too, each with its subdomains, so that ads which are part of them are counted and"
        " capped. What is not named here, and delivers no ads, is not seen.",
        '["news.example", "weather.example"]',
        _commas,
    ),
    "credit_sites": Option(
        _alone(a_flag),
        "Whether the shops and pay-later services that are known for credit nobody asked for (config/credit/sites.toml)"
        " are opened too, so that it can be taken out of their pages; none of them is where the policy leaves it to"
        " everybody. Banks, health and government are not among them. `capper sites` is for those of your own.",
        "false",
        _truth,
    ),
    "closed": Option(
        many(a_site),
        "Hosts that are never opened, each with its subdomains, besides banks, government, health and others"
        " (config/closed.toml) and the lists of such hosts that `capper lists` looks after. A host of `sites` is opened all the same.",
        '["money.example"]',
        _commas,
    ),
    "enrolment": Option(
        _alone(a_choice(Enrolment)),
        "When the connections of a device are opened: proof (once it has loaded http://capper.internal/ and trusts the certificate;"
        " until then everything passes through) or trial (each is tried once, and the first ad of a guest's does not load). This"
        " machine itself is tried.",
        '"trial"',
    ),
    "feeds": Option(
        many(a_feed),
        f"Feeds in which posts that somebody has paid for are counted and capped, by name: {', '.join(known_feeds())} (other"
        " sites, by common names). None unless named here: what is taken out of a feed has no runner-up, and these formats"
        " change without notice. The sites themselves must be opened too (`sites`).",
        '["x", "any"]',
        _commas,
    ),
    "max_body": Option(
        a_size, "A response larger than this, as it comes over the wire, passes untouched.", '"4 MiB"', _number
    ),
    "max_decoded": Option(a_size, "A response that unpacks to more than this passes untouched.", '"8 MiB"', _number),
    "leases": Option(
        _paths,
        "Files in which a DHCP server (dnsmasq, ISC, Kea, odhcpd) writes down its leases, besides those at the usual places. With"
        " the system's neighbour table they tell which device an address belongs to.",
        '["/srv/router/dhcp.leases"]',
        _commas,
    ),
    "upstream_ca": Option(
        a_path,
        "A file of certificates (PEM) to trust for websites, besides the usual authorities.",
        '"/etc/ssl/company.pem"',
    ),
    "dashboard": Option(
        no_address,
        "Where the owner's own pages are served (health, people, lists, policy; /metrics and /healthz with them); empty"
        " serves none. Anywhere but on this machine's own loopback they ask for the token in the state folder's"
        " dashboard.token. Each person's pages are at http://capper.internal/ through the proxy in any case.",
        '"127.0.0.1:8081"',
    ),
    "log": Option(
        _alone(a_choice(Log)),
        "How what goes to standard error is written: text for a person, or json, an object on each line.",
        '"json"',
    ),
    "resolve": Option(
        a_resolve,
        "Hosts to be found at an address of your choice, even on this machine, which the proxy otherwise refuses to"
        " connect to. For demonstrations and tests.",
        '{ "news.example" = "127.0.0.1:9001" }',
        _pairs,
    ),
}
"""Every key of capper.toml, in its order. CAPPER_KEY in the environment sets the same."""


def redacted(url: str) -> str:
    """A ledger's URL without its password."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return url.partition("://")[0] + "://..."
    return url.replace(f":{password}@", ":***@", 1) if password else url
