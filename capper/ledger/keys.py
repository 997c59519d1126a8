"""Every name the ledger's data carries, made in one place: keyed digests and ciphertext, nothing a person could read.

    cap{TAG}s                 the viewer's session: when it began, when she was last seen
    cap{TAG}o DIGEST          an occasion and the answer it got
    cap{TAG}C|P|A|T DIGEST    a counter: creative, campaign, advertiser, category (lower case: within one page or pod)
    cap{TAG}m DIGEST          what she said of an advertiser or a creative: muted until when, or to be shown once
    cap{TAG}j TIME SERIAL     a journal record
    cap{TAG}d DIGEST          an advertiser's days: how often shown and withheld, and on about how many sites
    cap{TAG}v                 the number of the policy's newest version (TAG is the household's own); also a channel
    cap{TAG}v NUMBER          a version of the policy
    cap{households}           the tags of the households that count here, each with the time it last said so

TAG is 9 bytes (12 letters of base64url), DIGEST 8 bytes (11 letters), both keyed BLAKE2b under keys derived per viewer
and per purpose, so equal ads of two viewers have unrelated names. With 1,000 viewers two tags are equal with odds of
1 : 9e15; with a million ads of one viewer and level two counters are equal with odds of 1 : 3.7e7. A counter's name
has 29 bytes: with its length it fits the 32-byte class of the server's allocator.

`{TAG}` is a hash tag: all of one viewer's keys are in one slot of a cluster, which is what lets one call claim on several.
"""

import contextlib
import hashlib
import itertools
import os
import secrets
from binascii import b2a_base64
from collections.abc import Callable, Hashable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from capper.domain.identity import Level
from capper.domain.mute import Name
from capper.ledger.base import NAME_LIMIT
from capper.ledger.secret import Secret, as_bytes
from capper.remembered import Shelf

_LETTERS: Final = {Level.CREATIVE: b"C", Level.CAMPAIGN: b"P", Level.ADVERTISER: b"A", Level.CATEGORY: b"T"}
_LEVELS: Final = {level: (letter, letter.lower(), f"{level}:".encode()) for level, letter in _LETTERS.items()}
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
HOUSEHOLDS: Final = b"cap{households}"
"""The one name that is the same under every secret, so that two that do not know each other find out."""
_BLOCK: Final = 16
_REMEMBERED: Final = 20_000
"""Names and ciphertexts remembered per viewer, so that the usual ad costs no cryptography."""


