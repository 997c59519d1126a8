"""Puts the parts together as the settings say: lists, ledger, policy and journal around one gate."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from capper import recognise, rewrite
from capper.domain.cap import Cap
from capper.domain.decision import Decision, Verdict
from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.domain.identity import Ad, Viewer
from capper.domain.policy import Policy
from capper.gate import Gate, Limits
from capper.gate.observing import Observer
from capper.gate.speaking import Door
from capper.journal import Journal, LedgerSink, Level, Totals
from capper.later import Late, import_now
from capper.ledger import open_ledger
from capper.ledger.base import Ledger
from capper.ledger.secret import Secret
from capper.ledger.tallying import Tallying
from capper.ledger.tickets import Tickets
from capper.policies.following import Following
from capper.recognise import labels, networks
from capper.recognise.enginecache import cached_engines, lists_in_use
from capper.recognise.exclusions import exclusions
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.hosts import HostSet, ad_hosts
from capper.recognise.lists import ListStore
from capper.recognise.optout import OptOuts
from capper.recognise.recogniser import Recogniser
from capper.remembered import FORGOTTEN_AFTER, forget
from capper.rewrite import feeds
from capper.rewrite.auction.layout import Layout, load_layouts
from capper.settings import PolicySource, Settings, policy_file
from capper.settings.closed import YOURS, ClosedHosts, built_in, closed_file
from capper.settings.places import own_policy
from capper.settings.sites import OwnSites
from capper.settings.version import check_state, ready_state
from capper.settings.watch import LOOK

if TYPE_CHECKING:
    from capper.gate.credit import Credit
    from capper.study.recording import Recording

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class RecogniserSource:
    """The recogniser in force; `refresh` builds another when a list in use has changed."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self._state, self._own = settings.state, settings.lists
        self._made_of: tuple[str, ...] = ()
        self.refresh(now)

    def current(self) -> Recogniser:
        """The recogniser in force."""
        return self._recogniser

    def refresh(self, now: datetime) -> bool:
        """Read the lists again, and swap the engines whole if any has changed; returns whether it did. Takes a while."""
        lists = _lists(self._state, self._own)
        made_of = tuple(item.digest for item in lists)
        if made_of == self._made_of:
            return False
        engines = cached_engines(self._state / "lists" / "engines.bin", lists, now)
        engines.warm()
        self._recogniser, self._made_of = Recogniser(engines), made_of
        return True

    def renew(self, now: datetime) -> bool:
        """Fetch the subscriptions that are due, then `refresh`; the only connections that capper makes of its own accord.

        A list that cannot be had keeps its last good copy.
        """
        store = ListStore(self._state)
        try:
            reports = store.update(now) if store.subscriptions() else []
        except ConfigError as exc:
            logger.warning("renew the filter lists: %s", exc)
            reports = []
        for report in reports:
            logger.info("filter list %s: %s", report.name, report.outcome)
        return self.refresh(now)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a gate goes by that was read from files and is the same for every gate of the settings; takes a while to read."""

    recogniser: RecogniserSource
    layouts: Sequence[Layout]
    feeds: Sequence["feeds.Feed"]
    credit: "Late[Credit]"
    """With it comes all that bodies are searched by: what goes by heads alone need not wait for that."""
    optouts: OptOuts

    @classmethod
    def load(cls, settings: Settings, now: datetime) -> Self:
        """Read it.

        Raises:
            ConfigError: a file cannot be used.
        """
        return cls(
            RecogniserSource(settings, now),
            load_layouts(),
            feeds.load_feeds(settings.feeds) if settings.feeds else (),
            Late(partial(_load_credit, settings.state / "credit", now)),
            OptOuts.load(),
        )


def _load_credit(cache: Path, now: datetime) -> "Credit":
    """What looks for credit, once all is there that bodies are searched by."""
    from capper.gate.credit import Credit  # noqa: PLC0415
    from capper.recognise.credit.packfile import words_once  # noqa: PLC0415
    from capper.recognise.credit.scan import compiled_once  # noqa: PLC0415

    _load_search()
    return Credit.load(compiled_once(cache / "scan.bin", now), words_once(cache / "packs.bin", now))


@dataclass(frozen=True, slots=True)
class Assembly:
    """A gate with what it stands on; whoever assembled it closes it."""

    gate: Gate
    ledger: Ledger
    policy: Callable[[], Policy]
    journal: Journal
    recogniser: RecogniserSource
    credit: "Late[Credit]"
    following: Following | None = None
    """How the policy follows the ledger's; None where the policy is not of the settings."""
    recording: "Recording | None" = None
    """Of the studies of this machine."""

    async def warm(self, now: datetime) -> None:
        """Load what the first page would wait for, and with its ads everybody's traffic.

        Nothing is wrong without it; it takes some tenths of a second, once the proxy listens.

        Raises:
            ConfigError: a file that travels with capper cannot be used.
        """
        await self.credit()
        await asyncio.to_thread(warm, now)

    async def keep_watch(self) -> None:
        """Follow the policy's file and the ledger's versions of it while nobody reads, so that the very next page goes by them.

        And forget what was remembered of addresses, so that minutes later the memory says of nobody where she was.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_keep_looking(self.policy))
            tasks.create_task(_keep_forgetting())
            if self.following:
                tasks.create_task(self.following.keep())

    async def close(self) -> None:
        """Write what is waiting, then let go of the ledger."""
        await self.journal.close()
        if self.recording:
            await self.recording.close()
        await self.ledger.close()


async def _keep_looking(policy: Callable[[], Policy]) -> None:
    while True:
        policy()
        await asyncio.sleep(LOOK.total_seconds())


async def _keep_forgetting() -> None:
    while True:
        await asyncio.sleep(FORGOTTEN_AFTER.total_seconds())
        forget()


def policy_source(settings: Settings, now: Callable[[], datetime]) -> PolicySource:
    """The policy in force; while it is the starter policy, the owner's own is looked for."""
    return PolicySource(policy_file(settings), now, successor=None if settings.policy else own_policy())


