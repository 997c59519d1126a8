"""The way to a Redis or Valkey server, in any of the forms such a server is reached. The only importer of redis-py."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from itertools import chain
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, RedisError, ResponseError

from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.ledger import SILENCE

_ONCE = Retry(NoBackoff(), 0)
"""Trying again, and when, is for Line and the guard to say; redis-py would wait for seconds."""


class ScriptForgotten(LedgerUnavailable):
    """The server does not know a script by its digest: it was restarted, or another took its place."""


class Link(Protocol):
    """A way to a server: what the ledger needs of one."""

    place: str
    """Where it leads, fit for a log."""
    sharded: bool
    """Whether keys are on several nodes, so that one command can only speak of those that share a hash tag."""

    def __call__(self, *command: str | bytes) -> Coroutine[Any, Any, Any]:
        """Run one command. Raises LedgerUnavailable, of which ScriptForgotten is one."""
        ...

    def send(self, packed: bytes, key: bytes) -> Coroutine[Any, Any, Any]:
        """The same for one that is in RESP already; `key` is one of its keys, or holds their hash tag at least."""
        ...

    def scan(self, pattern: bytes) -> AsyncIterator[list[bytes]]:
        """Every key that fits `pattern`, in portions; a key may come twice."""
        ...

    def listen(self, channel: bytes, every: float) -> AsyncGenerator[bool]:
        """True once the channel is subscribed to and at each message there; False after each `every` seconds of silence.

        Has a connection of its own, and raises LedgerUnavailable when that is lost.
        """
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


Step = Callable[[], Awaitable[None]]
"""What is to be done before a connection is opened, or after the last was closed."""


class _Conversation:
    """One open connection: commands go out as they come, replies come back in the same order."""

    def __init__(self, connection: AbstractConnection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._over: Exception | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._reader = asyncio.create_task(self._read())

    @property
    def going(self) -> bool:
        """Whether another command can be sent."""
        return self._over is None and self._connection.is_connected

    async def ask(self, packed: bytes) -> Any:
        """Send one command and wait for its reply; giving up the wait does no harm to the others."""
        reply: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(reply)
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout, self._look, reply)
        try:
            # Writes before it first gives way, so the order of waiting is the order of sending.
            await self._connection.send_packed_command([packed], check_health=False)
        except BaseException as exc:
            reply.cancel()
            self._end(exc if isinstance(exc, RedisError) else Disconnected("a command was sent in part"))
            raise
        return await reply

    async def close(self) -> None:
        """End it; whoever still waits is told."""
        self._end(Disconnected("the connection was closed"))
        await asyncio.gather(self._reader, return_exceptions=True)

    def _look(self, oldest: asyncio.Future[Any]) -> None:
        """End it if the oldest command is still the same as when this was last looked at; one timer for all that wait."""
        self._watch = None
        if not self._waiting:
            return
        if self._waiting[0] is oldest:
            self._end(TimeoutError(f"no answer in {self._timeout:g} s"))
        else:
            self._watch = self._loop.call_later(self._timeout, self._look, self._waiting[0])

    def _end(self, why: Exception) -> None:
        if self._over is None:
            self._over = why
            self._reader.cancel()

    async def _read(self) -> None:
        """Hand each reply to the caller it belongs to, until the connection is lost."""
        try:
            while True:
                try:
                    reply = await self._connection.read_response(disable_decoding=True)
                except ResponseError as exc:
                    reply = exc
                caller = self._waiting.popleft()
                if caller.done():
                    continue
                if isinstance(reply, Exception):
                    caller.set_exception(reply)
                else:
                    caller.set_result(reply)
        except (RedisError, OSError) as exc:
            self._over = self._over or Disconnected(str(exc))
        finally:
            if self._watch:
                self._watch.cancel()
            over = self._over or Disconnected("the connection was lost")
            self._over = over
            for caller in self._waiting:
                if not caller.done():
                    caller.set_exception(over)
            await self._connection.disconnect(nowait=True)


class Line:
    """One connection shared by all callers.

    A caller who gives up waiting does not break the connection for the others, as it would with a pool, and many callers
    at a time are served several times as fast (docs/benchmarks.md). A lost connection is opened once more and the command
    repeated: that is safe, because a claim repeated is the same occasion and everything else here is idempotent.
    """

    sharded = False

    def __init__(
        self,
        make: Callable[[], AbstractConnection],
        place: str,
        timeout: float = SILENCE,
        prepare: Step | None = None,
        release: Step | None = None,
    ) -> None:
        self.place = place
        self._make = make
        self._timeout = timeout
        self._prepare = prepare
        self._release = release
        self._now: _Conversation | None = None
        self._opening: asyncio.Task[_Conversation] | None = None

    def __call__(self, *command: str | bytes) -> Coroutine[Any, Any, Any]:
        """Run one command."""
        return self.send(pack(command))

    async def send(self, packed: bytes, key: bytes = b"") -> Any:
        """Run one command in RESP; all keys are at the end of this line."""
        del key
        try:
            try:
                return await (await self._conversation()).ask(packed)
            except Disconnected:
                return await (await self._conversation()).ask(packed)
        except (RedisError, OSError) as exc:
            raise _unavailable(self.place, exc) from exc

    async def after(self, first: bytes, command: bytes) -> Any:
        """Run a command in RESP right after another, whose reply is of no interest, with none of anybody else's between the two."""
        try:
            going = await self._conversation()
            # Both are on their way before either gives way to others.
            replies = await asyncio.gather(going.ask(first), going.ask(command))
        except (RedisError, OSError) as exc:
            raise _unavailable(self.place, exc) from exc
        return replies[1]

    async def scan(self, pattern: bytes) -> AsyncIterator[list[bytes]]:
        """Every key that fits `pattern`."""
        cursor = b"0"
        while True:
            cursor, keys = await self("SCAN", cursor, "MATCH", pattern, "COUNT", "1000")
            if keys:
                yield keys
            if cursor == b"0":
                return

    async def listen(self, channel: bytes, every: float) -> AsyncGenerator[bool]:
        """What comes on `channel`; see `Link.listen`."""
        try:
            connection = await self._connected()
            try:
                await connection.send_packed_command([pack(("SUBSCRIBE", channel))], check_health=False)
                while True:
                    said = await connection.read_response(disable_decoding=True, timeout=every)
                    yield said is not None
            finally:
                await connection.disconnect(nowait=True)
        except (RedisError, OSError) as exc:
            raise _unavailable(self.place, exc) from exc

    async def close(self) -> None:
        """Hang up, and let go of what was prepared for the connection."""
        if self._opening:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._now:
            await self._now.close()
            self._now = None
        if self._release:
            await self._release()

    async def _conversation(self) -> _Conversation:
        """The one going on, else a new one, opened by whoever comes first; who gives up leaves it to the others."""
        if self._now and self._now.going:
            return self._now
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(_retrieve)
        return await asyncio.shield(self._opening)

    async def _open(self) -> _Conversation:
        self._now = _Conversation(await self._connected(), self._timeout)
        return self._now

    async def _connected(self) -> AbstractConnection:
        if self._prepare:
            await self._prepare()
        connection = self._make()
        try:
            async with asyncio.timeout(self._timeout):
                await connection.connect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise TimeoutError(f"no connection in {self._timeout:g} s") from None
        return connection


