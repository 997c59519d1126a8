"""deploy/valkey on a real server: the ledger does all it does over TLS with these rights, and nothing more is granted."""

import ast
import contextlib
import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import prepare
from capper.domain.errors import LedgerUnavailable
from capper.domain.policy import Policy, Rule
from capper.ledger.entries import put, stored
from capper.ledger.link import connect
from capper.ledger.redis import RedisLedger
from capper.ledger.rights import CLUSTER_RIGHTS, RIGHTS, acl_rights
from capper.ledger.secret import Secret
from capper.ledger.versions import Version
from capper.testing import NOON, a_sighting

GAP = timedelta(minutes=30)
POLICY = Policy(Rule("caps", (Cap.parse("2 per advertiser per day"), Cap.parse("1 per creative per page"))))
PASSWORD = "a long password"
LEDGER = Path(__file__).resolve().parents[2] / "capper" / "ledger"


async def everything(ledger: RedisLedger) -> list[bool]:
    """All that a ledger is asked for, a backup of it included; which of three ads were shown."""
    claims = [prepare(POLICY, a_sighting(occasion=f"o{n}", page=f"p{n}"), NOON)[1] for n in range(3)]
    await ledger.peek("anna", claims, NOON, GAP)
    shown = [answer.shown for answer in await ledger.claim("anna", claims, NOON, GAP)]
    async with contextlib.aclosing(ledger.versions.heard(2)) as heard:
        await anext(heard)
        assert await ledger.versions.add(Version(1, NOON, "anna", "", "caps = []"), 0)
        assert await anext(heard)
    await ledger.versions.renew()
    await ledger.note("anna", [b"record"], NOON, GAP)
    assert [entry.name for entry in await ledger.entries("anna", NOON)] == ["shoes.example"]
    assert await ledger.notes("anna", NOON) == [b"record"]
    kept = [entry async for entries in stored(ledger.link) for entry in entries]
    assert (await ledger.health()).ok
    assert await ledger.forget("anna") == len(kept) - 2
    assert await put(ledger.link, kept, replace=False) == len(kept) - 2
    return shown


def configured(deploy: Path, folder: Path, certificate: Path, port: int, *, tls: bool) -> list[str]:
    """The server's arguments: deploy/valkey/valkey.conf, with this machine's folders, port and password in it.

    The Valkey of the wheel is built without TLS; it runs by the same file without those lines.
    """
    text = (deploy / "valkey" / "valkey.conf").read_text()
    (folder / "data").mkdir()
    for written, here in (
        ("/etc/valkey/tls", str(certificate)),
        ("/etc/valkey", str(folder)),
        ("/var/lib/valkey", str(folder / "data")),
        ("tls-port 6380", f"tls-port {port}"),
        ("bind * -::*", "bind 127.0.0.1"),
    ):
        assert written in text
        text = text.replace(written, here)
    if not tls:
        text = re.sub(r"(?m)^tls-.*\n", "", text).replace("port 0", f"port {port}")
    (folder / "valkey.conf").write_text(text)
    users = (deploy / "valkey" / "users.acl").read_text()
    (folder / "users.acl").write_text(users.replace("0" * 64, hashlib.sha256(PASSWORD.encode()).hexdigest()))
    return [str(folder / "valkey.conf")]


@pytest.fixture(params=["valkey", "redis"])
async def server(request, servers, deploy, tmp_path, certificate, free_port, running):
    """A server that runs by deploy/valkey: start it (again) by calling, and capper's address of it."""
    port, tls = free_port(), request.param == "redis"
    command = [servers[request.param], *configured(deploy, tmp_path, certificate, port, tls=tls)]
    address = f"redis://capper:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/0"
    if tls:
        address = f"{address.replace('redis:', 'rediss:')}?ssl_ca_certs={certificate}/ca.pem"

    async def start():
        return await running(command, address, tmp_path)

    return start, address


async def test_the_ledger_works_with_exactly_these_rights(server):
    """Over TLS, as the user of users.acl, everything is answered; also with a database of its own."""
    start, address = server
    await start()
    for url in (address, address.replace("/0", "/3", 1)):
        ledger = RedisLedger(connect(url), Secret())
        shown = await everything(ledger)
        await ledger.close()

        assert shown == [True, True, False]


