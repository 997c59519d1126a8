"""Writing a person's files: whole or not at all, never two of us at once, and as much hers as before."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from capper.domain.errors import ConfigError


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other `capper` commands from changing a file of the same folder meanwhile, so that none undoes another's work.

    Raises:
        ConfigError: there can be no such folder.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as exc:
        raise ConfigError(f"write {path}: {exc.strerror}") from exc
    try:
        # Some network folders know no locks: then there is none.
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def put(path: Path, content: bytes) -> None:
    """Put `content` in the file, all at once. An old one keeps owner and mode, and links lead on. A new one is for its
    owner only: whoever owns the folder, if root makes it.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        target = path.resolve()
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                _as_before(file.fileno(), target)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except (OSError, RuntimeError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        hint = "; run this as its owner, or as root (sudo)" if isinstance(exc, PermissionError) else ""
        raise ConfigError(f"write {path}: {reason}{hint}") from exc


def _as_before(handle: int, target: Path) -> None:
    """What capper's own user could read stays so when root edits it, and what root makes among her files is hers."""
    root = os.geteuid() == 0
    try:
        was = target.stat()
    except FileNotFoundError:
        folder = target.parent.stat()
        if root:
            os.fchown(handle, folder.st_uid, folder.st_gid)
        return
    if root:
        os.fchown(handle, was.st_uid, was.st_gid)
    elif os.fstat(handle).st_gid != was.st_gid:
        os.fchown(handle, -1, was.st_gid)
    os.fchmod(handle, was.st_mode & 0o7777)