class ViewerKeys:
    """The names and the cipher of one viewer, as of one state of the secret."""

    def __init__(self, root: bytes) -> None:
        self.tag = _letters(_derive(root, b"tag", size=9)).decode()
        self._prefix = f"cap{{{self.tag}}}".encode()
        self._digest = hashlib.blake2b(key=_derive(root, b"names"), digest_size=8)
        self._sites = _derive(root, b"sites")
        self._cipher = AESSIV(_derive(root, b"cipher", size=64))
        self._stream = AES(_derive(root, b"stream"))
        self._sealed = Shelf[bytes, bytes](_REMEMBERED)
        self._serial = itertools.count()
        self.session = self._prefix + b"s"
        """The key of the viewer's session."""
        self.counters = Shelf[Hashable, tuple[bytes, bytes, bytes]](_REMEMBERED)
        """For wire.py, which packs a counter's key with what goes along."""
        self.said = Shelf[Name, bytes](_REMEMBERED)
        """For wire.py, too: the keys of what she said, packed."""

    def counter(self, level: Level, value: str, scope: str = "") -> bytes:
        """The key of one counter."""
        letter, within, prefix = _LEVELS[level]
        # The length keeps "ab" in "c" apart from "a" in "bc".
        return self._named(within if scope else letter, prefix + as_bytes(f"{len(value)}:{value}{scope}"))

    def occasion(self, occasion: str) -> bytes:
        """The key of one occasion."""
        return self._named(b"o", b"o" + as_bytes(occasion))

    def mute(self, name: Name) -> bytes:
        """The key of what she said of `name`."""
        level, text = name
        return self._named(b"m", as_bytes(f"m{level}:{text[:NAME_LIMIT]}"))

    def note(self, at_ms: int) -> bytes:
        """A new key for a journal record; keys of one process sort by time, then by the order they were made."""
        serial = next(self._serial) & 0xFFFFFF
        return self._prefix + b"j%012x%06x%b" % (max(at_ms, 0), serial, secrets.token_hex(3).encode())

    def tally(self, advertiser: str) -> bytes:
        """The key of an advertiser's days."""
        return self._named(b"d", b"d" + as_bytes(advertiser))

    def slot(self, advertiser: str, site: str) -> int:
        """Which of `SLOTS` slots a site fills, as far as this advertiser is concerned."""
        data = as_bytes(f"{len(advertiser)}:{advertiser}{site}")
        return hashlib.blake2b(data, key=self._sites, digest_size=1).digest()[0]

    @property
    def newest_version(self) -> bytes:
        """The key of the number of the policy's newest version."""
        return self._prefix + b"v"

    def version(self, number: int) -> bytes:
        """The key of one version of the policy."""
        return self._prefix + b"v%08x" % number

    def pattern(self, kind: str = "") -> bytes:
        """The glob that finds this viewer's keys; `kind` is a letter of the table above."""
        return self._prefix + kind.encode() + b"*"

    def seal_name(self, name: str, key: bytes) -> bytes:
        """The name as ciphertext bound to `key`, which is named after it; always the same, and padded so that its length tells little.

        A name is sealed as AES-SIV would, but with the key's own digest as the synthetic IV, which need not be stored again.
        What is cut, or would lose letters with the padding, is not what the key is named after, and takes AES-SIV itself.
        """
        sealed = self._sealed.get(key)
        if sealed is None:
            plain, whole = as_bytes(name[:NAME_LIMIT]), len(name) <= NAME_LIMIT and not name.endswith("\0")
            if whole:
                sealed = self._streamed(plain + bytes(-len(plain) % _BLOCK), key)
            else:
                plain += b"\x80"
                sealed = self._cipher.encrypt(plain + bytes(-len(plain) % _BLOCK), [key])
            self._sealed[key] = sealed
        return sealed

    def open_name(self, sealed: bytes, key: bytes, named: Callable[[str], bytes]) -> str | None:
        """The name that was sealed for `key`, or None if it was not with these keys; `named` is how such a key is named.

        Also a name that capper sealed with AES-SIV, as it did with all of them up to version 1 of the ledger.
        """
        plain = self._streamed(sealed, key).rstrip(b"\0")
        with contextlib.suppress(UnicodeDecodeError):
            name = plain.decode("utf-8", "surrogatepass")
            if named(name) == key:
                return name
        try:
            plain = self._cipher.decrypt(sealed, [key])
        except (InvalidTag, ValueError):
            return None
        return plain.rstrip(b"\0").removesuffix(b"\x80").decode("utf-8", "surrogatepass")

    def seal_note(self, record: bytes, key: bytes) -> bytes:
        """The journal record as ciphertext bound to `key`; equal records do not look equal."""
        nonce = os.urandom(_BLOCK)
        return nonce + self._cipher.encrypt(record + b"\x80", [key, nonce])

    def open_note(self, sealed: bytes, key: bytes) -> bytes | None:
        """The record that was sealed for `key`, or None if it was not with these keys."""
        try:
            return self._cipher.decrypt(sealed[_BLOCK:], [key, sealed[:_BLOCK]])[:-1]
        except (InvalidTag, ValueError):
            return None

    def _streamed(self, text: bytes, key: bytes) -> bytes:
        """AES-CTR with a stream of each key's own: its letter and its digest, then room to count blocks."""
        iv = key[-12:].ljust(_BLOCK, b"\0")
        return Cipher(self._stream, CTR(iv)).encryptor().update(text)

    def _named(self, letter: bytes, data: bytes) -> bytes:
        # Copied, because taking the key in is half the work.
        digest = self._digest.copy()
        digest.update(data)
        return self._prefix + letter + _letters(digest.digest())


class Keyring:
    """The keys of all viewers, made when first needed and made anew when the secret changes."""

    def __init__(self, secret: Secret) -> None:
        self.secret = secret
        self._viewers: dict[str | None, ViewerKeys] = {}
        self._made_at = secret.changes

    def of(self, viewer: str | None) -> ViewerKeys:
        """The viewer's keys under the secret as it is now; those of the household as a whole for None."""
        if self._made_at != self.secret.changes:
            self._viewers.clear()
            self._made_at = self.secret.changes
        keys = self._viewers.get(viewer)
        if keys is None:
            keys = self._viewers[viewer] = ViewerKeys(self.secret.root(viewer))
        return keys


def _derive(root: bytes, purpose: bytes, *, size: int = 32) -> bytes:
    return hashlib.blake2b(key=root, person=purpose, digest_size=size).digest()


def _letters(data: bytes) -> bytes:
    # As base64.urlsafe_b64encode does, in a third of the time.
    return b2a_base64(data, newline=False).translate(_URL_SAFE, b"=")
