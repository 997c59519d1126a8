"""The MAC behind an address."""

from capper.devices.leasefiles import Leased
from capper.devices.macs import FRESH, REMEMBERED, Macs, by_address
from capper.devices.neighbours import Neighbour

LAPTOP, PHONE = "de:ad:be:ef:00:01", "de:ad:be:ef:00:02"


class Kernel:
    """A table that says what it is told to, and counts how often it is asked."""

    def __init__(self):
        self.rows, self.asked, self.now, self.fault = [], 0, 100.0, None

    def __call__(self):
        self.asked += 1
        if self.fault:
            raise self.fault
        return self.rows

    def clock(self):
        return self.now

    def put(self, address, mac, *, current=True):
        self.rows.append(Neighbour(address, mac, current, router=False))

    def macs(self, leased=Leased):
        return Macs(leased, self, self.clock)


def test_a_new_address_of_a_known_device():
    """A device that takes another address is asked for once, and then known by it."""
    kernel = Kernel()
    kernel.put(b"aaaa", LAPTOP)
    macs = kernel.macs()
    first = macs.mac(b"aaaa")
    kernel.now += 0.01
    kernel.put(b"bbbb", LAPTOP)

    assert [LAPTOP] * 4 == [first, macs.mac(b"bbbb"), macs.mac(b"bbbb"), macs.mac(b"aaaa")]
    assert 2 == kernel.asked


def test_an_address_that_nobody_has():
    """It is asked for once, until the table is read again anyway."""
    kernel = Kernel()
    macs = kernel.macs()
    for _ in range(5):
        assert macs.mac(b"gone") is None
    few = kernel.asked
    kernel.now += FRESH
    kernel.put(b"gone", LAPTOP)

    assert 1 == few
    assert LAPTOP == macs.mac(b"gone")


def test_a_flood_of_addresses():
    """Ever new addresses from beyond do not have the table read for ever."""
    kernel = Kernel()
    macs = kernel.macs()
    for number in range(10_000):
        kernel.now += 0.0001
        macs.mac(number.to_bytes(4))

    assert kernel.asked < 4200


def test_reading_that_takes_long():
    """With a huge table reading takes a twentieth of the time at most; who came meanwhile is known a moment later."""
    kernel = Kernel()

    def slowly():
        kernel.now += 0.01
        return kernel()

    macs = Macs(Leased, slowly, kernel.clock)
    macs.mac(b"aaaa")
    began, kernel.asked = kernel.now, 0
    for number in range(2000):
        kernel.now += 0.001
        macs.mac(number.to_bytes(4))
    share = kernel.asked * 0.01 / (kernel.now - began)
    kernel.put(b"bbbb", LAPTOP)
    at_once = macs.mac(b"bbbb")
    kernel.now += 0.3

    assert share < 0.06
    assert [None, LAPTOP] == [at_once, macs.mac(b"bbbb")]


def test_an_address_that_went_to_another_device():
    """Within ten seconds it is the other's."""
    kernel = Kernel()
    kernel.put(b"aaaa", LAPTOP)
    macs = kernel.macs()
    before = macs.mac(b"aaaa")
    kernel.rows.clear()
    kernel.put(b"aaaa", PHONE)
    kernel.now += FRESH

    assert (LAPTOP, PHONE) == (before, macs.mac(b"aaaa"))


def test_a_quiet_device():
    """The kernel sweeps out whoever was quiet for a minute: for ten more its address is still the device's, not for ever."""
    kernel = Kernel()
    kernel.put(b"aaaa", LAPTOP)
    macs = kernel.macs()
    found = [macs.mac(b"aaaa")]
    kernel.rows.clear()
    for _ in range(2):
        kernel.now += REMEMBERED / 2
        found.append(macs.mac(b"aaaa"))
    kernel.now += REMEMBERED
    found.append(macs.mac(b"aaaa"))

    assert [LAPTOP, LAPTOP, None, None] == found


def test_leases_where_the_kernel_knows_nothing():
    """What the kernel sees outranks a lease; what it does not see a lease may tell."""
    kernel = Kernel()
    kernel.put(b"aaaa", LAPTOP)
    macs = kernel.macs(lambda: Leased({b"aaaa": PHONE, b"bbbb": PHONE}))

    assert [LAPTOP, PHONE] == [macs.mac(b"aaaa"), macs.mac(b"bbbb")]


def test_a_table_that_cannot_be_read():
    """The reason is told; what was known stays, and leases still speak."""
    kernel = Kernel()
    kernel.put(b"aaaa", LAPTOP)
    macs = kernel.macs(lambda: Leased({b"bbbb": PHONE}))
    macs.mac(b"aaaa")
    kernel.fault, kernel.now = OSError("no netlink"), kernel.now + FRESH

    assert [LAPTOP, PHONE] == [macs.mac(b"aaaa"), macs.mac(b"bbbb")]
    assert "no netlink" == macs.problem


def test_two_macs_for_one_address():
    """The one that answers now is right; if both do, or neither, nothing is guessed."""
    kernel = Kernel()
    for address, mac, current in (
        (b"aaaa", LAPTOP, False), (b"aaaa", PHONE, True),
        (b"bbbb", LAPTOP, True), (b"bbbb", PHONE, True), (b"bbbb", LAPTOP, False),
        (b"cccc", LAPTOP, False), (b"cccc", PHONE, False),
        (b"dddd", LAPTOP, True), (b"dddd", LAPTOP, True),
    ):  # fmt: skip
        kernel.put(address, mac, current=current)

    assert {b"aaaa": PHONE, b"bbbb": None, b"cccc": None, b"dddd": LAPTOP} == by_address(kernel.rows)
    assert [None, LAPTOP] == [kernel.macs().mac(address) for address in (b"bbbb", b"dddd")]