async def assemble(
    settings: Settings,
    *,
    ledger: Ledger | None = None,
    policy: Callable[[], Policy] | None = None,
    journal: Journal | None = None,
    knowledge: Knowledge | None = None,
    totals: Totals | None = None,
    now: Callable[[], datetime] = utc_now,
    host: str = "",
    observer: Observer | None = None,
) -> Assembly:
    """Everything that `settings` asks for, ready to admit exchanges.

    Args:
        ledger, policy, journal: take the place of those the settings name; a replay brings its own.
        knowledge: what has been loaded already.
        totals: where the journal counts.
        now: the clock; a demonstration or test may turn it.
        host: of each person's own pages, where placeholders lead; left out: nowhere.
        observer: who looks on where no study of this machine does; for a replay.

    Raises:
        ConfigError: a file or option cannot be used.
        LedgerUnavailable: the ledger cannot be opened.
    """
    ready_state(settings.state)
    source: PolicySource | None = None
    if policy is None:
        source = policy_source(settings, now)
        policy = source.current
    if ledger is None:
        ledger = household_ledger(settings)
        knowledge = knowledge or await _meanwhile(ledger, settings, now())
    if knowledge is None:
        knowledge = await asyncio.to_thread(Knowledge.load, settings, now())
    following = await _follow(ledger, source, now) if source else None
    recording = None
    if journal is None:
        tallying = Tallying(ledger, lambda: policy().zone)
        journal = Journal(
            Level(settings.journal_level),
            LedgerSink(ledger),
            tallier=tallying,
            totals=totals,
            chosen=lambda name: policy().chosen_level(name),
        )
        # Nobody's exposures are kept below that, whatever she agreed to.
        if journal.level is Level.RESEARCH:
            from capper.study.recording import Recording  # noqa: PLC0415  hardly any household keeps one

            level_of = journal.level_of
            recording = Recording(settings.state, now, permits=lambda name: level_of(name) >= Level.RESEARCH)
    gate = Gate(
        knowledge.recogniser.current,
        ledger,
        policy,
        journal,
        limits=Limits(settings.max_body, settings.max_decoded),
        language=settings.language,
        layouts=knowledge.layouts,
        feeds=knowledge.feeds,
        credit=knowledge.credit,
        optouts=knowledge.optouts,
        observer=recording or observer,
        door=Door(host, Tickets(Secret.load_or_create(settings.secret_file))) if host else None,
    )
    return Assembly(gate, ledger, policy, journal, knowledge.recogniser, knowledge.credit, following, recording)


