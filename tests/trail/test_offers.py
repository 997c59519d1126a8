"""What auctions offered is read when its host is asked, once, and forgotten after some minutes."""

from datetime import timedelta

from capper.domain.identity import Ad
from capper.domain.sighting import Format
from capper.testing import FrozenClock
from capper.trail.delivery import Delivery
from capper.trail.offers import _MOST_BYTES, _MOST_SHEAVES, Offers, Sheaf

LIFE = timedelta(minutes=10)
SHOES = Delivery(Ad(("shoes.example",)), "o", Format.BANNER, None, candidate=True)


def sheaf(host: str, reads: list[str] | None = None, size: int = 0) -> Sheaf:
    """An answer that names `host`; `reads` gets a line each time its addresses are read."""

    def urls() -> tuple[str, ...]:
        if reads is not None:
            reads.append(host)
        return (f"https://{host}/seen",)

    return Sheaf(f'{{"nurl":"https:\\/\\/{host}\\/seen"}}'.encode() + b" " * size, ((SHOES, urls),))


def test_read_when_its_host_is_asked() -> None:
    """Only the answer that names the host is read, and that only once."""
    offers, clock, reads = Offers(100, LIFE), FrozenClock(), []
    offers.put("anna", sheaf("a.example", reads), clock())
    offers.put("anna", sheaf("b.example", reads), clock())

    assert list(offers.opened("anna", "https://c.example/seen", clock())) == []
    assert list(offers.opened("anna", "https://b.example/other", clock())) == [(SHOES, ("https://b.example/seen",))]
    assert list(offers.opened("anna", "https://b.example/seen", clock())) == []
    assert reads == ["b.example"]


def test_a_host_that_was_absent_may_come() -> None:
    """That no answer named a host so far says nothing about the next answer."""
    offers, clock = Offers(100, LIFE), FrozenClock()
    offers.put("anna", sheaf("a.example"), clock())
    assert list(offers.opened("anna", "https://b.example/", clock())) == []
    offers.put("anna", sheaf("b.example"), clock())

    assert len(list(offers.opened("anna", "https://b.example/", clock()))) == 1


def test_each_her_own_and_not_for_ever() -> None:
    """Another person's requests read nothing, and neither does a request ten minutes later."""
    offers, clock = Offers(100, LIFE), FrozenClock()
    offers.put("anna", sheaf("a.example"), clock())
    assert list(offers.opened("ben", "https://a.example/", clock())) == []
    clock.forward(minutes=10)

    assert list(offers.opened("anna", "https://a.example/", clock())) == []


def test_bounded() -> None:
    """The oldest answers go where there are too many, or too large ones."""
    offers, clock = Offers(100, LIFE), FrozenClock()
    for number in range(_MOST_SHEAVES + 1):
        offers.put("anna", sheaf(f"a{number}.example"), clock())
    for _ in range(3):
        offers.put("ben", sheaf("large.example", size=_MOST_BYTES // 2), clock())

    assert list(offers.opened("anna", "https://a0.example/", clock())) == []
    assert len(list(offers.opened("anna", f"https://a{_MOST_SHEAVES}.example/", clock()))) == 1
    assert len(list(offers.opened("ben", "https://large.example/", clock()))) == 1


def test_junk() -> None:
    """What is no address names no host."""
    offers, clock = Offers(100, LIFE), FrozenClock()
    offers.put("anna", sheaf("a.example"), clock())

    assert [
        list(offers.opened("anna", url, clock())) for url in ("", "x", "http://[", "https://\ud800/", "kept:1")
    ] == [[]] * 5


def test_searched_once_for_a_host() -> None:
    """A host that asks again and again has each answer searched once, also when others come between."""
    searched: list[str] = []

    class Watched(bytes):
        def __contains__(self, part: object) -> bool:
            searched.append(str(part))
            return super().__contains__(part)  # type: ignore[operator]

    offers, clock = Offers(100, LIFE), FrozenClock()
    for _ in range(3):
        offers.put("anna", Sheaf(Watched(b"https://b.example/"), ((SHOES, tuple),)), clock())
        assert list(offers.opened("anna", "https://a.example/", clock())) == []

    assert len(searched) == 3
