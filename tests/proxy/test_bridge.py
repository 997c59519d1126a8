"""The dashboard's application within the proxy: who asks is known by the connection, and nobody else is let near it."""

import re

import httpx
import pytest
from mitmproxy.http import Headers
from mitmproxy.test import tflow, tutils
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from capper.dashboard.house import viewer_of
from capper.domain.identity import Viewer
from capper.gateway.ours import HOST
from capper.proxy.bridge import scope_of
from capper.settings.policy import parse_policy

POLICY = 'caps = []\n[people.anna]\ndevices = ["127.0.0.1"]\n[people.ben]\ndevices = ["user:ben"]\n'


async def told(request):
    """What reaches the application."""
    return JSONResponse(
        {
            "viewer": viewer_of(request).name,
            "method": request.method,
            "path": request.url.path,
            "query": dict(request.query_params),
            "headers": sorted(request.headers),
            "body": (await request.body()).decode(),
        },
        headers={"X-Ours": "1"},
    )


async def broken(_):
    raise RuntimeError("https://{}.example/secret".format("news"))


APP = Starlette(routes=[Route("/followers", told), Route("/pause", told, methods=["POST"]), Route("/data", broken)])


@pytest.fixture
def running(proxy):
    """A proxy with this application on its own host."""

    async def start(**more):
        return await proxy(app=APP, policy=parse_policy(POLICY, "p"), **more)

    return start


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_who_asks_is_known_by_the_connection(running, client, scheme):
    """Whatever the request says of itself, path and query come as they were sent."""
    browser = await client(await running())
    answer = await browser.get(f"{scheme}://{HOST}/followers?days=28&x=%3F%26", headers={"X-Viewer": "ben"})
    found = answer.json()

    assert (200, "1", "anna") == (answer.status_code, answer.headers["x-ours"], found["viewer"])
    assert ("/followers", {"days": "28", "x": "?&"}) == (found["path"], found["query"])


async def test_a_form_arrives_whole(running, client):
    """It is read here; nobody is connected to for it."""
    browser = await client(await running())
    found = (await browser.post(f"https://{HOST}/pause", data={"minutes": "30"})).json()

    assert ("POST", "minutes=30") == (found["method"], found["body"])


def test_http2_says_the_host_elsewhere():
    """The application finds it where it looks for it."""
    flow = tflow.tflow(
        req=tutils.treq(http_version=b"HTTP/2.0", authority=HOST.encode(), headers=Headers(), path=b"/a%3Fb?c")
    )
    scope = scope_of(flow, Viewer("anna"))

    assert [(b"host", HOST.encode())] == scope["headers"]
    assert ("/a?b", b"c", b"/a%3Fb") == (scope["path"], scope["query_string"], scope["raw_path"])


async def test_a_head_has_no_body(running, client):
    """And the connection is good for what comes next."""
    browser = await client(await running())
    answers = [await browser.head(f"https://{HOST}/followers"), await browser.get(f"https://{HOST}/followers")]

    assert [(200, False), (200, True)] == [(answer.status_code, bool(answer.content)) for answer in answers]


async def test_a_password_for_the_proxy_stays_with_the_proxy(running, client):
    """The application learns who gave it, and not the password."""
    from capper.proxy.auth import parse_credentials

    browser = await client(await running(auth=parse_credentials("ben:secret")), auth="ben:secret")
    found = (await browser.get(f"http://{HOST}/followers")).json()

    assert ("ben", False) == (found["viewer"], any("proxy" in name for name in found["headers"]))


async def test_a_form_that_is_too_large(running, client):
    """It is not even read."""
    browser = await client(await running())
    with pytest.raises(httpx.HTTPError):
        await browser.post(f"https://{HOST}/pause", content=b"x" * 200_000)


async def test_a_page_elsewhere_learns_nothing(running, client):
    """Asked for in the background by another site, there is no answer at all; a link is a link."""
    browser = await client(await running())
    for mode in ("no-cors", "cors", "same-origin"):
        with pytest.raises(httpx.HTTPError):
            await browser.get(
                f"https://{HOST}/followers", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
            )
    linked = await browser.get(
        f"https://{HOST}/followers", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    )

    assert 200 == linked.status_code


async def test_a_fault_is_a_page(running, client, caplog):
    """And the log says where, without what the exception said."""
    answer = await (await client(await running())).get(f"https://{HOST}/data")

    assert (500, True) == (answer.status_code, "its log says more" in answer.text)
    assert ("show a page of the dashboard: RuntimeError" in caplog.text, "news.example" in caplog.text) == (True, False)


async def test_who_trusts_us_is_served_over_https_only(running, client):
    """So that nobody else on the network reads along; the first page leads there too."""
    browser = await client(await running(proof=True))
    picture = re.search(r"https://[0-9a-f]{16}\.[^\"]*", (await browser.get(f"http://{HOST}/device")).text)[0]
    await browser.get(picture)
    answers = [await browser.get(f"http://{HOST}{path}") for path in ("/followers?days=1", "/")]

    assert [(302, f"https://{HOST}/followers?days=1"), (302, f"https://{HOST}/followers")] == [
        (answer.status_code, answer.headers.get("location")) for answer in answers
    ]