async def _meanwhile(ledger: Ledger, settings: Settings, now: datetime) -> Knowledge:
    """What a gate goes by, read while a server of the ledger's own starts on another processor."""
    starting = asyncio.create_task(ledger.health())
    try:
        return await asyncio.to_thread(Knowledge.load, settings, now)
    except ConfigError:
        await ledger.close()
        raise
    finally:
        starting.cancel()


async def _follow(ledger: Ledger, source: PolicySource, now: Callable[[], datetime]) -> Following:
    """Begin with the version in force, where one was applied and the ledger answers."""
    following = Following(ledger.versions, source, now)
    try:
        await following.look()
    except LedgerUnavailable as exc:
        logger.info("%s; whether a policy was applied is not known, until then %s is in force", exc, source.path)
    return following


class ClosedSource:
    """The hosts that are never opened, as lists and the household's own file change: what travels with capper, and what was added."""

    def __init__(self, settings: Settings) -> None:
        self._state, self._named = settings.state, settings.closed
        self._own = OwnSites(closed_file(settings.state))
        self._lists = built_in()
        self._made_of: tuple[str, ...] = ()
        self.refresh()
        self._added, self._all = self._own.current(), self._with(self._own.current())

    def current(self) -> ClosedHosts:
        """The hosts that are closed."""
        own = self._own.current()
        if own is not self._added:
            self._added, self._all = own, self._with(own)
        return self._all

    def refresh(self) -> None:
        """Read the subscribed lists again, where they have changed."""
        try:
            lists = ListStore(self._state).closed()
        except ConfigError as exc:
            logger.warning("the subscribed lists of closed hosts stay as they were: %s", exc)
            return
        made_of = tuple(item.digest for item in lists)
        if made_of != self._made_of:
            found = built_in()
            for item in lists:
                found = found.also(exclusions(item.text), item.name)
            self._lists, self._made_of = found, made_of
            self._all = self._with(self._own.current())

    def _with(self, own: frozenset[str]) -> ClosedHosts:
        yours = dict.fromkeys((*self._named, *own), YOURS)
        return ClosedHosts({**self._lists.hosts, **yours}, self._lists.words) if yours else self._lists


def ad_hosts_in_use(settings: Settings) -> HostSet:
    """The ad-delivery hosts of all lists that `capper run` would use; builds no engines."""
    return ad_hosts(_lists(settings.state, settings.lists))


def _lists(state: Path, own: Sequence[Path]) -> list[FilterList]:
    """The lists that travel with capper, the subscriptions, and the owner's own files."""
    return lists_in_use(state) + [_own_list(path) for path in own]


def _load_search() -> None:
    """Load what bodies are searched for ads by: a quarter of what a start would take."""
    import_now(*recognise.SEARCHING, *rewrite.SEARCHING)
    labels.load_labels()
    networks.packaged_reader()


def warm(now: datetime) -> None:
    """Load what the first ad would wait for: what finds it, the words of every language, and Pillow; takes some tenths of a second."""
    from capper.recognise import picture  # noqa: F401, PLC0415
    from capper.rewrite.wording import LANGUAGES, Speech, words  # noqa: PLC0415

    _load_search()
    told = Decision(Verdict.WITHHOLD, Viewer(), Ad(), "", Cap.parse("1 per day"), 1, now + timedelta(days=30))
    for language in LANGUAGES:
        words(told, Speech(language), now)


def household_ledger(settings: Settings, deadline: timedelta | None = None) -> Ledger:
    """The ledger the settings name, with the secret of their state folder; nothing is connected to before its first call.

    Args:
        deadline: how long a claim may take, if not as long as the settings say.

    Raises:
        ConfigError: its address or the secret cannot be used.
    """
    check_state(settings.state)
    wait = deadline or timedelta(milliseconds=settings.deadline_ms)
    secret = Secret.load_or_create(settings.secret_file)
    return open_ledger(settings.ledger, secret, folder=settings.ledger_folder, deadline=wait)


def _own_list(path: Path) -> FilterList:
    try:
        return FilterList(path.name, path.read_text("utf-8", "replace"), ListKind.ADS)
    except OSError as exc:
        raise ConfigError(f"lists: read {path}: {exc.strerror}") from exc
