"""The PAC file at the proxy's own address: for the household, and for nobody who would look over its shoulder."""

import socket

import httpx
import pytest

from capper.proxy.addresses import local_address
from capper.proxy.auth import parse_credentials
from capper.proxy.testing import LOOPBACK, running_proxy


def pac(where: str) -> str:
    return f"function FindProxyForURL() {{ return 'PROXY {where}'; }}"


@pytest.fixture
async def served(tmp_path):
    """Asks a running proxy's own address, as no proxy: `await served("/proxy.pac", Host=...)`."""
    async with running_proxy(tmp_path, pac=pac) as proxy, httpx.AsyncClient(trust_env=False, timeout=30) as client:

        async def ask(path: str, method: str = "GET", **headers: str) -> httpx.Response:
            host = headers.get("Host", "").replace("PORT", str(proxy.port))
            return await client.request(
                method, proxy.url + path, headers={**headers, **({"Host": host} if host else {})}
            )

        ask.port = proxy.port
        yield ask


@pytest.mark.parametrize("path", ["/proxy.pac", "/wpad.dat", "/proxy.pac?again"])
async def test_it_is_served(served, path):
    """It names the address that the browser asked."""
    answer = await served(path)

    assert 200 == answer.status_code
    assert f"PROXY {LOOPBACK}:{served.port}" in answer.text
    assert "application/x-ns-proxy-autoconfig" == answer.headers["content-type"]


@pytest.mark.parametrize(
    "host",
    [
        "localhost:PORT",
        f"{socket.gethostname()}:PORT",
        f"{socket.gethostname()}.local:PORT",
        f"{socket.gethostname()}.home.arpa:PORT",
    ],
)
async def test_by_a_name_of_this_machine(served, host):
    """A name of the machine's own will do."""
    answer = await served("/proxy.pac", Host=host)

    assert f"PROXY {host.replace('PORT', str(served.port))}" in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "evil.test:PORT",
        f"{LOOPBACK}.evil.test:PORT",
        f"{socket.gethostname()}.evil.test:PORT",
        f"{LOOPBACK}:1",
        "192.0.2.1:PORT",
        "localhost",
    ],
)
async def test_not_by_another_name(served, host):
    """A page that lets its own name point at this machine learns nothing (DNS rebinding)."""
    answer = await served("/proxy.pac", Host=host)

    assert "FindProxyForURL" not in answer.text


async def test_no_page_can_use_it(served):
    """No page can include it as a script, and so learn which sites the household named."""
    answer = await served("/proxy.pac")

    assert ("nosniff", "same-origin") == (
        answer.headers["x-content-type-options"],
        answer.headers["cross-origin-resource-policy"],
    )


async def test_it_can_only_be_fetched(served):
    """Other methods are refused."""
    assert 405 == (await served("/proxy.pac", "POST")).status_code


async def test_other_pages_of_our_own(served):
    """The proxy's own address holds nothing else."""
    assert 403 == (await served("/")).status_code


async def test_strangers_with_a_password_get_none(tmp_path):
    """Who may come from anywhere with a password is no neighbour, and learns nothing of the household's sites."""
    here = local_address()
    if here == LOOPBACK:
        pytest.skip("this machine has no address but loopback")
    credentials = parse_credentials("a:b")
    async with (
        running_proxy(tmp_path, pac=pac, host="0.0.0.0", auth=credentials) as proxy,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        answers = [await client.get(f"http://{at}:{proxy.port}/proxy.pac") for at in (LOOPBACK, here)]

    assert [200, 403] == [answer.status_code for answer in answers]
