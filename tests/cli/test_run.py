"""`capper run` as a process: it gets ready, serves, stops, and says in one sentence why it cannot."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from capper.testing import NOON

LOOPBACK = "127.0.0.1"


@pytest.fixture
def environment(tmp_path):
    """An environment without settings of the machine's owner."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAPPER_", "XDG_"))}
    return kept | {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def start(environment, tmp_path):
    """Start `capper run ...` and wait for its ready line; gives the process, what it said and its port."""
    with contextlib.ExitStack() as stack:

        def start(*options: str):
            command = [
                sys.executable,
                "-c",
                "from capper.cli import main; main()",
                "run",
                "--state",
                str(tmp_path / "state"),
            ]
            process = stack.enter_context(
                subprocess.Popen(
                    [*command, "--listen", f"{LOOPBACK}:0", *options],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
            )
            stack.callback(process.kill)
            said = []
            for line in process.stdout:
                said.append(line)
                if line.startswith("ready: "):
                    break
            else:
                raise AssertionError(process.stderr.read())
            return process, "".join(said), int(said[-1].rsplit(":", 1)[1])

        yield start


@pytest.fixture
def fail(environment, tmp_path):
    """Run `capper run ...` to its end; gives its exit code and what it said."""

    def fail(*options: str) -> tuple[int, str]:
        command = [
            sys.executable,
            "-c",
            "from capper.cli import main; main()",
            "run",
            "--state",
            str(tmp_path / "state"),
        ]
        ended = subprocess.run(
            [*command, *options], capture_output=True, text=True, env=environment, timeout=60, check=False
        )
        return ended.returncode, ended.stderr

    return fail


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_life(start, ending):
    """It says where it listens and where its certificate is, serves, tells what it refuses, and stops cleanly with exit code 0."""
    process, said, port = start("--ledger", "memory")
    with httpx.Client(proxy=f"http://{LOOPBACK}:{port}", trust_env=False) as client:
        answer = client.get(f"http://{LOOPBACK}:{port}/")
    process.send_signal(ending)
    _, errors = process.communicate(timeout=20)

    assert "capper-ca.pem" in said
    assert answer.status_code == 403
    assert (process.returncode, errors) == (0, "capper: refused: a way to this machine itself (loopback)\n")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are looked up in /proc")
def test_embedded_ledger_stops_with_it(start):
    """The embedded ledger is started, and no process of it is left behind."""
    process, _, _ = start()
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    children = [child for task in tasks for child in task.read_text().split()]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)

    assert process.returncode == 0
    assert len(children) == 1
    assert not Path(f"/proc/{children[0]}").exists()


def test_named_hosts_and_open_all(start, tmp_path):
    """`--resolve` leads a name to loopback, and nothing else does."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        _, _, proxy = start("--ledger", "memory", "--open", "all", "--resolve", f"news.test:80={LOOPBACK}:{port}")
        with socket.create_connection((LOOPBACK, proxy)) as client:
            client.sendall(b"GET http://news.test/a HTTP/1.1\r\nHost: news.test\r\n\r\n")
            server.settimeout(10)
            origin, _ = server.accept()
            with origin:
                origin.settimeout(10)
                seen = origin.recv(4096)

    assert seen.startswith(b"GET /a HTTP/1.1\r\n")


def test_taken_port(fail):
    """A taken port is one sentence and exit code 3."""
    with socket.create_server((LOOPBACK, 0)) as server:
        code, said = fail("--ledger", "memory", "--listen", f"{LOOPBACK}:{server.getsockname()[1]}")

    assert code == 3
    assert "is taken" in said
    assert len(said.splitlines()) == 1


def test_ledger_that_does_not_start(fail, tmp_path):
    """An embedded ledger that cannot start is one sentence and exit code 3 (2 where the folder itself is at fault)."""
    (tmp_path / "file").write_text("")
    code, said = fail("--listen", f"{LOOPBACK}:0", "--ledger", f"embedded:{tmp_path / 'file'}")

    assert code in {2, 3}
    assert said.startswith("capper: ")
    assert "Traceback" not in said


def test_ledger_elsewhere_may_come_later(start):
    """A Redis that does not answer yet is told, and the proxy starts: ads pass until it is there."""
    with socket.create_server((LOOPBACK, 0)) as nobody:
        port = nobody.getsockname()[1]
    process, _, _ = start("--ledger", f"redis://:secret@{LOOPBACK}:{port}/0")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 0
    assert "ads pass for now" in errors
    assert "secret" not in errors


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "0.0.0.0:0"], "lan"),
        (["--listen", "nonsense"], "listen"),
        (["--mode", "sideways"], "mode"),
        (["--mode", "reverse:http://a.test"], "mode"),
        (["--mode", "regular@0.0.0.0:0"], "--lan"),
        (["--lan", "everywhere"], "lan"),
        (["--proxy-auth", "@/nowhere"], "proxy-auth"),
        (["--resolve", "a.test"], "--resolve"),
        (["--policy", "/nowhere.toml"], "/nowhere.toml"),
        (["--policy", "/"], "directory"),
        (["--config", "/nowhere.toml"], "/nowhere.toml"),
        (["--upstream-ca", "/nowhere.pem"], "/nowhere.pem"),
        (["--ledger", "carrier-pigeon"], "ledger"),
        (["--open", "some"], "open"),
    ],
)
def test_bad_input(fail, options, said):
    """What cannot be used is named, with exit code 2 and without a traceback."""
    code, errors = fail("--ledger", "memory", *options)

    assert code == 2
    assert said in errors
    assert "Traceback" not in errors


def test_ready_within_a_second_of_work(start):
    """From nothing to ready and to its end takes a processor about a second; four times as much on one that is slow or shared."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process, _, _ = start("--ledger", "memory")
    process.terminate()
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 6


def test_a_named_site_is_opened_with_its_subdomains(tmp_path):
    """`--site` opens the site's own pages, and those of nobody else."""
    from capper.assembly import ClosedSource, RecogniserSource
    from capper.cli.proxying import opening
    from capper.domain.policy import Policy
    from capper.proxy.master import ProxyOptions
    from capper.settings import Settings
    from capper.testing import NOON

    settings = Settings(state=tmp_path, sites=("news.example",))
    assembly = SimpleNamespace(recogniser=RecogniserSource(settings, NOON), policy=Policy)

    opened = opening(ProxyOptions(tmp_path), settings, assembly, ClosedSource(settings)).opened

    assert [True, True, False, False] == [
        opened(host) for host in ("news.example", "www.news.example", "badnews.example", "bank.example")
    ]


def test_the_ways_in_are_told(start, unused_tcp_port):
    """For a proxy its address and the PAC file's, which is served there; for redirected connections who sends them."""
    _, said, port = start(
        "--ledger", "memory", "--mode", "regular", "--mode", f"transparent@{LOOPBACK}:{unused_tcp_port}"
    )
    served = httpx.get(f"http://{LOOPBACK}:{port}/proxy.pac", trust_env=False)

    assert f"{LOOPBACK}, port {port}" in said
    assert f"http://{LOOPBACK}:{port}/proxy.pac" in said
    assert "`capper gateway watch`" in said
    assert f"PROXY {LOOPBACK}:{port}; DIRECT" in served.text


@pytest.mark.parametrize(
    ("policy", "options", "opened"),
    [
        ("caps = []", {}, True),
        ("caps = []", {"credit_sites": False}, False),
        ('caps = []\ncredit_prompts = "leave"', {}, False),
        ('caps = []\ncredit_prompts = "leave"\n[people.anna]\ncredit_prompts = "mark"', {}, True),
        ('caps = []\n[[credit]]\nsite = "wehkamp.nl"\ncredit_prompts = "leave"', {}, False),
    ],
)
def test_shops_known_for_credit_are_opened(tmp_path, policy, options, opened):
    """... unless that is switched off, or nobody wants prompts taken out there; one's own sites are opened all the same."""
    from capper.assembly import ClosedSource, RecogniserSource
    from capper.cli.proxying import opening
    from capper.proxy.master import ProxyOptions
    from capper.settings import Settings, parse_policy
    from capper.settings.sites import sites_file, write_sites
    from capper.testing import NOON

    write_sites(sites_file(tmp_path), ["shop.example"])
    settings = Settings(state=tmp_path, **options)
    found = parse_policy(policy, "p")
    assembly = SimpleNamespace(recogniser=RecogniserSource(settings, NOON), policy=lambda: found)

    opens = opening(ProxyOptions(tmp_path), settings, assembly, ClosedSource(settings)).opened

    assert [opened, False, True] == [opens(host) for host in ("www.wehkamp.nl", "bank.example", "www.shop.example")]


@pytest.mark.parametrize(
    ("left", "said"),
    [(timedelta(days=90), ""), (timedelta(days=10), "ends in 10 days"), (timedelta(days=-1), "has ended")],
)
async def test_a_word_before_the_certificate_ends(left, said, caplog, monkeypatch):
    """The log speaks up in good time, with what to do; long before that it is silent."""
    from capper.cli import works

    monkeypatch.setattr(works, "utc_now", lambda: NOON)
    task = asyncio.create_task(works.warn_of_end(NOON + left))
    await asyncio.sleep(0)
    task.cancel()

    assert said in caplog.text
    assert ("capper ca renew" in caplog.text) == bool(said)
