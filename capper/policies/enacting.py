"""Putting a policy in force for every capper on one ledger; what cannot be used never gets there."""

from collections.abc import Sequence
from datetime import datetime

from capper.domain.errors import ConfigError
from capper.ledger.versions import Version, Versions
from capper.policies.trial import failures, try_out
from capper.settings.policy import read_policy
from capper.settings.toml import LARGEST


class Overtaken(ConfigError):
    """Somebody else put a version in force meanwhile."""


async def enact(
    versions: Versions, text: str | None, who: str, note: str, at: datetime, *, seen: int, despite_tests: bool = False
) -> Version:
    """Put `text` in force as the next version; None makes each host's own file the policy again.

    Args:
        seen: the number of the version in force as whoever asks for this knows it.
        despite_tests: whether a policy is taken of whose own tests some fail.

    Raises:
        ConfigError: the policy cannot be used, or fails its tests; says everything that is wrong with it.
        Overtaken: number `seen` is not in force any more.
        LedgerUnavailable: the ledger does not answer.
    """
    if text is not None:
        if len(text.encode()) > LARGEST:
            raise ConfigError(f"the policy is larger than {LARGEST // 1024} KiB; it is hardly the text you meant")
        reading = read_policy(text, "the policy")
        if not despite_tests and (failed := failures(await try_out(reading))):
            raise ConfigError("\n".join(f"the policy {each}" for each in failed))
    version = Version(seen + 1, at, who, note, text)
    if not await versions.add(version, seen):
        raise Overtaken(
            "another version was put in force meanwhile; `capper policy history` says by whom, `capper policy diff` what is different"
        )
    return version


async def carry(versions: Versions, kept: Sequence[Version]) -> None:
    """Keep versions again where none is kept any more, as under a new secret; where another is there by now, that one stays.

    Raises:
        LedgerUnavailable: the ledger does not answer.
    """
    after = 0
    for version in kept:
        if not await versions.add(version, after):
            return
        after = version.number


async def in_force(versions: Versions) -> Version | None:
    """The version in force, or None where no policy was applied, or the file of each host is the policy again.

    Raises:
        LedgerUnavailable: the ledger does not answer.
    """
    return newest_usable(await versions.all())


def newest_usable(kept: Sequence[Version]) -> Version | None:
    """The newest version that this capper can use, as one that follows would come to it; None for the file."""
    for version in reversed(kept):
        if version.text is None:
            return None
        try:
            read_policy(version.text, "")
        except ConfigError:
            continue
        return version
    return None
