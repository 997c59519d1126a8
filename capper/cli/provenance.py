"""What a study's figures depend on besides its rows: this capper, its settings, lists and rules, each by version and digest."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import capper
from capper.packaged import packaged_config
from capper.recognise.filterlist import header
from capper.recognise.likeness import DHASH_NEAR, PHASH_NEAR, SIZE, TEXTS_AGREE
from capper.recognise.lists import ListStore, starter_lists
from capper.settings import Settings, policy_file
from capper.settings.policy import parse_policy
from capper.settings.toml import read_text

_RULES = ("networks", "labels", "visits.toml", "optouts.toml")
"""Of the packaged configuration: what tells whose ad it is, and what a visit was."""
_OF_THIS_MACHINE = frozenset({"ledger", "state", "lists", "policy"})
"""Settings that say where things are; an address of a ledger may hold a password."""


def provenance(settings: Settings) -> dict[str, Any]:
    """For a manifest."""
    own = {path.name: read_text(path) for path in settings.lists}
    lists = {each.name: each.text for each in ListStore(settings.state).lists() or starter_lists()} | own
    kept = {key: value for key, value in asdict(settings).items() if key not in _OF_THIS_MACHINE}
    text = read_text(policy_file(settings))
    policy = parse_policy(text, "the policy")
    return {
        "tool": {"name": "capper", "version": capper.__version__, "sha256": _sources(), "commit": _commit()},
        "policy": {
            "sha256": _sha256(text.encode()),
            "caps": [str(cap) for cap in policy.default.caps],
            "rules": len(policy.rules),
            "time_zone": str(policy.zone),
        },
        "configuration": {"sha256": _sha256(json.dumps(kept, default=str, sort_keys=True).encode())},
        "lists": {name: _list(text) for name, text in lists.items()},
        "public_suffix_list": {"package": "publicsuffixlist", "version": version("publicsuffixlist")},
        "identity_rules": {"sha256": _sha256(b"".join(_parts(_RULES)))},
        "likeness": {
            "hashes": "pHash and dHash",
            "package": "imagehash",
            "version": version("imagehash"),
            "bits": SIZE * SIZE,
            "at_most": {"phash": PHASH_NEAR, "dhash": DHASH_NEAR},
            "texts_agree": TEXTS_AGREE,
        },
    }


def _list(text: str) -> dict[str, str]:
    told = header(text)
    return {"title": told.title, "version": told.version, "sha256": _sha256(text.encode("utf-8", "surrogatepass"))}


def _sources() -> str:
    """The digest of every module as it is installed: what a version does not tell of a checkout."""
    package = Path(capper.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _commit() -> str:
    """The commit that is checked out; "" where capper was installed from a wheel, or there is no git."""
    checkout, git = packaged_config().parent, shutil.which("git")
    if git is None or not (checkout / ".git").exists():
        return ""
    told = subprocess.run(  # noqa: S603  a fixed command
        [git, "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()


def _parts(names: Iterable[str]) -> Iterable[bytes]:
    for name in names:
        place = packaged_config() / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file():
                yield path.name.encode() + b"\0" + path.read_bytes()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
