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

import base64
import hashlib
import itertools
import os
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from capper.domain.identity import Level
from capper.domain.mute import Name
from capper.ledger.base import NAME_LIMIT
from capper.ledger.secret import Secret, as_bytes

_LETTERS: Final = {Level.CREATIVE: "C", Level.CAMPAIGN: "P", Level.ADVERTISER: "A", Level.CATEGORY: "T"}
HOUSEHOLDS: Final = b"cap{households}"
"""The one name that is the same under every secret, so that two that do not know each other find out."""
_BLOCK: Final = 16
_REMEMBERED: Final = 20_000
"""Names and ciphertexts remembered per viewer, so that the usual ad costs no cryptography."""


class ViewerKeys:
    """The names and the cipher of one viewer, as of one state of the secret."""

    def __init__(self, root: bytes) -> None:
        self.tag = _letters(_derive(root, b"tag", size=9))
        self._names = _derive(root, b"names")
        self._sites = _derive(root, b"sites")
        self._cipher = AESSIV(_derive(root, b"cipher", size=64))
        self._counters: dict[tuple[Level, str, str], bytes] = {}
        self._mutes: dict[Name, bytes] = {}
        self._sealed: dict[bytes, bytes] = {}
        self._serial = itertools.count()

    @property
    def session(self) -> bytes:
        """The key of the viewer's session."""
        return f"cap{{{self.tag}}}s".encode()

    def counter(self, level: Level, value: str, scope: str = "") -> bytes:
        """The key of one counter."""
        key = self._counters.get((level, value, scope))
        if key is None:
            letter = _LETTERS[level].lower() if scope else _LETTERS[level]
            # The length keeps "ab" in "c" apart from "a" in "bc".
            data = as_bytes(f"{level}:{len(value)}:{value}{scope}")
            key = f"cap{{{self.tag}}}{letter}{self._digest(data)}".encode()
            if len(self._counters) >= _REMEMBERED:
                self._counters.clear()
            self._counters[level, value, scope] = key
        return key

    def occasion(self, occasion: str) -> bytes:
        """The key of one occasion."""
        return f"cap{{{self.tag}}}o{self._digest(b'o' + as_bytes(occasion))}".encode()

    def mute(self, name: Name) -> bytes:
        """The key of what she said of `name`."""
        key = self._mutes.get(name)
        if key is None:
            level, text = name
            key = f"cap{{{self.tag}}}m{self._digest(b'm' + as_bytes(f'{level}:{text[:NAME_LIMIT]}'))}".encode()
            if len(self._mutes) >= _REMEMBERED:
                self._mutes.clear()
            self._mutes[name] = key
        return key

    def note(self, at_ms: int) -> bytes:
        """A new key for a journal record; keys of one process sort by time, then by the order they were made."""
        serial = next(self._serial) & 0xFFFFFF
        return f"cap{{{self.tag}}}j{max(at_ms, 0):012x}{serial:06x}{secrets.token_hex(3)}".encode()

    def tally(self, advertiser: str) -> bytes:
        """The key of an advertiser's days."""
        return f"cap{{{self.tag}}}d{self._digest(b'd' + as_bytes(advertiser))}".encode()

    def slot(self, advertiser: str, site: str) -> int:
        """Which of `SLOTS` slots a site fills, as far as this advertiser is concerned."""
        data = as_bytes(f"{len(advertiser)}:{advertiser}{site}")
        return hashlib.blake2b(data, key=self._sites, digest_size=1).digest()[0]

    @property
    def newest_version(self) -> bytes:
        """The key of the number of the policy's newest version."""
        return f"cap{{{self.tag}}}v".encode()

    def version(self, number: int) -> bytes:
        """The key of one version of the policy."""
        return f"cap{{{self.tag}}}v{number:08x}".encode()

    def pattern(self, kind: str = "") -> bytes:
        """The glob that finds this viewer's keys; `kind` is a letter of the table above."""
        return f"cap{{{self.tag}}}{kind}*".encode()

    def seal_name(self, name: str, key: bytes) -> bytes:
        """The name as ciphertext bound to the counter `key`; always the same, and padded so that its length tells little."""
        sealed = self._sealed.get(key)
        if sealed is None:
            plain = as_bytes(name[:NAME_LIMIT]) + b"\x80"
            sealed = self._cipher.encrypt(plain + bytes(-len(plain) % _BLOCK), [key])
            if len(self._sealed) >= _REMEMBERED:
                self._sealed.clear()
            self._sealed[key] = sealed
        return sealed

    def open_name(self, sealed: bytes, key: bytes) -> str | None:
        """The name that was sealed for `key`, or None if it was not with these keys."""
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

    def _digest(self, data: bytes) -> str:
        return _letters(hashlib.blake2b(data, key=self._names, digest_size=8).digest())


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


def _letters(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
