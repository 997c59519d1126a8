"""capper's own host: the certificate for who asks, and a proof that only a device which trusts it can give."""

import asyncio
import plistlib
import re
import shutil

import httpx
import pytest
from cryptography import x509

from capper.gateway.ours import ADDRESSES, HOST
from capper.proxy.invitation import mobile_profile
from capper.proxy.porch import _MOST_TOKENS, Porch

PAGE = f"http://{HOST}/"
PROOF = re.compile(rf"https://[0-9a-f]{{16}}\.{re.escape(HOST)}/proof\.svg")


async def proof_of(client: httpx.AsyncClient) -> str:
    """The address of the picture that a new page shows."""
    return PROOF.search((await client.get(PAGE)).text)[0]


async def test_the_page(proxy, client):
    """The page is answered without asking anybody, says what it is for, and lets nothing but its picture be loaded."""
    running = await proxy()
    answer = await (await client(running)).get(PAGE)

    assert (200, "text/html; charset=utf-8", "no-store") == (
        answer.status_code,
        answer.headers["content-type"],
        answer.headers["cache-control"],
    )
    assert "Does this browser trust capper?" in answer.text
    assert f"img-src https://*.{HOST}" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("accepted", "language", "question", "yes"),
    [
        ("nl-BE,nl;q=0.9,en;q=0.1", "nl", "Vertrouwt deze browser capper?", "Ja."),
        ("sv", "sv", "Litar den här webbläsaren på capper?", "Ja, det gör den."),
        ("de-AT", "de", "Vertraut dieser Browser capper?", "Ja."),
        ("fr", "en", "Does this browser trust capper?", "Yes, it does."),
    ],
)
async def test_the_language_of_the_page(proxy, client, accepted, language, question, yes):
    """The page, the picture and what is said of the device are in the language that the browser asks for."""
    running = await proxy(proof=True)
    browser = await client(running)
    browser.headers["Accept-Language"] = accepted
    shown = (await browser.get(PAGE)).text
    picture = (await browser.get(PROOF.search(shown)[0])).text

    assert f'<html lang="{language}">' in shown
    assert question in shown
    assert yes in picture
    assert ("What this is" in shown) == (language == "en")
    assert "{" not in shown.partition("</style>")[2]


async def test_a_client_that_trusts_us_loads_the_picture(proxy, client):
    """The picture comes over TLS with our certificate, each time under a name that never was; then the device is known."""
    running = await proxy(proof=True)
    browser = await client(running)
    before = (await browser.get(PAGE)).text
    proofs = [await proof_of(browser) for _ in range(2)]
    # What Chromium says of a picture over https in a page over http.
    answer = await browser.get(proofs[0], headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})
    after = (await browser.get(PAGE)).text

    assert (200, "image/svg+xml") == (answer.status_code, answer.headers["content-type"])
    assert proofs[0] != proofs[1]
    assert "has not loaded anything" in before
    assert "has seen this device load something" in after


async def test_a_client_that_does_not_trust_us(proxy, client, stack):
    """Without our certificate the picture does not load, and nothing is proven."""
    running = await proxy(proof=True)
    guest = await stack.enter_async_context(httpx.AsyncClient(proxy=running.url, trust_env=False))
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        await guest.get(await proof_of(guest))

    assert "has not loaded anything" in (await guest.get(PAGE)).text


@pytest.mark.parametrize("url", [f"https://{'0' * 16}.{HOST}/proof.svg", f"https://{HOST}/proof.svg"])
async def test_only_what_the_page_named_proves(proxy, client, url):
    """A made-up name, for which somebody may have clicked a warning away, proves nothing."""
    running = await proxy(proof=True)
    browser = await client(running)
    answer = await browser.get(url)

    assert 404 == answer.status_code
    assert "has not loaded anything" in (await browser.get(PAGE)).text


async def test_a_proof_without_tls_is_none(proxy, client):
    """Over plain HTTP anybody can load it."""
    running = await proxy(proof=True)
    browser = await client(running)

    answer = await browser.get((await proof_of(browser)).replace("https:", "http:"))

    assert 404 == answer.status_code


async def test_the_certificate(proxy, client):
    """It is there in the three forms that devices take, and it is the one that signs."""
    running = await proxy()
    browser = await client(running)
    pem, der, profile = [await browser.get(f"{PAGE}capper-ca.{end}") for end in ("pem", "cer", "mobileconfig")]
    ours = x509.load_pem_x509_certificate(running.certificate.read_bytes())

    assert ours == x509.load_pem_x509_certificate(pem.content)
    assert ours == x509.load_der_x509_certificate(der.content)
    assert ours == x509.load_der_x509_certificate(
        plistlib.loads(profile.content)["PayloadContent"][0]["PayloadContent"]
    )
    assert b"PRIVATE" not in pem.content + der.content + profile.content


