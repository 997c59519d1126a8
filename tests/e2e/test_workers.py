"""`capper run --workers 2`, as processes: what they share, what one's death costs, and that nothing of them is left over."""

import os
import re
import signal
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from capper.proxy.steering import can_steer, place_of
from capper.proxy.testing import LOOPBACK
from capper.settings.running import read_running

pytestmark = pytest.mark.skipif(not can_steer(), reason="this system cannot lead a device to one worker")

PHONE = next(each for each in (f"127.0.0.{n}" for n in range(2, 255)) if place_of(each, 2) == 0)
LAPTOP = next(each for each in (f"127.0.0.{n}" for n in range(2, 255)) if place_of(each, 2) == 1)
"""Two devices of anna's, whose connections go to different workers."""
POLICY = f'caps = ["2 per advertiser per day"]\n[people.anna]\ndevices = ["{PHONE}", "{LAPTOP}"]\n'
PLENTY = POLICY.replace("2 per", "1000 per")


@pytest.fixture
def fleet(household):
    """A `capper run` with two workers, and what its parent's death would leave behind is ended with the test."""
    made = []

    def start(policy: str = POLICY, *options: str, **more: str):
        capper = household(policy, **more)
        made.append(capper)
        return capper.start("--workers", "2", *options)

    yield start
    for capper in made:
        for pid in processes(capper):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def device(capper, address: str):
    """A connection of a device's, and a function that loads a page over it: whether the ad in it was shown."""
    with socket.create_connection((LOOPBACK, capper.port), 30, source_address=(address, 0)) as opened:

        def visit() -> bool:
            opened.sendall(
                b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\nSec-Fetch-Dest: document\r\nAccept-Language: en\r\n\r\n"
            )
            data = b""
            while b"</html>" not in data:
                piece = opened.recv(65536)
                if not piece:
                    raise ConnectionError(data)
                data += piece
            return b"http://ads.test/shoes.png" in data

        yield visit


def visit(capper, address: str) -> bool:
    """The same over a connection of its own."""
    with device(capper, address) as load:
        return load()


def workers(capper) -> tuple:
    """Who works, as `capper status` would tell it."""
    return read_running(capper.state).workers


def processes(capper) -> list[int]:
    """Every process that has this capper's state folder in its command, the ledger's among them."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(capper.state).encode() in file.read_bytes():
                found.append(int(file.parent.name))
        except OSError:
            continue
    return found


def until(true, what: str, seconds: float = 30.0) -> None:
    """Wait for something that happens in another process."""
    over = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < over, what
        time.sleep(0.02)


def figures(capper) -> dict[str, float]:
    """What /metrics says, by name and labels."""
    found = re.search(r"metrics +(\S+);", capper.said())[1]
    word = (capper.state / "metrics.token").read_text().strip()
    text = httpx.get(found, headers={"Authorization": f"Bearer {word}"}, trust_env=False).text
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in rows}


def test_a_cap_holds_across_workers(fleet):
    """One person with a device at each of two workers is shown an ad as often as one person is; what they count adds up."""
    capper = fleet(POLICY, "--dashboard", f"{LOOPBACK}:0")
    shown = [visit(capper, where) for where in (PHONE, LAPTOP, PHONE, LAPTOP)]
    told = figures(capper)

    assert [True, True, False, False] == shown
    assert (2, 2) == (told['capper_ads_total{outcome="shown"}'], told['capper_ads_total{outcome="withheld"}'])
    assert (2, 2) == (told['capper_worker_ads_total{worker="1"}'], told['capper_worker_ads_total{worker="2"}'])
    assert 2 == capper.counted("anna")


def test_a_device_has_one_worker(fleet):
    """Each of its connections goes to the same one, so that what is remembered of a page is there."""
    capper = fleet(PLENTY, "--dashboard", f"{LOOPBACK}:0")
    for _ in range(10):
        visit(capper, PHONE)
    told = figures(capper)

    assert (10, 0) == (told['capper_worker_ads_total{worker="1"}'], told['capper_worker_ads_total{worker="2"}'])


def test_a_worker_that_dies(fleet):
    """It is started anew in its place; connections of the other live on, and no count is lost."""
    capper = fleet()
    server, (dying, living) = capper.ledger_pid(), workers(capper)
    with device(capper, LAPTOP) as laptop, device(capper, PHONE) as phone:
        before = [phone(), laptop()]
        os.kill(dying.pid, signal.SIGKILL)
        after = [visit(capper, PHONE), laptop()]
        with pytest.raises(ConnectionError):
            phone()
    told = capper.run("status", "--state", str(capper.state), "--policy", str(capper.policy)).stdout

    assert [True, True, False, False] == [*before, *after]
    assert (server, living) == (capper.ledger_pid(), workers(capper)[1])
    assert re.search(r"worker +1, process \d+, since .*, started anew once", told), told
    assert (0, True) == (capper.stop(), "ended by SIGKILL; it is started anew now" in capper.errors())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_end(fleet, number):
    """Told to end, all of them end, the ledger last; nothing is said and nothing is left."""
    capper = fleet()
    visit(capper, PHONE)

    assert (0, "") == (capper.stop(number), capper.errors())
    assert ([], None) == (processes(capper), read_running(capper.state))


def test_the_end_of_the_parent(fleet):
    """Even where the parent is killed, the others end by themselves, and so does the ledger."""
    capper = fleet()
    visit(capper, PHONE)
    capper.process.kill()
    capper.process.wait()
    until(lambda: not processes(capper), "somebody is left")

    assert 1 == capper.start().counted("anna")


def test_a_service_manager(fleet, tmp_path):
    """It hears from the parent: that all are ready, again and again that they are well, and that they stop."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(60)
        capper = fleet(POLICY, NOTIFY_SOCKET=str(tmp_path / "n"), WATCHDOG_USEC="3000000")
        heard = [manager.recv(1000) for _ in range(3)]
        assert 0 == capper.stop()
        manager.settimeout(0)
        while b"STOPPING=1" not in heard:
            heard.append(manager.recv(1000))

    (ready,) = (each for each in heard if each.startswith(b"READY=1"))
    assert b"2 workers" in ready
    assert heard.count(b"WATCHDOG=1") >= 2


