"""Capper against Privoxy and mitmdump: CPU time of a request, and as many requests a second as wrk gets through each from nginx.

The three in turns. wrk and nginx take cores, too: on a machine with few, requests a second are those of all together.
"""

import re
import subprocess
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import pages
from benchmarks.figures import Figure
from benchmarks.processes import ended, free_port, wait_for
from benchmarks.proxies import HOST, Origin, Proxy, capper, mitmdump, origin, privoxy, program, subscribe, trusted
from benchmarks.run import Run
from benchmarks.traffic import CONNECTIONS, SCENARIOS, in_turns

_CPU = ("page", "page-plain", "small-http", "image")
"""Scenarios of `traffic`; the row is called the same, with Privoxy's name in place of the scheme's."""
_WRK = {"wrk-small": "1k", "wrk-page": "plain-page"}
_SECONDS = 5
_NGINX = """\
daemon off; user root; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 10000000; sendfile on; tcp_nopush on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}; root {folder}/served;
    location = /1k {{ types {{ }} default_type application/octet-stream; }}
    location = /plain-page {{ types {{ }} default_type text/html; }}
  }}
}}
"""
_LUA = """\
local head = {{ ["Host"] = "{target}", ["Sec-Fetch-Dest"] = "{dest}", ["Sec-Fetch-Mode"] = "no-cors" }}
request = function() return wrk.format("GET", "http://{target}/{path}", head) end
"""


@dataclass(frozen=True, slots=True)
class Peers:
    """The three, and what stands at their end."""

    capper: Proxy
    mitmdump: Proxy
    privoxy: Proxy
    origin: Origin
    nginx: int
    """Its port."""

    @property
    def all(self) -> tuple[Proxy, Proxy, Proxy]:
        """In the order of their turns."""
        return self.capper, self.mitmdump, self.privoxy


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """CPU time against Privoxy, then requests a second against both."""
    with _peers(run) as peers:
        authority = trusted(run.folder, peers.all)
        for name in _CPU:
            if (key := f"{name.removesuffix('-http')}-privoxy") in keys:
                pair = peers.capper, peers.privoxy
                yield Figure.ratio(key, *in_turns(pair, SCENARIOS[name], peers.origin, authority, run))
        for key, path in _WRK.items():
            if {key, f"{key}-privoxy"} & set(keys):
                own, mitm, privoxy_ = _throughput(run, peers, path)
                yield Figure.ratio(key, own, mitm)
                yield Figure.ratio(f"{key}-privoxy", own, privoxy_)


@contextmanager
def _peers(run: Run) -> Iterator[Peers]:
    subscribe(run.folder, run.lists)
    with ExitStack() as stack:
        asked = stack.enter_context(origin(run.folder))
        port = stack.enter_context(nginx(run.folder))
        resolved = f"{HOST}:{port}=127.0.0.1:{port}"
        own = stack.enter_context(capper(run.folder, asked, "--resolve", resolved))
        mitm = stack.enter_context(mitmdump(run.folder, asked))
        yield Peers(own, mitm, stack.enter_context(privoxy(run.folder)), asked, port)


@contextmanager
def nginx(folder: Path) -> Iterator[int]:
    """An nginx with one worker that serves the benchmark's files; its port."""
    port, served = free_port(), folder / "served"
    served.mkdir()
    for path, (_, body) in pages.content().items():
        if path.strip("/") in _WRK.values():
            (served / path.strip("/")).write_bytes(body)
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port))
    process = subprocess.Popen([program("nginx"), "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield port
    finally:
        ended(process)


def _throughput(run: Run, peers: Peers, path: str) -> Sequence[list[float]]:
    """Requests a second through each of the three, round by round."""
    rates: tuple[list[float], ...] = ([], [], [])
    for _ in range(run.rounds + 1):
        for proxy, found in zip(peers.all, rates, strict=True):
            found.append(wrk(run, proxy, f"{HOST}:{peers.nginx}", path))
    return [found[1:] for found in rates]  # the first one warms up


def wrk(run: Run, proxy: Proxy, target: str, path: str) -> float:
    """Requests a second for a while.

    Raises:
        SystemExit: some were not answered as they should be.
    """
    script = run.folder / "wrk.lua"
    script.write_text(_LUA.format(target=target, path=path, dest="document" if "page" in path else "empty"))
    command = [program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{run.scaled(_SECONDS)}", "-s", str(script)]
    said = subprocess.run([*command, f"http://127.0.0.1:{proxy.port}/"], check=True, capture_output=True, text=True)
    return requests_a_second(said.stdout)


def requests_a_second(said: str) -> float:
    """What wrk's report says.

    Raises:
        SystemExit: some requests failed, or there is no such line.
    """
    rate = re.search(r"^Requests/sec:\s+([\d.]+)", said, re.MULTILINE)
    if rate is None or "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"wrk did not get what it asked for:\n{said}")
    return float(rate[1])