def test_the_profile_is_the_same_each_time():
    """A device that gets it twice replaces it rather than adding a second."""
    assert mobile_profile(b"one") == mobile_profile(b"one")
    assert mobile_profile(b"one") != mobile_profile(b"two")


async def test_a_page_elsewhere_learns_nothing(proxy, client, caplog):
    """A page that tries whether its reader uses capper, or frames us, gets no answer at all; one that links here is served."""
    running = await proxy()
    browser = await client(running)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for mode, kind in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("navigate", "object")):
        with pytest.raises(httpx.HTTPError):
            await browser.get(PAGE, headers=elsewhere | {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind})
    linked = await browser.get(PAGE, headers=elsewhere | {"Sec-Fetch-Mode": "navigate"})

    assert 200 == linked.status_code
    assert 4 == caplog.text.count("refused: another site's page asks for '/'")


@pytest.mark.parametrize("path", ["", "device", "nothing", "capper-ca.pem", "followers/../data"])
async def test_every_answer_says_what_it_may_do(proxy, client, path):
    """No script and no style but its own, in no frame, and readable by no page: over http a browser tells nothing of who asks."""
    answer = await (await client(await proxy())).get(PAGE + path)
    policy = answer.headers["content-security-policy"]

    assert "default-src 'none'; style-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert ("no-store", "nosniff", "same-origin") == tuple(
        answer.headers[name] for name in ("cache-control", "x-content-type-options", "cross-origin-resource-policy")
    )
    assert ("frame-ancestors 'none'" in policy) == (answer.status_code == 200)


@pytest.mark.parametrize("where", [HOST, *ADDRESSES])
@pytest.mark.parametrize("name", ["evil.example", f"{HOST}.evil.example", f"{HOST}, evil.example"])
async def test_a_name_that_was_pointed_at_us_is_refused(proxy, talk, caplog, where, name):
    """DNS rebinding: led here by another name, a request is answered at once, with nothing of ours in it; and it is logged."""
    running = await proxy()
    host = f"[{where}]" if ":" in where else where
    asked = f"GET http://{host}/followers HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    answer = await talk(running.port, asked.encode())

    assert answer.startswith(b"HTTP/1.1 421 ")
    assert f"refused: the name '{name}' is not ours" in caplog.text


@pytest.mark.parametrize("path", ["static/..%2f..%2fsecret", "../secret", "%252e%252e/secret", "a%00"])
async def test_a_path_that_climbs_is_refused(proxy, talk, caplog, path):
    """It leads nowhere, and it is logged."""
    running = await proxy()
    answer = await talk(
        running.port, f"GET {PAGE}{path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
    )

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert "leads elsewhere" in caplog.text


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "", 405), ("HEAD", "", 200), ("GET", "other", 404)])
async def test_other_requests(proxy, client, method, path, status):
    """What is not there is not there, and nothing can be sent."""
    running = await proxy()

    assert status == (await (await client(running)).request(method, PAGE + path)).status_code


async def test_tokens_are_bounded_and_run_out():
    """However often the page is loaded, only the newest proofs hold, and none for longer than ten minutes."""
    now = [0.0]
    porch = Porch(None, None, None, lambda: now[0])
    tokens = [porch._token() for _ in range(_MOST_TOKENS + 5)]

    assert _MOST_TOKENS == len(porch._tokens)
    assert tokens[0] not in porch._tokens
    assert porch._tokens[tokens[-1]] == 600.0


async def test_a_password_is_asked_for_first(proxy, client):
    """Where a password is needed, the page needs it too."""
    from capper.proxy.auth import parse_credentials

    running = await proxy(auth=parse_credentials("anna:secret"))
    answer = await (await client(running)).get(PAGE)
    known = await (await client(running, auth="anna:secret")).get(PAGE)

    assert [407, 200] == [answer.status_code, known.status_code]


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
@pytest.mark.parametrize(
    "mode", ["socks5", "upstream:http://127.0.0.1:9"], ids=["SOCKS5", "behind a proxy that is not there"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_whatever_the_way_in(proxy, mode, scheme):
    """The page is there in every mode, and nobody is connected to for it."""
    running = await proxy(modes=(mode,), opened=lambda _: False)
    way = "socks5h" if mode == "socks5" else "http"
    process = await asyncio.create_subprocess_exec(
        *("curl", "-sS", "--noproxy", "", "--proxy", f"{way}://127.0.0.1:{running.port}"),
        *("--cacert", str(running.certificate), f"{scheme}://{HOST}/"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)

    assert b"Does this browser trust capper?" in out


async def test_tls_is_ours_for_our_own_host(proxy, tunnel):
    """A CONNECT for our own host is answered here, with a certificate for that very name."""
    running = await proxy(opened=lambda _: False)
    _, writer = await tunnel(running, HOST, tls=running.client_tls())
    certificate = writer.get_extra_info("ssl_object").getpeercert()

    assert (("DNS", HOST),) == certificate["subjectAltName"]
