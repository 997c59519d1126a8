"""What is loaded once somebody needs it."""

import asyncio
import sys

import pytest

from capper.later import Late, import_bare, import_later, import_lazily, import_now

ROOT = """
VERSIONS = [1, 2]
CODES = {"fine": 200}

class Layer:
    "Something that is made and asked for."
    kind = "real"

    def __init__(self, name):
        self.name = name
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a package that can be imported until the test ends, from its own text and its modules'."""
    packages = set()

    def write(package, text="", **modules):
        packages.add(package)
        folder = tmp_path / package
        folder.mkdir()
        for name, content in {"__init__": text, **modules}.items():
            (folder / f"{name}.py").write_text(content)
        monkeypatch.syspath_prepend(tmp_path)

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]


@pytest.fixture
def package(written):
    """A package `seldom` with a module `seldom.layer` and one that needs it, both to be imported later."""
    written("seldom", layer=ROOT, stack="from seldom.layer import Layer\n\nclass Stack(Layer):\n    pass\n")
    import_later("seldom.layer", "seldom.stack")


def test_nothing_is_imported_before_it_is_used(package):
    """A name can be had without its module; asking whether something is an instance of it is no use of it."""
    from seldom.layer import Layer

    assert not isinstance("a layer", Layer)
    assert not hasattr(sys.modules["seldom.layer"], "__file__")


def test_a_class_is_made_called_and_asked_as_the_real_one(package):
    """What is made of a stand-in is an instance of it and of the real class; attributes are the real one's."""
    from seldom.layer import Layer

    made = Layer("a")

    import seldom.layer

    assert type(made) is seldom.layer.Layer
    assert isinstance(made, Layer)
    assert ("a", "real") == (made.name, Layer.kind)


def test_values_are_gone_through_and_looked_up(package):
    """A list in such a module can be iterated, a mapping looked up."""
    from seldom.layer import CODES, VERSIONS

    assert [1, 2] == list(VERSIONS)
    assert 200 == CODES["fine"]


def test_modules_of_a_group_are_imported_together(package):
    """One that has another of the group as its base gets the real one."""
    from seldom import stack

    assert "b" == stack.Stack("b").name


def test_a_module_can_be_imported_before_it_is_used(package):
    """Once there is time for it."""
    from seldom.stack import Stack

    import_now("seldom.stack")

    assert hasattr(sys.modules["seldom.stack"], "__file__")
    assert "real" == Stack("c").kind


def test_what_is_here_already_stays(package):
    """A module that somebody has imported is no stand-in."""
    from seldom.layer import Layer

    Layer("a")
    here = sys.modules["seldom.layer"]
    import_later("seldom.layer")

    assert here is sys.modules["seldom.layer"]


@pytest.fixture
def lazy(written):
    """A package `idle` with a module `idle.search` that notes when it is executed, imported lazily."""
    search = "import idle\n\nidle.executed.append(__name__)\n\ndef find():\n    return 'it'\n"
    written("idle", "executed = []\n", search=search)
    import_lazily("idle.search")


def test_a_module_is_executed_once_it_is_used(lazy):
    """Importing it is no use of it; asking it for something is, and then it is as any other."""
    import idle
    from idle import search

    before = [*idle.executed]
    found = search.find()

    assert ([], "it", ["idle.search"]) == (before, found, idle.executed)
    assert type(sys) is type(search)


def test_a_module_is_executed_when_it_is_told_to(lazy):
    """Once, however often."""
    import idle

    import_now("idle.search", "idle.search")

    assert ["idle.search"] == idle.executed


def test_a_module_that_is_not_there_is_missed_at_once(lazy):
    """Not when somebody needs it."""
    with pytest.raises(ModuleNotFoundError, match="no such module"):
        import_lazily("idle.nothing")


async def test_a_value_is_made_once_for_all_who_wait():
    """However many ask for it at the same time, and later."""
    made = []
    late = Late(lambda: made.append("made") or object())
    first, second = await asyncio.gather(late(), late())

    assert first is second is await late()
    assert ["made"] == made


async def test_a_value_that_could_not_be_made_is_tried_again():
    """Whoever waited learns why."""
    faults = [ValueError("not yet")]

    def make():
        if faults:
            raise faults.pop()
        return "it"

    late = Late(make)
    with pytest.raises(ValueError, match="not yet"):
        await late()

    assert "it" == await late()


@pytest.fixture
def bare(written):
    """A package `many` that imports each of its modules, imported bare."""
    text = "from many import costly, needed\nfrom many.costly import PRICE\n"
    written("many", text, costly="PRICE = 9\n", needed="WORD = 'here'\n")
    import_bare("many")


def test_a_module_is_had_without_its_package(bare):
    """What the package imports beside it is not imported, in whichever way the module is."""
    import many
    from many import needed
    from many.needed import WORD

    assert ("here", needed) == (WORD, many.needed)
    assert "many.costly" not in sys.modules


def test_a_package_is_executed_for_a_name_of_its_own(bare):
    """And then is as any other."""
    from many import PRICE

    assert 9 == PRICE
    assert "many.needed" in sys.modules


def test_a_name_that_a_package_has_not(bare):
    """Is missed as in any other."""
    import many

    with pytest.raises(AttributeError, match="nothing"):
        many.nothing  # noqa: B018
