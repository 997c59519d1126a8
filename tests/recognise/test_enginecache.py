"""Engines from a cache that is trusted only when it is surely ours and of just these lists."""

import os

import pytest

from capper.recognise.engine import Engines, Label
from capper.recognise.enginecache import cached_engines, load_engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.kind import Kind
from capper.recognise.lists import ListStore
from capper.testing import NOON

LISTS = [FilterList("a", "||ads.example^"), FilterList("t", "||count.example^", ListKind.TRACKERS)]


@pytest.fixture
def built(monkeypatch):
    """How often engines were built rather than read."""
    calls = []
    build = Engines.build.__func__
    monkeypatch.setattr(Engines, "build", classmethod(lambda cls, lists: calls.append(lists) or build(cls, lists)))
    return calls


def label(engines, host="ads.example"):
    return engines.verdict(f"https://{host}/", "https://news.example/", Kind.IMAGE).label


def test_built_once(tmp_path, built):
    """The same lists are built once and read from then on, with the same verdicts."""
    cache = tmp_path / "lists" / "engines.bin"

    for _ in range(3):
        engines = cached_engines(cache, LISTS, NOON)
        assert (label(engines), label(engines, "count.example"), label(engines, "x.example")) == (
            Label.AD,
            Label.TRACKER,
            Label.NONE,
        )
    assert len(built) == 1
    assert cache.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "changed",
    [
        [FilterList("a", "||ads.example^\n||x.example^"), LISTS[1]],
        [LISTS[0], FilterList("t", "||count.example^", ListKind.ADS)],
        LISTS[:1],
        [],
    ],
)
def test_changed_lists(tmp_path, built, changed):
    """Other lists, or the same of another kind, are built anew."""
    cached_engines(tmp_path / "engines.bin", LISTS, NOON)
    cached_engines(tmp_path / "engines.bin", changed, NOON)
    cached_engines(tmp_path / "engines.bin", changed, NOON)

    assert len(built) == 2


def test_another_version(tmp_path, built, monkeypatch):
    """A cache that another version made is built anew."""
    cached_engines(tmp_path / "engines.bin", LISTS, NOON)
    monkeypatch.setattr("capper.recognise.enginecache.ENGINE_VERSION", "another")
    cached_engines(tmp_path / "engines.bin", LISTS, NOON)

    assert len(built) == 2


def _flip(path):
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


def _link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _folder(path):
    path.unlink()
    path.mkdir()


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


SPOILT = {
    "empty": lambda path: path.write_bytes(b""),
    "short": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "flipped": _flip,
    "no JSON": lambda path: path.write_bytes(b"\xff\n"),
    "other JSON": lambda path: path.write_bytes(b"3\n"),
    "endless head": lambda path: path.write_bytes(b"[" * 100_000),
    "link": _link,
    "folder": _folder,
    "pipe": _pipe,
    "for all to write": lambda path: path.chmod(0o666),
    "for the group to write": lambda path: path.chmod(0o620),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_untrusted_caches(tmp_path, built, spoil):
    """A cache that is damaged, a link, or writable by others is not read: the engines are built and are right."""
    cache = tmp_path / "engines.bin"
    cached_engines(cache, LISTS, NOON)
    spoil(cache)

    assert label(cached_engines(cache, LISTS, NOON)) == Label.AD
    assert len(built) == 2


def test_anothers_cache(tmp_path, built, monkeypatch):
    """A cache that belongs to another user is not read."""
    cached_engines(tmp_path / "engines.bin", LISTS, NOON)
    mine = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: mine + 1)
    cached_engines(tmp_path / "engines.bin", LISTS, NOON)

    assert len(built) == 2


def test_nowhere_to_write(tmp_path, caplog):
    """Engines that cannot be kept still work."""
    (tmp_path / "file").write_text("")

    assert label(cached_engines(tmp_path / "file" / "engines.bin", LISTS, NOON)) == Label.AD
    assert "not kept" in caplog.text


def test_load_engines(tmp_path):
    """The packaged lists work alone, and subscriptions add to them."""
    assert label(load_engines(tmp_path, NOON), "securepubads.g.doubleclick.net") == Label.AD
    assert label(load_engines(tmp_path, NOON), "shoe-ads.example") == Label.NONE

    (tmp_path / "mine.txt").write_text("||shoe-ads.example^\n")
    ListStore(tmp_path).add(str(tmp_path / "mine.txt"), ListKind.ADS, NOON)

    assert label(load_engines(tmp_path, NOON), "shoe-ads.example") == Label.AD
    assert load_engines(tmp_path, NOON).hosts.covers("cdn.shoe-ads.example")


def test_load_engines_with_a_damaged_state(tmp_path, caplog):
    """A damaged file of subscriptions costs the subscriptions, not the packaged lists."""
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "subscriptions.json").write_text("{")

    assert label(load_engines(tmp_path, NOON), "securepubads.g.doubleclick.net") == Label.AD
    assert "the subscribed filter lists are left out" in caplog.text
