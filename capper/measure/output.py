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
def written(path: Path) -> Iterator[None]:
    """What goes wrong in the block while `path` is written, in one sentence.

    Raises:
        ConfigError: it cannot be written, and why.
    """
    try:
        yield
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {exc.strerror or exc}") from exc


@contextmanager
def whole_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """An open file that takes the place of `path` when the block ends well, and is gone when it does not.

    What is no regular file (a pipe, /dev/null) is written as it is.

    Args:
        mode: the permissions of a new file, less the umask; one that is replaced keeps its own.

    Raises:
        ConfigError: it cannot be written, and why.
    """
    with written(path):
        if path.is_dir():
            raise ConfigError(f"{path} is a directory: name a file to write to")
        special = path.exists() and not path.is_file()
        # Only a regular file has a place of its own: /dev/stdout may lead to a pipe that has none.
        target = path if special else path.resolve()
        draft = target if special else target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
        file = draft.open("wb") if special else _new(draft, target, mode)
    try:
        with file:
            yield file
            with written(path):
                file.flush()
                if not special:
                    os.fsync(file.fileno())
        if not special:
            with written(path):
                draft.replace(target)
    except BaseException:
        if not special:
            with contextlib.suppress(OSError):
                draft.unlink()
        raise


def _new(draft: Path, target: Path, mode: int) -> BinaryIO:
    # A file that nobody may write is not replaced behind its owner's back.
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(0, "Permission denied")
    file = os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb")
    if target.exists():
        os.fchmod(file.fileno(), target.stat().st_mode & 0o777)
    return file
