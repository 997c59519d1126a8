"""Real ads and real pages through the gate: whose ads they are, what is withheld, and that nothing else changes."""

import csv
import gzip
import io
import json
import tarfile
from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.exchange import Action
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger
from capper.measure.har import parse
from capper.measure.replay import replay
from capper.recognise.ad import AdReader
from capper.recognise.domains import site_of
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.lists import starter_lists
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.testing import NOON, an_exchange

POLICY = Policy(Rule("caps", (Cap.parse("2 per advertiser per day"),)))
KNOWN = {
    # By hand, from the README beside the files; "" where no advertiser stands in the clear.
    "adsense-adfetch-2023": "uniqlo.com",
    "adsense-afc-2018-yoga": "precisionnutrition.com",
    "adsense-responsive-2025-expresschemical": "expresschemical.com",
    "adsense-text-2020-remarketing": "unipe.edu.br",
    "adsense-text-2022-iexpertify": "manualslibrary.co",
    "appnexus-frame-2019-castorama": "castorama.pl",
    "cm360-html5-2025-disney": "disneyplus.com",
    "gam-dv360-frame-2019": "niepospolita.pl",
    "gam-native-template-2025": "",
    "gam-popin-native-2026": "",
    "gam-safeframe-2018-beeline": "beeline.ru",
    "gam-safeframe-2022-chevrolet": "chevrolet.com",
    "gam-safeframe-2026-crd-hotels": "hotels.com",
}
SERVERS = {
    "adsense": "https://googleads.g.doubleclick.net/pagead/ads?client=ca-pub-1&slot=",
    "appnexus": "https://fra1-ib.adnxs.com/ab?e=",
    "cm360": "https://ad.doubleclick.net/ddm/adi/N1.2/B3;sz=300x250?",
    "gam": "https://tpc.googlesyndication.com/safeframe/1-0-40/html/container.html?",
}


@pytest.fixture(scope="module")
def easylist(shared_data):
    """The starter lists and EasyList."""
    text = gzip.decompress((shared_data / "lists" / "easylist-20260822.txt.gz").read_bytes()).decode()
    lists = [*starter_lists(), FilterList("easylist", text, ListKind.ADS)]
    return Recogniser(Engines.build(lists), AdReader(load_networks()))


@pytest.fixture(scope="module")
def starter():
    """The starter lists alone."""
    return Recogniser(Engines.build(starter_lists()), AdReader(load_networks()))


def gate_of(recogniser, policy=POLICY):
    return Gate(lambda: recogniser, MemoryLedger(), lambda: policy, Journal(0))


async def replayed(recogniser, builder):
    journal = Journal(0)
    gate = Gate(lambda: recogniser, MemoryLedger(), lambda: POLICY, journal)
    found = await replay(parse(json.dumps(builder).encode(), "built.har"), gate, journal)
    rows = [row for viewer in found.summary.viewers.values() for row in viewer.items()]
    return {name: (count.shown, count.withheld) for name, count in rows}, found.changes


def entry(url, body, at, referrer=""):
    fields = {"Sec-Fetch-Dest": "iframe" if referrer else "document", **({"Referer": referrer} if referrer else {})}
    return {
        "startedDateTime": at.isoformat(),
        "request": {"method": "GET", "url": url, "headers": [{"name": k, "value": v} for k, v in fields.items()]},
        "response": {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": "text/html; charset=utf-8"}],
            "content": {"size": len(body), "mimeType": "text/html", "text": body},
        },
    }


def is_domain(who):
    return "/" not in who and who != "unidentified"


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("lists", ["starter", "easylist"])
async def test_a_display_frame_on_three_sites(request, shared_data, name, lists):
    """The third delivery of an ad whose advertiser is in the clear is withheld; no other advertiser is named."""
    recogniser = request.getfixturevalue(lists)
    body = (shared_data / "adtech" / "google-display" / f"{name}.html").read_text("utf-8")
    server = SERVERS[name.partition("-")[0]]
    entries = []
    for number in range(3):
        site, at = f"https://www.news{number}.example/", NOON + timedelta(minutes=10 * number)
        entries += [entry(site, "<p>story</p>", at), entry(f"{server}{number}", body, at + timedelta(seconds=2), site)]

    counts, changes = await replayed(recogniser, {"log": {"entries": entries}})

    advertiser = KNOWN[name]
    assert ({advertiser: (2, 1)} if advertiser else {}) == {who: n for who, n in counts.items() if is_domain(who)}
    assert ([5] if advertiser else []) == sorted(changes)


