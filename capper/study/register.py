"""The studies of this machine: what each asks of whom, who agreed to that, and until when; one file for all.

No participant stands there by name: each is a digest under the key of her study, without which nobody can tell who she is.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError
from capper.remembered import Shelf
from capper.settings.toml import read_text
from capper.settings.writing import alone, put

_VERSION = 1
_KEY_BYTES = 32


class Of(StrEnum):
    """What is drawn for the control arm."""

    PEOPLE = "people"
    DAYS = "days"
    """Each day of each person by itself."""


@dataclass(frozen=True, slots=True)
class Participant:
    """When somebody agreed to which text, and whether advertisers may be kept by name."""

    joined: datetime
    consent: str
    """SHA-256 of the text, in hex."""
    names: bool = False


@dataclass(frozen=True, slots=True)
class Treatment:
    """What was done to a participant, and when: an opt-out, whose effect is then told from those to whom nothing was done."""

    person: str
    """Her digest."""
    name: str
    """"" for who is watched untreated."""
    block: str
    """Profiles of a block run at the same time, in the same way."""
    at: datetime


@dataclass(frozen=True)
class Study:
    """A study as it was begun; times are UTC."""

    name: str
    begun: datetime
    until: datetime
    consent: str
    """The text that each participant agrees to."""
    seed: int
    """Of the control arm, and of whatever is drawn in its reports."""
    stopped: datetime | None = None
    names: bool = False
    """Whether advertisers are kept by name of those who agree to that."""
    control: float = 0.0
    """The share of `of` in which caps are off."""
    of: Of = Of.DAYS
    least: int = 20
    """People below whom no figure leaves the machine (k)."""
    epsilon: float = 8.0
    """What all releases together may spend."""
    delta: float = 1e-5
    """The same, of the chance that a release tells more than that."""
    joint: bool = False
    """Whether ads are named as all households of a joint study name them."""
    participants: Mapping[str, Participant] = field(default_factory=dict)
    treatments: tuple[Treatment, ...] = ()
    recorded: bool = True
    """Whether capper wrote it down itself; imported and made-up studies say in `consent` what they are."""
    released: str = ""
    """The seal of the newest release, which the file of its releases must have."""

    @cached_property
    def text(self) -> str:
        """SHA-256 of the text of consent, in hex."""
        return hashlib.sha256(self.consent.encode()).hexdigest()

    def runs(self, at: datetime) -> bool:
        """Whether anything is recorded then."""
        return self.begun <= at < (self.stopped or self.until)

    def in_control(self, person: str, at: datetime) -> bool:
        """Whether caps are off for her then: drawn by the seed, so the same on every machine. `person` is her digest."""
        if not self.control:
            return False
        day = at.astimezone(UTC).date() if self.of is Of.DAYS else None
        return _drawn(self.seed, person, day) < self.control * 2**64


@lru_cache(maxsize=1024)
def _drawn(seed: int, person: str, day: date | None) -> int:
    """From 0 to 2^64."""
    drawn = (person, day.isoformat()) if day else (person,)
    digest = hashlib.blake2b("\0".join(drawn).encode(), key=str(seed).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


class StudyKeys:
    """What a study calls people, pages and ads: digests under keys of its own, which no other study's can be joined with."""

    def __init__(self, key: bytes, joint: bytes | None = None) -> None:
        """`joint`: the key by which all households of a joint study name ads; people, pages and sites stay this study's own."""
        keys = {purpose: joint if joint and purpose in _JOINT else key for purpose in _PURPOSES}
        self._keys = {
            purpose: hashlib.blake2b(each, person=purpose.encode()).digest() for purpose, each in keys.items()
        }
        self._known: Shelf[tuple[str, str], str] = Shelf(_REMEMBERED)

    def of(self, purpose: str, text: str) -> str:
        """What the study calls it: 32 hexadecimal digits; "" for "". Purposes: person, load, site, creative, campaign, advertiser."""
        if not text:
            return ""
        found = self._known.get((purpose, text))
        if found is None:
            data = text.encode("utf-8", "surrogatepass")
            found = hashlib.blake2b(data, key=self._keys[purpose], digest_size=16).hexdigest()
            self._known[purpose, text] = found
        return found


_PURPOSES = ("person", "load", "site", "creative", "campaign", "advertiser")
_JOINT = ("creative", "campaign", "advertiser")
_REMEMBERED = 50_000


def studies_folder(state: Path) -> Path:
    """Where everything of the studies is; no backup takes it along, or who withdraws would still be in it."""
    return state / "studies"


