"""Modules that are imported when something of them is used."""

import sys

import pytest

from capper.proxy.later import import_later

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
def package(tmp_path, monkeypatch):
    """A package `seldom` with a module `seldom.layer` and one that needs it, both to be imported later."""
    folder = tmp_path / "seldom"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "layer.py").write_text(ROOT)
    (folder / "stack.py").write_text("from seldom.layer import Layer\n\nclass Stack(Layer):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import_later("seldom.layer", "seldom.stack")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "seldom"]:
        del sys.modules[name]


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


def test_what_is_here_already_stays(package):
    """A module that somebody has imported is no stand-in."""
    from seldom.layer import Layer

    Layer("a")
    here = sys.modules["seldom.layer"]
    import_later("seldom.layer")

    assert here is sys.modules["seldom.layer"]
