"""A file that appears whole or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from capper.domain.errors import ConfigError


@contextmanager
def whole_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """An open file that takes the place of `path` when the block ends well, and is gone when it does not.

    What is no regular file (a pipe, /dev/null) is written as it is.

    Args:
        mode: the permissions of a new file, less the umask; one that is replaced keeps its own.

    Raises:
        ConfigError: it cannot be written, and why.
    """
    try:
        target = path.resolve()
        if target.is_dir():
            raise ConfigError(f"{path} is a directory: name a file to write to")
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        with _beside(target, mode) as file:
            yield file
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {exc.strerror or exc}") from exc


@contextmanager
def _beside(target: Path, mode: int) -> Iterator[BinaryIO]:
    draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            if target.exists():
                os.fchmod(file.fileno(), target.stat().st_mode & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
