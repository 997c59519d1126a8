"""Where filter lists come from and how they are kept: sources, bounded reading, and writing that is whole or not at all."""

import os
import re
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from capper.domain.errors import ConfigError
from capper.recognise.download import MEGABYTE, MOST, require_https
from capper.recognise.exclusions import exclusions_refusal
from capper.recognise.filterlist import ListKind, refusal


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside `path`, sync, rename: whoever reads finds the old bytes or the new, also after a power cut.

    Raises:
        OSError: the disk is full, or the folder is not ours; the old file is untouched.
    """
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def normal_source(source: str) -> str:
    """An https:// address as it is, a file as an absolute path."""
    source = source.strip()
    if source[:7].lower() == "file://":
        parts = urlsplit(source)
        if parts.netloc not in ("", "localhost"):
            raise ConfigError(f"{source}: a file:// address has three slashes and no host")
        source = unquote(parts.path)
    elif "://" in source:
        return require_https("https" + source[5:] if source[:8].lower() == "https://" else source)
    if not source or "\x00" in source:
        raise ConfigError(f"{source!r} is neither an https:// address nor a file")
    return str(Path(source).expanduser().resolve())


def name_from(source: str) -> str:
    """A short name: the file's, or the host's where the file has none."""
    parts = urlsplit(source) if source.startswith("https://") else None
    stem = Path(parts.path if parts else source).stem or (parts.hostname if parts else None) or "list"
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40] or "list"


def read_bytes(path: Path) -> bytes:
    """A regular file's bytes.

    Raises:
        ConfigError: it is something else, too large, or cannot be read.
    """
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a file" if path.exists() else "not there"
            raise ConfigError(f"read {path}: it is {what}")
        with path.open("rb") as file:
            data = file.read(MOST + 1)
    except OSError as exc:
        raise ConfigError(f"read {path}: {exc.strerror or exc}") from exc
    if len(data) > MOST:
        raise ConfigError(f"read {path}: it is larger than {MOST / MEGABYTE:g} MB")
    return data


def read_text(path: Path, kind: ListKind = ListKind.ADS) -> str:
    return decode(str(path), read_bytes(path), kind)


def decode(source: str, body: bytes, kind: ListKind = ListKind.ADS) -> str:
    """The list's text.

    Raises:
        ConfigError: it is not a list of this kind.
    """
    text = body.decode("utf-8-sig", "replace")
    what, why = ("list of hosts", exclusions_refusal) if kind is ListKind.CLOSED else ("filter list", refusal)
    if reason := why(text):
        raise ConfigError(f"{source}: this is not a {what}: {reason}")
    return text