def connect(
    url: str,
    timeout: float = SILENCE,
    prepare: Step | None = None,
    release: Step | None = None,
) -> Link:
    """The way to the server(s) at `url`; nothing is opened before the first command.

    Raises:
        ConfigError: the address cannot be understood.
    """
    # RESP2, because pushed messages would come between the replies; no time limits but those of Line.
    options: dict[str, Any] = {"protocol": 2, "socket_timeout": None, "socket_connect_timeout": timeout, "retry": _ONCE}
    place = redacted(url)
    try:
        scheme = urlsplit(url).scheme
        if scheme.endswith("+cluster"):
            return _cluster(url.replace("+cluster", "", 1), options, timeout)
        if scheme.endswith("+sentinel"):
            return _by_sentinel(url, options, timeout)
        make = ConnectionPool.from_url(url, **options).make_connection
        make()  # type: ignore[no-untyped-call]  # so that an unknown option is refused now
    except (ValueError, TypeError, RedisError) as exc:
        raise ConfigError(f"understand the ledger's address {place}: {exc}") from exc
    return Line(make, place, timeout, prepare, release)


def _cluster(url: str, options: dict[str, Any], timeout: float) -> Link:
    from capper.ledger.cluster import ClusterLink  # noqa: PLC0415  it stands on this module

    pool = ConnectionPool.from_url(url, **options)
    pool.make_connection()  # type: ignore[no-untyped-call]  # so that an unknown option is refused now
    kind, given = pool.connection_class, pool.connection_kwargs
    scheme = urlsplit(url).scheme

    def line(node: tuple[str, int]) -> Line:
        host, port = node
        where = f"[{host}]" if ":" in host else host
        return Line(lambda: kind(**given | {"host": host, "port": port}), f"{scheme}+cluster://{where}:{port}", timeout)

    seed = given.get("host", "localhost"), int(given.get("port", 6379))
    return ClusterLink(seed, line, redacted(url.replace("://", "+cluster://", 1)))


