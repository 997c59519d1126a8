"""What is remembered of addresses, and forgotten."""

import gc
import weakref

from capper.remembered import Shelf, forget, remembered


def test_a_function_is_asked_once_until_it_is_forgotten():
    """What a function said is said again without asking it; forgotten, it is asked anew."""
    asked = []

    @remembered(10)
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    assert (4, 4) == (length("site"), length("site"))
    forget()
    assert 4 == length("site")
    assert ["site", "site"] == asked


def test_a_shelf_holds_no_more_than_its_most():
    """One value too many empties it; what came last is there."""
    shelf = Shelf(2)
    for number in range(3):
        shelf[number] = str(number)

    assert [None, None, "2"] == [shelf.get(number) for number in range(3)]


def test_forgetting_empties_shelves():
    """A shelf is emptied like everything else that is remembered."""
    shelf = Shelf(2)
    shelf["news.example"] = "rules"
    forget()

    assert shelf.get("news.example") is None


def test_a_memory_ends_with_its_owner():
    """That it can be emptied keeps nothing alive."""
    shelf = Shelf(2)
    gone = weakref.ref(shelf)
    del shelf
    gc.collect()

    assert gone() is None
