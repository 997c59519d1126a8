"""Content codings: gzip, deflate, br and zstd, taken off and put back, with a limit on what they may unfold to.

Owner of `brotli` and `zstandard`. A limit is enforced while decoding: a bomb costs no more memory than the limit.
"""

import zlib
from collections.abc import Callable
from io import BytesIO

import brotli  # type: ignore[import-untyped]  # it ships no types
import zstandard

from capper.domain.errors import Unrewritable

MOST_CODINGS = 3
"""Codings stacked deeper are somebody's joke."""
_WINDOW = 8 * 1024 * 1024
"""The largest zstd window a browser accepts (RFC 9659)."""
_BLOCK = 128 * 1024
_MOST_MEMBERS = 256
_MOST_BLOCKS = 100_000
"""Streams cut finer cost more to walk than a page is worth; honest ones have a member, and a block per 128 kB."""


def codings_of(header: str) -> tuple[str, ...]:
    """The codings of a Content-Encoding, in the order they were applied; `identity` is none.

    Raises:
        Unrewritable: one of them is unknown, or there are more than `MOST_CODINGS`.
    """
    names = [name.strip().lower() for name in header.split(",")]
    codings = tuple(name for name in names if name not in ("", "identity"))
    unknown = [name for name in codings if name not in _DECODERS]
    if unknown:
        raise Unrewritable(f"the content coding {unknown[0][:40]!r} is unknown")
    if len(codings) > MOST_CODINGS:
        raise Unrewritable(f"{len(codings)} content codings are stacked")
    return codings


def take_off(codings: tuple[str, ...], data: bytes, limit: int) -> bytes:
    """The bytes inside `codings`.

    Raises:
        Unrewritable: they are truncated, damaged, followed by something else, or more than `limit` at any stage.
    """
    for coding in reversed(codings):
        data = _DECODERS[coding](data, limit)
        if len(data) > limit:
            raise Unrewritable(f"the body unfolds to more than {limit} bytes")
    return data


def put_on(codings: tuple[str, ...], data: bytes) -> bytes:
    """`data` in `codings`, at the fastest level: it goes no further than the house."""
    for coding in codings:
        data = _ENCODERS[coding](data)
    return data


def _gunzip(data: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while data:
        if len(parts) == _MOST_MEMBERS:
            raise Unrewritable(f"the gzip stream has more than {_MOST_MEMBERS} members")
        # RFC 1952 section 2.2: a file is a row of members.
        member, data = _inflate(data, 31, limit - size)
        parts.append(member)
        size += len(member)
        if size > limit:
            break
    return b"".join(parts)


def _undeflate(data: bytes, limit: int) -> bytes:
    # RFC 9110 section 8.4.1.2 means the zlib format; some servers send the bare stream, and browsers take both.
    wrapped = len(data) > 1 and data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0
    found, rest = _inflate(data, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS, limit) if data else (b"", b"")
    if rest:
        raise Unrewritable("the deflate stream is followed by something else")
    return found


def _inflate(data: bytes, format_bits: int, limit: int) -> tuple[bytes, bytes]:
    """One stream, and what follows it; one byte more than `limit` where it is longer."""
    inflater = zlib.decompressobj(format_bits)
    try:
        found = inflater.decompress(data, limit + 1)
    except zlib.error as exc:
        raise Unrewritable(f"the deflate stream is damaged: {exc}") from exc
    if not inflater.eof and len(found) <= limit:
        raise Unrewritable("the deflate stream is truncated")
    return found, inflater.unused_data


def _unbrotli(data: bytes, limit: int) -> bytes:
    if not data:
        return b""
    decoder = brotli.Decompressor()
    parts: list[bytes] = []
    size = 0
    try:
        while not decoder.is_finished() and size <= limit:
            # In small pieces: asked for all at once, the decoder holds it twice.
            part: bytes = decoder.process(b"" if parts else data, output_buffer_limit=min(limit + 1 - size, _BLOCK))
            if not part and not decoder.is_finished():
                raise Unrewritable("the br stream is truncated")
            parts.append(part)
            size += len(part)
    except brotli.error as exc:
        raise Unrewritable(f"the br stream is damaged: {exc}") from exc
    return b"".join(parts)


def _unzstd(data: bytes, limit: int) -> bytes:
    _check_frames(data)
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(BytesIO(data), read_across_frames=True)
    parts: list[bytes] = []
    size = 0
    try:
        while size <= limit and (part := reader.read(min(limit + 1 - size, _BLOCK))):
            parts.append(part)
            size += len(part)
    except zstandard.ZstdError as exc:
        raise Unrewritable(f"the zstd stream is damaged: {exc}") from exc
    return b"".join(parts)


def _check_frames(data: bytes) -> None:
    """Walk the frames by their headers (RFC 8878 section 3.1), because a truncated one reads as the end of the data."""
    at = blocks = 0
    while at < len(data):
        at, blocks = _end_of_frame(data, at, blocks)
    if at != len(data):
        raise Unrewritable("the zstd stream is truncated")


def _end_of_frame(data: bytes, at: int, blocks: int) -> tuple[int, int]:
    """Where the frame at `at` ends, past the end of the data where it is truncated; and the blocks met so far."""
    beyond = len(data) + 1
    magic = int.from_bytes(data[at : at + 4], "little")
    if 0x184D2A50 <= magic <= 0x184D2A5F:
        skipped = 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        return (at + skipped if at + 8 <= len(data) else beyond), blocks + 1
    if magic != 0xFD2FB528:
        raise Unrewritable("the zstd stream is damaged or followed by something else")
    descriptor = data[at + 4] if at + 4 < len(data) else 0
    single = descriptor >> 5 & 1
    content_size = (single, 2, 4, 8)[descriptor >> 6]
    at += 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + content_size
    last = False
    while not last:
        blocks += 1
        if blocks > _MOST_BLOCKS:
            raise Unrewritable(f"the zstd stream has more than {_MOST_BLOCKS} blocks")
        if at + 3 > len(data):
            return beyond, blocks
        block = int.from_bytes(data[at : at + 3], "little")
        last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        at += 3 + (1 if kind == 1 else size)
    return at + 4 * (descriptor >> 2 & 1), blocks


def _gzip(data: bytes) -> bytes:
    return _deflate(data, 31)


def _deflate(data: bytes, format_bits: int = zlib.MAX_WBITS) -> bytes:
    deflater = zlib.compressobj(1, zlib.DEFLATED, format_bits)
    return deflater.compress(data) + deflater.flush()


def _brotli(data: bytes) -> bytes:
    found: bytes = brotli.compress(data, quality=1)
    return found


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(data)


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