def register_file(state: Path) -> Path:
    """Where the studies are kept, in the state folder."""
    return studies_folder(state) / "studies.json"


def data_file(state: Path, study: str) -> Path:
    """Where a study's exposures are."""
    return studies_folder(state) / study / "exposures.sqlite"


def key_file(state: Path, study: str) -> Path:
    """Where a study's key is; without it what was recorded names nobody and nothing."""
    return studies_folder(state) / study / "key"


def invitation_file(state: Path, study: str) -> Path:
    """Where a joint study's invitation is, with the key that names ads."""
    return studies_folder(state) / study / "invitation.json"


def blinding_file(state: Path, study: str) -> Path:
    """Where the private half is by which this household hides its sketches."""
    return studies_folder(state) / study / "blinding"


def releases_file(state: Path, study: str) -> Path:
    """Where it is written what has left a study."""
    return studies_folder(state) / study / "releases.jsonl"


def make_key(path: Path) -> bytes:
    """A new study's key, for its owner only.

    Raises:
        ConfigError: it cannot be written.
    """
    key = secrets.token_bytes(_KEY_BYTES)
    put(path, key)
    return key


def open_key(seed: int) -> bytes:
    """The key of a study that protects nobody, being made up or a crawl of machines: anybody can make it, so the same rows get the same names."""
    return hashlib.blake2b(f"open {seed}".encode(), digest_size=_KEY_BYTES).digest()


def read_key(path: Path) -> bytes:
    """A study's key.

    Raises:
        ConfigError: it is gone, as that of a study which was closed is, or damaged.
    """
    try:
        key = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"read the study's key {path}: {exc.strerror}") from exc
    if len(key) != _KEY_BYTES:
        raise ConfigError(f"read the study's key {path}: it has {len(key)} bytes, not {_KEY_BYTES}")
    return key


def read_studies(path: Path) -> dict[str, Study]:
    """The studies, by name; none where there is no file.

    Raises:
        ConfigError: the file cannot be used.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(read_text(path))
        if found["version"] != _VERSION:
            raise ConfigError(f"{path}: its version is {found['version']!r}, and this capper knows version {_VERSION}")
        return {each["name"]: _study(each) for each in found["studies"]}
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ConfigError(f"{path}: cannot be used as a register of studies: {exc}") from exc


def change_study(path: Path, name: str, change: Callable[[Study | None], Study | None]) -> Study | None:
    """Put what `change` makes of the study (None: there is none) in its place; None takes it off the register.

    Raises:
        ConfigError: the file cannot be used or written, or `change` refuses.
    """
    with alone(path):
        studies = read_studies(path)
        changed = change(studies.pop(name, None))
        if changed:
            studies[name] = changed
        rows = [_row(each) for each in sorted(studies.values(), key=lambda study: study.begun)]
        put(path, json.dumps({"version": _VERSION, "studies": rows}, indent=1).encode())
    return changed


def joined(study: Study, person: str, participant: Participant) -> Study:
    """The study with one more who agreed; `person` is her digest."""
    return replace(study, participants={**study.participants, person: participant})


def left(study: Study, person: str) -> Study:
    """The study without her."""
    return replace(
        study,
        participants={key: each for key, each in study.participants.items() if key != person},
        treatments=tuple(each for each in study.treatments if each.person != person),
    )


def treated(study: Study, treatment: Treatment) -> Study:
    """The study with one more treatment, in place of hers if she had one: what two did could not be told apart."""
    others = (each for each in study.treatments if each.person != treatment.person)
    return replace(study, treatments=(*others, treatment))


def _row(study: Study) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat()
        if isinstance(value, tuple):
            return [plain(each) for each in value]
        return {key: plain(each) for key, each in value.items()} if isinstance(value, dict) else value

    row: dict[str, Any] = plain(asdict(study))
    return row


def _study(row: dict[str, Any]) -> Study:
    people = {key: _participant(each) for key, each in row["participants"].items()}
    times = {name: _time(row[name]) for name in ("begun", "until")}
    stopped = _time(row["stopped"]) if row["stopped"] else None
    treatments = tuple(Treatment(**{**each, "at": _time(each["at"])}) for each in row.get("treatments", ()))
    told = {"stopped": stopped, "of": Of(row["of"]), "participants": people, "treatments": treatments}
    return Study(**{**row, **times, **told})


def _participant(row: dict[str, Any]) -> Participant:
    return Participant(_time(row["joined"]), row["consent"], row["names"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