async def test_a_page_with_text_ads_on_three_sites(shared_data, easylist):
    """Each of the three text ads of a page is one ad; a name that stands on the page twice has its two the first time."""
    body = (shared_data / "adtech" / "page-with-ads" / "bbc-1.html").read_text("utf-8")
    entries = [entry(f"https://www.news{n}.example/", body, NOON + timedelta(minutes=n)) for n in range(3)]

    counts, changes = await replayed(easylist, {"log": {"entries": entries}})

    named = {"medicaresupplemental.com", "ancestry.com", "advisorworld.com"}
    assert {(2, 1)} == {counts[who] for who in named}
    assert named | {"nytimes.com"} == {who for who in counts if is_domain(who)}
    assert {(2, 4)} == {counts["sponsor/nextadvisor"]}
    assert [1, 2] == sorted(changes)
    after = json.loads(changes[2])["response"]["content"]["text"]
    assert body[: body.index("bbccom_adsense_container")].count("<p") == after[
        : after.index("bbccom_adsense_container")
    ].count("<p")


@pytest.mark.slow
async def test_pages_pass_as_they_came(shared_data, easylist):
    """Of the real pages, loaded once by a person who has seen nothing, not one byte changes."""
    files = sorted((shared_data / "pages").glob("*/*.html.gz"))
    assert files
    for file in files:
        outcome = await gate_of(easylist, Policy(Rule("caps", (Cap.parse("3 per advertiser per day"),)))).admit(
            an_exchange(
                "https://publisher.example/story",
                request={"Sec-Fetch-Dest": "document"},
                response={"Content-Type": "text/html"},
                body=gzip.decompress(file.read_bytes()),
            )
        )

        withheld = [decision for decision in outcome.decisions if decision.withheld]
        assert (outcome.action is Action.PASS) == (not withheld), file.name


@pytest.mark.slow
async def test_real_subtrees(shared_data, easylist):
    """Real ads put into a page: most that are more than a frame are found, and around them no byte changes."""
    pages = shared_data / "pages"
    with gzip.open(pages / "ad-markup-2020.csv.gz", "rt", encoding="utf-8") as file:
        rows = {row["ad_id"]: row for row in csv.DictReader(file)}
    head = b"<!DOCTYPE html><html><body><h1>News</h1><article><p>" + b"words " * 4000 + b"</p></article><div>"
    tail = b"</div><p>" + b"more words " * 100 + b"</p></body></html>"
    landed = found = right = 0
    archive = gzip.decompress((pages / "ad-markup-2020.tar.gz").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            row = rows.get(member.name.rpartition("/")[2].removesuffix(".html"))
            if not member.isfile() or row is None:
                continue
            markup = tar.extractfile(member).read()
            gate = gate_of(easylist)
            outcomes = [
                await gate.admit(
                    an_exchange(
                        row["parent_url"],
                        at=NOON + timedelta(minutes=number),
                        request={"Sec-Fetch-Dest": "document"},
                        response={"Content-Type": "text/html; charset=utf-8"},
                        body=head + markup + tail,
                    )
                )
                for number in range(3)
            ]
            advertisers = {who.split("/")[0] for each in outcomes[0].decisions for who in each.ad.advertisers}
            landing = site_of(row["landing_url"]) if row["landing_url"] else ""
            if landing and landing.encode() in markup and landing != site_of(row["parent_url"]):
                landed += 1
                found += bool(outcomes[0].decisions)
                right += landing in advertisers
            assert site_of(row["parent_url"]) not in advertisers
            if outcomes[2].action is Action.REWRITE:
                body = outcomes[2].response.body
                assert body.startswith(head)
                assert body.endswith(tail)

    assert found > 0.7 * landed
    assert right > 0.85 * found
