"""A study of rows that are there already, imported or made up: put together where nobody sees it, and registered whole or not at all."""

import secrets
import shutil
from collections.abc import Iterable
from dataclasses import replace
from itertools import batched
from pathlib import Path
from types import TracebackType
from typing import Self

from capper.domain.errors import ConfigError
from capper.domain.window import from_ms
from capper.settings.writing import put
from capper.study.exposure import Exposure, Visit
from capper.study.register import (
    Participant,
    Study,
    StudyKeys,
    change_study,
    data_file,
    key_file,
    make_key,
    read_studies,
    register_file,
    studies_folder,
)
from capper.study.store import Store

_TOGETHER = 50_000


class Draft:
    """Entered, there is a file to be filled; `register` makes a study of it; what is not registered when it is left is gone."""

    def __init__(self, state: Path, name: str, key: bytes | None = None) -> None:
        """`key`: what the study's own names are made with; left out: a new one.

        Raises:
            ConfigError: there is a study of that name, or nothing can be written.
        """
        if name in read_studies(register_file(state)):
            raise _there_is(name)
        self._state, self._name = state, name
        self._draft = f".{name}.{secrets.token_hex(4)}"
        if key:
            put(key_file(state, self._draft), key)
        else:
            key = make_key(key_file(state, self._draft))
        self.keys = StudyKeys(key)
        self.store = Store.open(data_file(state, self._draft))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()
        shutil.rmtree(studies_folder(self._state) / self._draft, ignore_errors=True)

    def fill(self, exposures: Iterable[Exposure], visits: Iterable[Visit] = ()) -> None:
        """Write rows, however many they are."""
        for some in batched(exposures, _TOGETHER):
            self.store.add(some)
        for others in batched(visits, _TOGETHER):
            self.store.add((), others)

    def register(self, study: Study) -> Study:
        """Make this study of what is in the file, with everybody in it as a participant, over since it ended.

        Where `study` begins and ends at the same time, it goes from the first row to the last.

        Raises:
            ConfigError: there is nothing in it, there is one of that name by now, or it cannot be written.
        """
        exposures, visits = self.store.exposures(), self.store.visits()
        if not len(exposures) + len(visits):
            raise ConfigError(f"make the study {self._name}: nothing was found, no ad and no page that was opened")
        if study.begun == study.until:
            first = min(each.time.min() for each in (exposures, visits) if len(each))
            last = max(each.time.max() for each in (exposures, visits) if len(each))
            study = replace(study, begun=from_ms(int(first)), until=from_ms(int(last) + 1))
        people = dict.fromkeys(
            sorted({*exposures.person.names, *visits.person.names} - {""}), Participant(study.begun, study.text)
        )
        made = replace(study, name=self._name, stopped=study.until, participants=people, recorded=False)
        self.store.close()

        def begin(there: Study | None) -> Study:
            if there:
                raise _there_is(self._name)
            folder = studies_folder(self._state)
            try:
                (folder / self._draft).rename(folder / self._name)
            except OSError as exc:
                raise ConfigError(f"write {folder / self._name}: {exc.strerror}") from exc
            return made

        change_study(register_file(self._state), self._name, begin)
        return made


def _there_is(name: str) -> ConfigError:
    return ConfigError(f"there is a study called {name} already; take another name")