def test_what_all_see_is_told_once(fleet):
    """Of a policy that cannot be used, of lists that are gone: a sentence each, from one of them."""
    capper = fleet()
    capper.policy.write_text("caps = nonsense")
    until(lambda: "line 1" in capper.errors(), "nobody speaks of the policy")
    assert all([visit(capper, PHONE), visit(capper, LAPTOP)])

    assert 1 == capper.errors().count("line 1"), capper.errors()


def test_the_end_in_the_middle_of_a_page(fleet, web):
    """A worker that is told to end lets what is under way finish, as a lone one does; nobody new is let in."""
    capper = fleet()
    with device(capper, PHONE) as phone:
        assert phone()
        capper.process.send_signal(signal.SIGTERM)
        assert 0 == capper.process.wait(30)
    with pytest.raises(ConnectionRefusedError):
        visit(capper, LAPTOP)


def test_a_policy_that_is_applied(fleet):
    """It is in force at every worker within the second, and told once."""
    capper = fleet(PLENTY)
    assert all([visit(capper, PHONE), visit(capper, LAPTOP)])
    (capper.folder / "new.toml").write_text(POLICY)
    at = ("--state", str(capper.state))
    applied = capper.run("policy", "apply", str(capper.folder / "new.toml"), *at)

    assert 0 == applied.returncode, applied.stderr
    for where in (PHONE, LAPTOP):
        until(lambda where=where: not visit(capper, where), f"{where} is still shown it")
    assert 1 == capper.errors().count("capper: policy reloaded: version 1"), capper.errors()


def test_a_port_that_is_taken(fleet, household):
    """By a lone capper or by another with workers: one sentence, exit code 3."""
    taken = fleet()
    second = household(name="second")
    ended = []
    for options in ((), ("--workers", "2")):
        process = second.launch("--listen", f"{LOOPBACK}:{taken.port}", *options)
        ended.append((process.wait(60), second.errors().startswith(f"capper: {LOOPBACK}:{taken.port} is taken")))

    assert [(3, True), (3, True)] == ended


def test_a_worker_that_cannot_start(household, tmp_path):
    """What only one of them can have and cannot get is one sentence, and the end of all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        wireguard = f"wireguard:{tmp_path / 'anna.conf'}@{LOOPBACK}:{taken.getsockname()[1]}"
        capper = household()
        process = capper.launch("--workers", "2", "--mode", "regular", "--mode", wireguard)
        code = process.wait(60)

    assert 3 == code
    assert 1 == len(capper.errors().splitlines()), capper.errors()
    assert [] == processes(capper)


def test_what_only_one_can_have(fleet, tmp_path):
    """Each person's WireGuard listens, at one worker, and the file for her device is there when it is told."""
    ports = []
    for _ in range(2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((LOOPBACK, 0))
            ports.append(free.getsockname()[1])
    people = [
        f"wireguard:{tmp_path / name}@{LOOPBACK}:{port}"
        for name, port in zip(("anna.conf", "ben.conf"), ports, strict=True)
    ]
    capper = fleet(POLICY, "--mode", "regular", "--mode", people[0], "--mode", people[1])
    told = [Path(found) for found in re.findall(r"for (?:anna|ben) +(\S+):", capper.said())]

    assert [f"Endpoint = {LOOPBACK}:{port}" for port in ports] == [
        line for file in told for line in file.read_text().splitlines() if line.startswith("Endpoint")
    ]
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, pytest.raises(OSError, match="in use"):
            taken.bind((LOOPBACK, port))


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--ledger", "memory"), "ledger = memory"), (("--mode", "local"), "mode local cannot have several workers")],
)
def test_what_cannot_be_shared(household, options, said):
    """It is refused in a sentence that says why."""
    capper = household()
    process = capper.launch("--workers", "2", *options)

    assert (2, True) == (process.wait(60), said in capper.errors()), capper.errors()


def test_one_worker_is_one_process(household):
    """`--workers 1` is `capper run` as it always was."""
    capper = household().start("--workers", "1")

    assert () == workers(capper)
    assert {capper.process.pid} == {pid for pid in processes(capper) if b"capper.cli" in command(pid)}


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