FORBIDDEN = """\
KEYS *
GET cap{x}s
DEL cap{x}s
FLUSHALL
CONFIG GET *
CONFIG SET dir /tmp
ACL LIST
MONITOR
DEBUG SLEEP 0
SCRIPT FLUSH
SAVE
DUMP cap{x}s
SUBSCRIBE x
PUBLISH x y
REPLICAOF 127.0.0.1 1
SHUTDOWN
MODULE LIST
CLUSTER SLOTS
COMMAND
SET another x
MGET cap{x}s another
UNLINK another
PEXPIRETIME another
""".splitlines()
SCRIPTS = ("return redis.call('DEL', 'cap{x}s')", "return redis.call('SET', 'another', 'x')")


async def test_nothing_more_is_granted(server):
    """Another command, or another's key, is refused, in a script too."""
    start, address = server
    await start()
    link, said = connect(address), {}
    for command in [*(tuple(line.split()) for line in FORBIDDEN), *(("EVAL", script, "0") for script in SCRIPTS)]:
        with pytest.raises(LedgerUnavailable) as refused:
            await link(*command)
        said[command] = str(refused.value)
    await link.close()
    reasons = re.compile(r"(?i)permission|ACL failure|not allowed|can.t (run this command|access at least one)")

    assert {command: why for command, why in said.items() if not reasons.search(why)} == {}


async def test_strangers_are_refused(server):
    """Without the user, without TLS's authority, and with another password."""
    start, address = server
    await start()
    plain = address.replace("rediss://", "redis://").partition("?")[0]
    others = [re.sub(r"capper:[^@]*@", "", address), address.replace("long", "short")]
    others += [address.partition("?")[0], plain] if plain != address else []
    for url in others:
        link = connect(url, timeout=1)
        with pytest.raises(LedgerUnavailable):
            await link("INFO")
        await link.close()


@pytest.mark.parametrize("right", [right for right in RIGHTS if right != "select"])
async def test_every_right_is_needed(servers, tmp_path, running, right):
    """With any one of them less, something a ledger does is refused."""
    sock = tmp_path / "s"
    command = [servers["redis"], "--port", "0", "--unixsocket", str(sock), "--save", ""]
    await running(command, f"unix://{sock}", tmp_path)
    admin = connect(f"unix://{sock}")
    await admin("ACL", "SETUSER", "capper", "on", ">pw", *acl_rights().split(), f"-{right}")
    await admin.close()
    ledger = RedisLedger(connect(f"unix://capper:pw@{sock}"), Secret())
    with pytest.raises((LedgerUnavailable, AssertionError)):
        await everything(ledger)
    await ledger.close()


async def test_counts_outlive_a_crash(server):
    """A server that is killed has every count again when it is back, from its append-only file."""
    start, address = server
    process = await start()
    secret = Secret()
    ledger = RedisLedger(connect(address), secret)
    await everything(ledger)
    process.kill()
    process.wait()
    await start()
    entries = [entry async for found in stored(ledger.link) for entry in found]
    await ledger.close()

    assert len(entries) > 5


def test_the_file_grants_what_the_ledger_says(deploy):
    """users.acl is what rights.py lists, for one user; nobody can be the default user.

    It has rights all the same: Redis 7.0 reads its append-only file back with them, and without them loses every count.
    """
    default, capper = (deploy / "valkey" / "users.acl").read_text().splitlines()

    assert default == "user default reset off ~* +@all"
    assert capper == f"user capper reset on #{'0' * 64} {acl_rights()}"


def test_the_rights_are_what_the_code_asks_for():
    """Every command in the ledger's Python and Lua is in the list, and nothing else is; the embedded server's own is apart."""
    asked = set()
    for path in LEDGER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in CALLS:
                first = node.args[0].elts[0] if isinstance(node.args[0], ast.Tuple) else node.args[0]
                word = getattr(first, "value", None)
                word = word.decode() if isinstance(word, bytes) else word
                if isinstance(word, str) and re.fullmatch(r"[A-Z]{3,}", word):
                    asked.add(word.lower())
    for path in (LEDGER / "lua").glob("*.lua"):
        asked |= {word.lower() for word in re.findall(r"redis\.p?call\('([A-Z]+)'", path.read_text())}

    assert asked - {"bgrewriteaof", *CLUSTER_RIGHTS} == set(RIGHTS) - {"select"}


CALLS = {"self.link", "self._link", "link", "self", "pack", "bulk"}
"""How a command is run in capper/ledger."""
