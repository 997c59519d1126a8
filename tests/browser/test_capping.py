"""The main job, seen by a real browser over HTTPS: a repeated banner is capped for the person who keeps seeing it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from playwright.async_api import Page

from capper.demo.household import Household
from capper.demo.sites import AD_SERVER, NEWS, RECIPES, WEATHER, Placement, Site, markup
from capper.testing import FrozenClock

pytestmark = pytest.mark.timeout(240)

CAPS = """
caps = ["3 per advertiser per day"]
"""

Box = dict[str, float]


@dataclass
class Reader:
    """A person at one of her browsers."""

    household: Household
    clock: FrozenClock
    page: Page
    artifacts: Path

    async def reads(self, site: Site, picture: str) -> "View":
        """Open the site's page a minute after the last, and keep a screenshot called `picture`."""
        self.clock.forward(minutes=1)
        response = await self.page.goto(f"https://{site.host}/", wait_until="networkidle")
        assert response is not None
        await self.page.screenshot(path=self.artifacts / f"{picture}.png")
        pixels = Image.open(self.artifacts / f"{picture}.png").convert("RGB")
        served = self.household.world.asked(site.host, "/")
        (sent,) = [one for one in served if one.asked.path == "/"][-1:]
        return View(
            site,
            sent.reply.body,
            await response.body(),
            [await self._look("#top"), await self._look("#side")],
            await self.page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]"),
            await response.all_headers(),
            pixels,
        )

    async def _look(self, place: str) -> "Slot":
        """What is seen in a slot, its frame included."""
        box = await self.page.locator(f"{place} > *").first.bounding_box()
        assert box is not None
        frame = self.page.locator(f"{place} iframe")
        inside = self.page.frame_locator(f"{place} iframe") if await frame.count() else self.page.locator(place)
        pictures = await inside.locator("img[alt]").evaluate_all(
            "all => all.filter(one => one.complete && one.naturalWidth > 0).map(one => one.alt)"
        )
        text = await (inside.locator("body") if await frame.count() else inside).inner_text()
        return Slot(box, pictures, " ".join(text.split()))


Reading = Callable[[str], Awaitable[Reader]]


@pytest.fixture
def reading(household: Household, clock: FrozenClock, sit_down, artifacts: Path) -> Reading:
    """Sits somebody down at a device of the household, by its name."""

    async def at(device: str) -> Reader:
        return Reader(household, clock, await sit_down(device), artifacts)

    return at


@dataclass
class Slot:
    """What stands in a slot: its box, the advertisers whose banners are seen, and the text."""

    box: Box
    banners: list[str]
    text: str


@dataclass
class View:
    """One page as a person sees it, beside what the site sent."""

    site: Site
    sent: bytes
    received: bytes
    slots: list[Slot]
    size: list[int]
    headers: dict[str, str]
    pixels: Image.Image

    @property
    def banners(self) -> list[str]:
        """The banners seen, top and side."""
        return [name for slot in self.slots for name in slot.banners]

    def differs_in(self, other: "View") -> tuple[int, int, int, int] | None:
        """The part of the picture that is not as in the other view: left, top, width, height."""
        box = ImageChops.difference(self.pixels, other.pixels).getbbox()
        return box and (box[0], box[1], box[2] - box[0], box[3] - box[1])

    def around(self, placement: Placement) -> list[bytes]:
        """The page as the site sent it, before and after one ad."""
        return self.sent.split(markup(placement, self.site).encode())


async def test_a_repeated_banner_is_capped_for_the_person_who_keeps_seeing_it(clock: FrozenClock, reading: Reading):
    """Anna sees the shoe ad on three sites and then, on either of her browsers, a placeholder; ben still sees it."""
    laptop, phone, ben = [await reading(device) for device in ("laptop", "phone", "ben")]

    first = await laptop.reads(NEWS, "1-news-shown")
    second = await phone.reads(WEATHER, "2-weather-shown-on-the-phone")
    third = await laptop.reads(RECIPES, "3-recipes-shown")
    fourth = await phone.reads(NEWS, "4-news-withheld-on-the-phone")
    fifth = await laptop.reads(NEWS, "5-news-withheld")
    sixth = await laptop.reads(WEATHER, "6-weather-withheld-in-its-frame")
    others = await ben.reads(NEWS, "7-news-shown-to-ben")
    clock.forward(days=1)
    again = await laptop.reads(NEWS, "8-news-shown-again-a-day-later")

    assert first.banners == ["shoes", "travel"]
    assert second.banners == ["coffee", "shoes"]
    assert third.banners == ["shoes", "coffee"]
    assert fourth.banners == fifth.banners == ["travel"]
    assert sixth.banners == ["coffee"]
    assert others.banners == again.banners == ["shoes", "travel"]

    for withheld, shown, place in ((fourth, first, 0), (fifth, first, 0), (sixth, second, 1)):
        assert "shoes.example" in withheld.slots[place].text
        assert [slot.box for slot in withheld.slots] == [slot.box for slot in shown.slots]
        assert withheld.size == shown.size

    assert fifth.differs_in(first) == fourth.differs_in(first) == (186, 84, NEWS.top.width, NEWS.top.height)
    assert sixth.differs_in(second) == (750, 219, WEATHER.side.width, WEATHER.side.height)
    assert again.differs_in(first) is others.differs_in(first) is None

    for untouched in (first, second, third, sixth, others, again):
        assert untouched.received == untouched.sent
    for withheld in (fourth, fifth):
        before, after = withheld.around(NEWS.top)
        assert withheld.received != withheld.sent
        assert withheld.received.startswith(before)
        assert withheld.received.endswith(after)
        assert withheld.headers["content-security-policy"] == first.headers["content-security-policy"]


async def test_a_cached_banner_is_counted_each_time_it_is_seen(household: Household, reading: Reading):
    """A banner that its server lets the browser keep for an hour is capped all the same, and fetched once only."""
    reader = await reading("laptop")

    views = [await reader.reads(NEWS, f"{number}-news") for number in range(1, 6)]

    assert [view.banners for view in views] == [["shoes", "travel"]] * 3 + [[]] * 2
    shoes = household.world.asked(AD_SERVER, "/banner/shoes")
    travel = household.world.asked(AD_SERVER, "/banner/travel")
    assert [len(shoes), len(travel)] == [1, 1]
