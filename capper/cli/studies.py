"""The studies of this machine, as the commands about them find one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from capper.domain.errors import ConfigError
from capper.settings import Settings, load_settings
from capper.settings.reader import near
from capper.settings.version import check_state
from capper.study.joint import study_keys
from capper.study.register import Study, StudyKeys, data_file, read_studies, register_file
from capper.study.store import Store

Name = Annotated[str, typer.Argument(metavar="STUDY", help="The study's name.", show_default=False)]
Who = Annotated[str, typer.Option("--person", metavar="NAME", help="Who, by the policy's name.")]


def study_settings(config: Path | None, state: Path | None) -> Settings:
    """The settings, of a state folder that this capper can use."""
    settings = load_settings(config, {"state": state})
    check_state(settings.state)
    return settings


def checked_name(text: str) -> str:
    """A new study's name, which becomes a folder's too.

    Raises:
        ConfigError: it cannot be one.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", text):
        raise ConfigError(
            f"expected a study's name of lower-case letters, digits and hyphens, at most 40, not {text!r}"
        )
    return text


def study_of(settings: Settings, name: str) -> Study:
    """The study of that name.

    Raises:
        ConfigError: there is none.
    """
    studies = read_studies(register_file(settings.state))
    if name not in studies:
        hint = near(name, studies) or "; `capper measure status` shows which there are"
        raise ConfigError(f"there is no study called {name}{hint}")
    return studies[name]


def still(study: Study | None, name: str) -> Study:
    """The study, if it is registered still.

    Raises:
        ConfigError: it is not.
    """
    if study is None:
        raise ConfigError(f"there is no study called {name} any more")
    return study


def keys_of(settings: Settings, name: str) -> StudyKeys:
    """What the study calls people, pages and ads.

    Raises:
        ConfigError: its key is gone, as that of a closed study is.
    """
    return study_keys(settings.state, study_of(settings, name))


@contextmanager
def recorded(settings: Settings, name: str) -> Iterator[Store]:
    """What was recorded for the study."""
    store = Store.open(data_file(settings.state, name))
    try:
        yield store
    finally:
        store.close()