def _by_sentinel(url: str, options: dict[str, Any], timeout: float) -> Line:
    """`redis+sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT/SERVICE[/DB][?sentinel_password=...]`: the service's master."""
    from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool  # noqa: PLC0415  imports all of redis-py

    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    service, _, db = parts.path.strip("/").partition("/")
    if not service or not hosts:
        raise ValueError("redis+sentinel://HOST:PORT,HOST:PORT/SERVICE is expected")
    sentinels = []
    for host in hosts.split(","):
        name, _, port = host.rpartition(":") if ":" in host else (host, "", "26379")
        sentinels.append((name, int(port)))
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    ours = {key.removeprefix("sentinel_"): given.pop(key) for key in list(given) if key.startswith("sentinel_")}
    user, _, password = login.partition(":")
    if login:
        options |= {"username": unquote(user) or None, "password": unquote(password)}
    sentinel = Sentinel(sentinels, sentinel_kwargs={"socket_timeout": timeout, "retry": _ONCE, **ours})  # type: ignore[no-untyped-call]
    pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
        service, sentinel, ssl=parts.scheme.startswith("rediss"), db=int(db or 0), **options, **given
    )
    pool.make_connection()  # type: ignore[no-untyped-call]  # so that an unknown option is refused now

    async def release() -> None:
        for client in sentinel.sentinels:
            await client.aclose()

    return Line(pool.make_connection, redacted(url), timeout, release=release)


def redacted(url: str) -> str:
    """The address fit for a log: without user, password and options."""
    scheme, _, rest = url.partition("://")
    place = rest.partition("?")[0].rpartition("@")[2] if rest else ""
    return f"{scheme}://{place}" if place else scheme


def _unavailable(place: str, exc: Exception) -> LedgerUnavailable:
    kind = ScriptForgotten if isinstance(exc, NoScriptError) else LedgerUnavailable
    said = str(exc).partition(" : <")[0]  # what follows is how redis-py shows its own objects
    return kind(f"ask the ledger at {place}: {said}")


def bulk(word: bytes) -> bytes:
    """A word of a command in RESP."""
    return b"$%d\r\n%b\r\n" % (len(word), word)


def pack(command: Sequence[str | bytes]) -> bytes:
    """The command in RESP; by hand, because redis-py's own takes longer than the server does."""
    name, *words = command
    if str in map(type, words):  # a claim's are bytes, and many
        words = [word.encode() if isinstance(word, str) else word for word in words]
    words.insert(0, name.encode() if isinstance(name, str) else name)
    number = len(words)
    # One format for all words: one by one takes twice as long.
    return (b"*%d\r\n" + b"$%d\r\n%b\r\n" * number) % (
        number,
        *chain.from_iterable(zip(map(len, words), words, strict=True)),
    )


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Look at how a task ended, so that asyncio does not report a failure that its waiters were told of."""
    if not task.cancelled():
        task.exception()
