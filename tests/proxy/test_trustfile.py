"""What is learnt of devices outlives a restart, and the file says nothing to who finds it."""

import json
import stat
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.proxy.authority import Authority
from capper.proxy.trust import Book, Client, Known, Reason, Refusal, Standing, Trust
from capper.proxy.trustfile import Keeping, TrustFile, names_of, trust_file
from capper.testing import NOON

TOMORROW = NOON.replace(hour=0) + timedelta(days=1)
ROW = Known("phone", Standing.PROVEN, TOMORROW)
REFUSAL = Refusal("phone", "stack", Reason.PINNED, TOMORROW, 2)


@pytest.fixture
def file(tmp_path):
    return TrustFile(tmp_path, "AB:CD")


def book(**rows) -> Book:
    made = Book()
    for key, row in rows.items():
        made.put(key, row)
    return made


def test_what_is_written_is_read(file, tmp_path):
    """Clients and refusals come back as they were; the file is its owner's alone."""
    file.save(book(stack=ROW, host=REFUSAL), NOON)
    found = TrustFile(tmp_path, "AB:CD").load()

    assert ({"stack": ROW}, {"host": REFUSAL}) == (found.clients, found.refusals)
    assert 0o600 == stat.S_IMODE(trust_file(tmp_path).stat().st_mode)


def test_no_file_is_an_empty_book(file):
    """Before the first proof there is nothing to read."""
    assert Book() == file.load()


def test_another_authority_s_trust_is_void(file, tmp_path):
    """Nobody trusts a new certificate because of the old one."""
    file.save(book(stack=ROW), NOON)

    assert Book() == TrustFile(tmp_path, "EF:01").load()


def test_two_writers_keep_each_other_s_rows(file, tmp_path):
    """What another process wrote or took away stays so, unless this one has learnt otherwise since."""
    other = TrustFile(tmp_path, "AB:CD")
    file.save(book(stack=ROW, host=REFUSAL), NOON)
    theirs = other.load()
    theirs.drop("host")
    theirs.put("tablet", ROW)
    other.save(theirs, NOON)
    merged = file.save(book(more=REFUSAL), NOON)

    assert ({"stack", "tablet"}, {"more"}) == (set(merged.clients), set(merged.refusals))
    assert set() == merged.touched


def test_who_changed_it(file, tmp_path):
    """A writer knows its own changes from another's."""
    file.save(book(stack=ROW), NOON)
    own = file.changed()
    TrustFile(tmp_path, "AB:CD").save(book(host=REFUSAL), NOON)

    assert [False, True] == [own, file.changed()]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"version": 1}', b"\xff\xfe", b"[" * 100_000, b'{"version": 2, "authority": "AB:CD"}',
     b'{"version": 1, "authority": "AB:CD", "clients": {"a": ["d", "NONE", "x"]}, "refusals": {}}',
     b'{"version": 1, "authority": "AB:CD", "clients": {"a": ["d", "PROVEN", "2026-11-23"]}, "refusals": {}}'],
)  # fmt: skip
def test_a_file_that_cannot_be_used(tmp_path, file, content, caplog):
    """It is named, left as it is, and the proxy goes on with nothing known, saying so once."""
    trust_file(tmp_path).write_bytes(content)
    with pytest.raises(ConfigError, match=r"trust\.json"):
        file.load()
    keeping = Keeping(file, lambda: NOON)

    assert Book() == keeping.begin()
    assert keeping.renewed(book(stack=ROW)) is None
    assert content == trust_file(tmp_path).read_bytes()
    assert 1 == len(caplog.records)


def test_nothing_to_do(file):
    """As long as nothing is learnt and nobody writes, the file is left alone."""
    keeping = Keeping(file, lambda: NOON)
    begun = keeping.begin()

    assert keeping.renewed(begun) is None


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([ROW, replace(ROW, device="tablet"), None])), max_size=12
    )
)
def test_merging_is_replaying(steps):
    """Putting what was touched onto another book gives what doing the same there would have given."""
    mine, other = book(a=ROW, b=ROW), book(a=ROW, c=ROW)
    mine.touched.clear()
    expected = other.copy()
    for key, row in steps:
        for each in (mine, expected):
            each.put(key, row) if row else each.drop(key)
    found = mine.onto(other)

    assert {key: mine.clients.get(key, None) for key in mine.touched} == {
        key: found.clients.get(key) for key in mine.touched
    }
    assert {key: row for key, row in found.clients.items() if key not in mine.touched} == {
        key: row for key, row in other.clients.items() if key not in mine.touched
    }


def test_the_file_names_nobody(tmp_path):
    """No host, no address and no time of day can be found in it."""
    names = names_of(Authority.create(NOON))
    trust = Trust(lambda: NOON + timedelta(minutes=17))
    who = names.client("192.168.1.20/anna", "kind")
    trust.proven(who)
    trust.refused(who, names.host(who, "pinned.ads.example"))
    TrustFile(tmp_path, "AB:CD").save(trust.book, NOON)
    text = trust_file(tmp_path).read_text()

    assert not any(part in text for part in ("192.168", "anna", "ads.example", "pinned.", "17:00", ":17"))
    assert {"version", "authority", "clients", "refusals"} == set(json.loads(text))


def test_names_belong_to_the_authority():
    """With another authority's key the digests are others: who has the file but not the key can try nothing out."""
    one, two = (names_of(Authority.create(NOON)) for _ in range(2))

    assert one.device("192.168.1.20/") != two.device("192.168.1.20/")
    assert isinstance(one.client("a", "b"), Client)
