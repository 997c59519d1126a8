"""What households and whoever adds up send each other in a joint study: an invitation, a roster, sketches, an answer; as files.

An invitation is for households alone: with its key they call an ad by one name. A roster is for everybody and has no secret. Files come
from others: each is read up to a size, and refused whole if anything in it is not as it should be.
"""

import base64
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from capper.domain.errors import ConfigError
from capper.study.noise import noisy
from capper.study.register import Study, StudyKeys, invitation_file, key_file, read_key
from capper.study.sketch import Blinding, Cells, Shape

KEY_BYTES = 32
_MAGIC = b"capper sketch 1\n"
_HEADER = 4096
_DOCUMENT = 4 * 2**20
_CELLS = 2**24
_MEMBERS = 10_000
_ADS = 0.8
"""The share of the answer's epsilon that the number of ads takes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What all who take part in a joint study agree on."""

    study: str
    shape: Shape
    most: int
    """Ads of one person that count in a week."""
    epsilon: float
    """What a week's answer tells of any one person."""

    def plain(self) -> dict[str, Any]:
        """As it is written."""
        return {
            "study": self.study,
            "width": self.shape.width,
            "depth": self.shape.depth,
            "most": self.most,
            "epsilon": self.epsilon,
        }

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Raises ValueError, KeyError or TypeError where they cannot be."""
        width, depth, most, epsilon = row["width"], row["depth"], row["most"], float(row["epsilon"])
        whole = all(type(each) is int and each > 0 for each in (width, depth, most))
        if not (whole and width * depth <= _CELLS and 0.001 <= epsilon < math.inf and isinstance(row["study"], str)):
            raise ValueError("its terms cannot be kept")
        return cls(row["study"][:100], Shape(width, depth), most, epsilon)


@dataclass(frozen=True, slots=True)
class Invitation:
    """The terms, and the key by which the households name ads; never for whoever adds up."""

    terms: Terms
    key: bytes

    def write(self) -> bytes:
        """As a file."""
        return _document("invitation", self.terms.plain() | {"key": self.key.hex()})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises ConfigError where the file is none."""
        row = _read(path, "invitation")
        try:
            return cls(Terms.of(row), _key(row["key"]))
        except (ValueError, KeyError, TypeError) as exc:
            raise ConfigError(f"{path}: cannot be used as an invitation: {exc}") from exc


@dataclass(frozen=True, slots=True)
class Roster:
    """The terms, and the public keys of all households that take part."""

    terms: Terms
    members: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """What households compare, to know that all have the same roster."""
        return hashlib.sha256(self.write()).hexdigest()

    def round_id(self, week: str) -> str:
        """Of one week's sum among exactly these: noise made for others is of no use here."""
        return f"{week} {self.digest}"

    def write(self) -> bytes:
        """As a file."""
        return _document("roster", self.terms.plain() | {"members": [each.hex() for each in self.members]})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises ConfigError where the file is none."""
        row = _read(path, "roster")
        try:
            members = tuple(sorted(map(_key, row["members"])))
            if not (3 <= len(members) <= _MEMBERS and len(set(members)) == len(members)):
                raise ValueError("it takes three households and more, each once")  # noqa: TRY301
            return cls(Terms.of(row), members)
        except (ValueError, KeyError, TypeError) as exc:
            raise ConfigError(f"{path}: cannot be used as a roster: {exc}") from exc


def write_key(study: str, public: bytes) -> bytes:
    """A household's public key as a file."""
    return _document("key", {"study": study, "public": public.hex()})


def read_key_of(path: Path, study: str) -> bytes:
    """Raises ConfigError where the file is none, or of another study."""
    row = _read(path, "key")
    try:
        if row["study"] != study:
            raise ValueError(f"it is of the study {row['study']!r}, not {study!r}")  # noqa: TRY301
        return _key(row["public"])
    except (ValueError, KeyError, TypeError) as exc:
        raise ConfigError(f"{path}: cannot be used as a household's key: {exc}") from exc


def write_sketch(
    kind: str, roster: Roster, week: str, sender: bytes, cells: Cells, missing: tuple[bytes, ...] = ()
) -> bytes:
    """A blinded sketch (`kind` "sketch"), or what a household shared with the missing ("made up")."""
    gone = hashlib.sha256(b"".join(sorted(missing))).hexdigest()
    header = {"kind": kind, "roster": roster.digest, "week": week, "sender": sender.hex(), "missing": gone}
    return _MAGIC + json.dumps(header).encode() + b"\n" + cells.astype("<u4").tobytes()


