"""The sealed stream: what goes in comes out, and nothing else ever does."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.backup.sealing import CHUNK, MAGIC, Argon2, Opener, ScryptChoice, Sealer, usual_derivation
from capper.domain.errors import ConfigError

QUICK = Argon2(memory_kib=64, passes=1, lanes=1)


def sealed(data: bytes, passphrase: str = "passphrase", derivation=QUICK, pieces: int = 1) -> bytes:
    """`data` as a sealed stream, written in so many pieces."""
    file = io.BytesIO()
    sealer = Sealer(file, passphrase, derivation)
    step = max(len(data) // pieces, 1)
    for at in range(0, len(data), step):
        sealer.write(data[at : at + step])
    sealer.finish()
    return file.getvalue()


def opened(stream: bytes, passphrase: str = "passphrase") -> bytes:
    """All that a sealed stream holds."""
    opener = Opener(io.BytesIO(stream), passphrase, "b")
    found = bytearray()
    while not opener.ended:
        found += opener.read(1)
        rest = len(opener._open) - opener._at
        found += opener.read(rest)
    return bytes(found)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_what_goes_in_comes_out(size):
    """Of any length around a chunk's, in however many pieces it is written."""
    data = bytes(range(256)) * (size // 256 + 1)

    assert opened(sealed(data[:size])) == data[:size]
    assert opened(sealed(data[:size], pieces=7)) == data[:size]


@pytest.mark.parametrize("derivation", [QUICK, ScryptChoice(n=16, r=1, p=1)])
def test_either_derivation_opens_by_what_the_file_says(derivation):
    """Argon2id and scrypt files are both read, with the strength that they name."""
    assert opened(sealed(b"counts", derivation=derivation)) == b"counts"


def test_the_usual_strength():
    """Argon2id with 64 MiB, where OpenSSL has it; the file says so."""
    head = sealed(b"", derivation=usual_derivation()).splitlines()[1]

    assert {key: value for key, value in json.loads(head).items() if key != "salt"} == {
        "kdf": "argon2id",
        "memory_kib": 65_536,
        "passes": 3,
        "lanes": 4,
    }


def test_no_two_files_are_alike():
    """The same under the same passphrase has another salt, and so another key."""
    assert sealed(b"counts").splitlines()[1] != sealed(b"counts").splitlines()[1]


def test_one_passphrase_however_it_was_typed():
    """Composed and decomposed letters are the same passphrase."""
    assert opened(sealed(b"counts", "fika på café"), "fika på café") == b"counts"


def test_another_passphrase_is_refused():
    """In one sentence that says what is the matter."""
    with pytest.raises(ConfigError, match="the passphrase is wrong, or the file is damaged at its beginning"):
        opened(sealed(b"counts"), "Passphrase")


@given(st.integers(0, 2 * CHUNK + 700), st.integers(1, 255))
def test_one_changed_byte_is_noticed(at, flip):
    """Wherever it is, in the lines or in the data, nothing comes out of that chunk or after it."""
    stream = bytearray(LONG)
    at %= len(stream)
    stream[at] ^= flip
    with pytest.raises(ConfigError):
        opened(bytes(stream))


@given(st.integers(0, 2 * CHUNK + 700))
def test_every_shorter_file_is_noticed(length):
    """A copy that ends anywhere before its end is refused."""
    with pytest.raises(ConfigError):
        opened(LONG[: length % len(LONG)])


LONG = sealed(bytes(2 * CHUNK + 500))


def test_a_copy_that_ends_between_two_chunks_says_so():
    """The likeliest damage has a sentence of its own."""
    head = len(LONG) - (2 * (CHUNK + 16) + 500 + 16)
    with pytest.raises(ConfigError, match="it ends too early"):
        opened(LONG[: head + CHUNK + 16])


def test_more_than_the_end_is_noticed():
    """Bytes after the end are none of ours."""
    with pytest.raises(ConfigError):
        opened(LONG + b"x")


def test_chunks_keep_their_places():
    """Two chunks that changed places, or one given twice, are refused."""
    head = len(LONG) - (2 * (CHUNK + 16) + 500 + 16)
    first, second = LONG[head : head + CHUNK + 16], LONG[head + CHUNK + 16 : head + 2 * (CHUNK + 16)]
    rest = LONG[head + 2 * (CHUNK + 16) :]
    for order in (second + first, first + first, first):
        with pytest.raises(ConfigError):
            opened(LONG[:head] + order + rest)


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (b"", "not a backup that capper made"),
        (b"PK\3\4" + bytes(100), "not a backup that capper made"),
        (MAGIC + b"x\n{}\n", "not a backup that capper made"),
        (MAGIC + b"2\n{}\n", "a backup of version 2, and this capper reads version 1"),
        (MAGIC + b"1\n", "does not say how its key is made"),
        (MAGIC + b"1\n[[[[\n", "does not say how its key is made"),
        (MAGIC + b"1\n" + b"[" * 900 + b"\n", "does not say how its key is made"),
        (MAGIC + b'1\n{"kdf": "md5", "salt": ""}\n', "does not say how its key is made"),
        (MAGIC + b'1\n{"kdf": "argon2id", "salt": "AAAA"}\n', "does not say how its key is made"),
        (
            MAGIC + b'1\n{"kdf": "argon2id", "memory_kib": 99999999, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}\n',
            "does not say how its key is made",
        ),
        (
            MAGIC + b'1\n{"kdf": "scrypt", "n": 3, "r": 1, "p": 1, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}\n' + bytes(99),
            "its key cannot be derived",
        ),
    ],
)
def test_what_is_no_backup_is_told(stream, says):
    """Another file, a newer form, or one that asks this machine for too much memory."""
    with pytest.raises(ConfigError, match=says):
        opened(stream)
