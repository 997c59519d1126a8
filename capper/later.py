"""What a start does without: modules, and values that take a while to make, each there once somebody needs it."""

import asyncio
import importlib
import sys
import types
import warnings
from collections.abc import Callable, Collection, Iterator
from importlib.machinery import ModuleSpec
from importlib.util import LazyLoader, find_spec, module_from_spec
from typing import Any


class _StandIn(type):
    """Of a name in such a module, a class or function mostly: what is done with it is done with the real one."""

    def __init__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any]) -> None:
        super().__init__(name, bases, names)
        cls._later: _Later = names["_later"]

    def real(cls) -> Any:
        return getattr(cls._later.real(), cls.__name__)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.real()(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        # Nothing was made of a class that is not there yet.
        return cls._later.here() and isinstance(instance, cls.real())

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.real(), name)

    def __getitem__(cls, key: Any) -> Any:
        return cls.real()[key]

    def __iter__(cls) -> Iterator[Any]:
        return iter(cls.real())


class _Later(types.ModuleType):
    """A module that is imported once something of it is used, with those of its `group` that stand in too."""

    def __init__(self, name: str, group: Collection[str]) -> None:
        super().__init__(name)
        self._group = group

    def __getattr__(self, name: str) -> _StandIn:
        if name.startswith("__"):
            raise AttributeError(name)
        return _StandIn(name, (), {"_later": self})

    def here(self) -> bool:
        return not isinstance(sys.modules.get(self.__name__, self), _Later)

    def real(self) -> types.ModuleType:
        if not self.here():
            for name in self._group:
                if isinstance(sys.modules.get(name), _Later):
                    del sys.modules[name]
            with warnings.catch_warnings():
                # mitmproxy 12 uses names that pyparsing 3.3 calls deprecated; nothing we could change.
                warnings.simplefilter("ignore", DeprecationWarning)
                for name in self._group:
                    importlib.import_module(name)
        return sys.modules[self.__name__]


def import_later(*group: str) -> None:
    """Let modules be imported once something of one of them is used; those that are here already stay.

    Who imports such a module, or a name from it, gets a stand-in: it can be called, asked for its attributes and items, and
    whether something is an instance of it; it cannot be a base class, nor can its value be looked at otherwise.
    """
    for name in group:
        if name not in sys.modules:
            sys.modules[name] = _Later(name, group)


def _spec(name: str) -> ModuleSpec:
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"import {name} later: there is no such module", name=name)
    return spec


def _add(module: types.ModuleType) -> None:
    """Put a module where it is imported from, and where its package would name it."""
    sys.modules[module.__name__] = module
    package, _, last = module.__name__.rpartition(".")
    if package:
        setattr(sys.modules[package], last, module)


def import_lazily(*names: str) -> None:
    """Let modules be executed once an attribute of one is asked for; those that are here already stay.

    For modules that are imported themselves: whoever imports a name from one needs it there and then, and has it.
    """
    for name in names:
        if name not in sys.modules:
            spec = _spec(name)
            assert spec.loader
            spec.loader = loader = LazyLoader(spec.loader)
            module = module_from_spec(spec)
            _add(module)
            loader.exec_module(module)


class _Bare(types.ModuleType):
    """A package that was not executed, of which modules can be imported all the same."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        inside = f"{self.__name__}.{name}"
        if find_spec(inside):
            return importlib.import_module(inside)
        self.__class__ = types.ModuleType  # type: ignore[assignment]
        loader = self.__spec__ and self.__spec__.loader
        assert loader
        loader.exec_module(self)
        return getattr(self, name)


def import_bare(*packages: str) -> None:
    """Let packages be executed once a name of their own is asked for, outermost first; those that are here already stay.

    For those that import every module they have, where a few are needed.
    """
    for name in packages:
        if name not in sys.modules:
            package = module_from_spec(_spec(name))
            package.__class__ = _Bare
            _add(package)


def import_now(*names: str) -> None:
    """Execute modules, also those that were to be imported lazily or later."""
    for name in names:
        module = importlib.import_module(name)
        if isinstance(module, _Later):
            module.real()


class Late[Made]:
    """A value that takes a while to make: made in a thread when somebody first waits for it, and once for all who do."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._making = asyncio.Lock()
        self._made: list[Made] = []

    async def __call__(self) -> Made:
        """The value; raises what making it raises, and the next one tries again."""
        if not self._made:
            async with self._making:
                if not self._made:
                    self._made.append(await asyncio.to_thread(self._make))
        return self._made[0]