def read_sketch(
    path: Path, kind: str, roster: Roster, week: str, missing: tuple[bytes, ...] = ()
) -> tuple[bytes, Cells]:
    """Who sent it, and its cells.

    Raises:
        ConfigError: the file is none, or of another kind, roster, week or set of missing.
    """
    shape = roster.terms.shape
    expected = {
        "kind": kind,
        "roster": roster.digest,
        "week": week,
        "missing": hashlib.sha256(b"".join(sorted(missing))).hexdigest(),
    }
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise ValueError("it does not begin as one")  # noqa: TRY301
            header = json.loads(file.readline(_HEADER))
            sender = _key(header["sender"])
            for name, value in expected.items():
                if header[name] != value:
                    raise ValueError(f"it is of another {name}")  # noqa: TRY301
            data = file.read(shape.size + 1)
        if len(data) != shape.size or sender not in roster.members:
            raise ValueError("its size or its sender is not of the roster")  # noqa: TRY301
    except OSError as exc:
        raise ConfigError(f"read the sketch {path}: {exc.strerror}") from exc
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise ConfigError(f"{path}: cannot be used as a {kind} of {week}: {exc}") from exc
    return sender, np.frombuffer(data, "<u4").astype(np.uint32).reshape(shape.depth, shape.width)


@dataclass(frozen=True, slots=True)
class Answer:
    """What whoever added up tells the households: the threshold, with noise, and of each cell whether it reaches it. No count."""

    week: str
    roster: str
    threshold: float
    ads: int
    """How many there are, with noise."""
    many: NDArray[np.bool_]

    @classmethod
    def of(cls, total: Cells, roster: Roster, week: str) -> Self:
        """From the sum of all: its noise is other noise each time, so it is to be made once.

        An ad takes one cell of each row, so the cells that are empty tell about how many ads there are (Whang and others 1990).
        """
        terms, shape = roster.terms, roster.terms.shape
        [taken] = noisy([int((total > 0).sum())], terms.most * shape.depth, terms.epsilon * _ADS)
        [number] = noisy([int(total[0].sum(dtype=np.int64))], terms.most, terms.epsilon * (1 - _ADS))
        empty = min(max(1 - taken / shape.size * 4, 1 / shape.width), 1.0)
        ads = max(round(-shape.width * math.log(empty)), 1)
        threshold = max(number, 0) / ads
        return cls(week, roster.digest, threshold, ads, total >= threshold)

    def write(self) -> bytes:
        """As a file."""
        many = base64.b64encode(np.packbits(self.many).tobytes()).decode()
        row = {"week": self.week, "roster": self.roster, "threshold": self.threshold, "ads": self.ads, "many": many}
        return _document("answer", row)

    @classmethod
    def read(cls, path: Path, roster: Roster) -> Self:
        """Raises ConfigError where the file is none, or of another roster."""
        row, shape = _read(path, "answer"), roster.terms.shape
        try:
            if row["roster"] != roster.digest:
                raise ValueError("it is of another roster")  # noqa: TRY301
            data = np.frombuffer(base64.b64decode(row["many"], validate=True), np.uint8)
            if len(data) != -(-shape.width * shape.depth // 8):
                raise ValueError("it has another size")  # noqa: TRY301
            many = np.unpackbits(data, count=shape.width * shape.depth).reshape(shape.depth, shape.width)
            threshold = float(row["threshold"])
            if not 0 <= threshold < math.inf:
                raise ValueError("its threshold is none")  # noqa: TRY301
            return cls(str(row["week"]), row["roster"], threshold, int(row["ads"]), many.astype(np.bool_))
        except (ValueError, KeyError, TypeError, OverflowError) as exc:
            raise ConfigError(f"{path}: cannot be used as an answer: {exc}") from exc


def study_keys(state: Path, study: Study) -> StudyKeys:
    """What a study calls people, pages and ads.

    Raises:
        ConfigError: its key, or the invitation of a joint one, is gone.
    """
    shared = Invitation.read(invitation_file(state, study.name)).key if study.joint else None
    return StudyKeys(read_key(key_file(state, study.name)), shared)


def made_up(blinding: Blinding, roster: Roster, week: str, missing: tuple[bytes, ...]) -> Cells:
    """What this household shared with the missing.

    Raises:
        ConfigError: they are not of the roster, it is one of them, or fewer than three are left, whose sum would tell too much.
    """
    strange = set(missing) - set(roster.members)
    if strange or blinding.public in missing or len(roster.members) - len(set(missing)) < 3:
        raise ConfigError("make up for the missing: they are to be others of the roster, and three are to be left")
    return blinding.made_up_for(sorted(set(missing)), roster.terms.shape, roster.round_id(week))


def _document(kind: str, row: dict[str, Any]) -> bytes:
    return json.dumps({"capper": kind, "version": 1} | row, indent=1, sort_keys=True).encode() + b"\n"


def _read(path: Path, kind: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_DOCUMENT + 1)
        if len(data) > _DOCUMENT:
            raise ValueError(f"it has more than {_DOCUMENT} bytes")  # noqa: TRY301
        row = json.loads(data)
        if not isinstance(row, dict) or (row.get("capper"), row.get("version")) != (kind, 1):
            raise ValueError("it is none, or of another version")  # noqa: TRY301
    except OSError as exc:
        raise ConfigError(f"read the {kind} {path}: {exc.strerror}") from exc
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"{path}: cannot be used as a file of the kind {kind}: {exc}") from exc
    return row


def _key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return key
