"""Bids in auctions' answers: whose they are, and that taking one out changes nothing else."""

import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import Unrewritable
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.jsontext import Locator
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.rewrite.auction import payload
from capper.rewrite.auction.layout import load_layouts
from capper.rewrite.auction.targeting import Asked

PAGE = "https://news.example/today"
EXCHANGE = "https://x.bidder.example/bid"
NOBODY = "https://x.bidder.invalid/bid"
"""A file's address is not known: its shape alone says whose format it is."""


@cache
def layouts():
    """The formats that travel with capper."""
    return load_layouts()


@cache
def reader():
    """The reader of ads with what is known of networks."""
    return AdReader(load_networks())


def find(data, url=EXCHANGE, **more):
    """What an exchange's answer holds."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return payload.find(data, url, layouts(), page=PAGE, **{"exchange": True, **more})


def ads(found):
    """Whose the bids are."""
    return [read_offer(reader(), bid.offer) for bid in found.bids]


# File of ../shared/data/adtech, then its bids: how many alike, rung, advertisers, campaign, creative, format.
SAMPLES = """
bidder-ortb/adhese-banner.json
    1 crid - - bidder.invalid/demo-475 banner
bidder-ortb/adkernel-multiformat.json
    1 adomain tag-example.com bidder.invalid/1001 bidder.invalid/2002 banner
    1 adomain tag-example.com bidder.invalid/601 bidder.invalid/702 native
    1 adomain tag-example.com bidder.invalid/161 bidder.invalid/172 video
bidder-ortb/appnexus-multi-bid.json
    2 adomain appnexus.com bidder.invalid.958/958 bidder.invalid.958/29681110 banner
bidder-ortb/bidtheatre-banner.json
    1 crid - bidder.invalid.5/c154375 bidder.invalid.5/1915538 banner
bidder-ortb/cadent-banner-video.json
    1 crid - - bidder.invalid.12356/94395500 banner
    1 crid - - bidder.invalid.45678/9999999 video
bidder-ortb/conversant-3bids.json
    3 adomain walmart.com - bidder.invalid/249644_300x250 banner
bidder-ortb/criteo-native.json
    1 crid - bidder.invalid.grid/987 bidder.invalid.grid/12345678 native
bidder-ortb/datablocks-multi.json
    1 click datablocks.net bidder.invalid.906295/906293 bidder.invalid.906295/906299 banner
bidder-ortb/gumgum-video.json
    1 crid - bidder.invalid/3579 bidder.invalid/59082 video
bidder-ortb/improvedigital-multi.json
    1 crid - bidder.invalid.improvedigital/987 bidder.invalid.improvedigital/12345678 banner
bidder-ortb/infytv-video.json
    1 adomain test.com bidder.invalid.1/1IP31 bidder.invalid.1/1KS13 video
bidder-ortb/ix-structured-pod.json
    2 adomain example.com bidder.invalid.958/958 bidder.invalid.958/29681110 banner
bidder-ortb/jixie-banner-video.json
    1 crid - - bidder.invalid.12356/94395500 banner
    1 crid - - bidder.invalid.45678/9999999 video
bidder-ortb/onetag-banner.json
    1 adomain ads.com bidder.invalid.42/52a12b5955314b7194a4c9ff bidder.invalid.42/52a12b5955314b7194a4c9ff_1386294105 banner
    1 adomain ads.com bidder.invalid.772/527c9fdd55314ba06815f25e bidder.invalid.772/527c9fdd55314ba06815f25e_1383899102 banner
bidder-ortb/openx-banner.json
    1 crid - - bidder.invalid.openx/crid_10 banner
bidder-ortb/outbrain-native.json
    1 adomain example.com bidder.invalid.acc-1876/test-cid bidder.invalid.acc-1876/test-crid native
bidder-ortb/pubmatic-native.json
    1 sponsor sponsor/pubmatic - bidder.invalid.958/29681110 native
bidder-ortb/rtbhouse-native.json
    1 adomain adomain.com bidder.invalid.rtbhouse/test-cid bidder.invalid.rtbhouse/test-crid native
bidder-ortb/rubicon-banner.json
    1 crid - rubicon/test_cid rubicon/test_crid banner
bidder-ortb/silverpush-banner.json
    1 adomain linio.com.co silverpush/FmQOmKiRUsLh silverpush/cr39487593745jefoijdf banner
bidder-ortb/smaato-multi-imp.json
    1 adomain smaato.com bidder.invalid.CM6523/CM6523 bidder.invalid.CM6523/CR69381 banner
bidder-ortb/smartadserver-native-web.json
    1 adomain colruyt.be - bidder.invalid.118133/431321529 native
bidder-ortb/sspbc-multi-imp.json
    1 crid - - bidder.invalid.sspbc-test/1234 banner
    1 crid - - bidder.invalid.sspbc-test/5678 banner
bidder-ortb/startio-native.json
    1 adomain start.io bidder.invalid.seat-1/cid-958 bidder.invalid.seat-1/crid-29681110 native
bidder-ortb/taboola-native.json
    1 adomain adomain.com bidder.invalid.1111/cid bidder.invalid.1111/crid native
bidder-ortb/teads-banner.json
    1 adomain teads.com teads/1 teads/1 banner
bidder-proprietary/adhese-adserver.json
    1 buyer adhese/2081 adhese/22051 adhese/742898 banner
bidder-proprietary/adnuntius-banner.json
    1 adomain google.com adnuntius/q7y9qm5b0xt9htrv adnuntius/jn9hpzvlsf8cpdmm banner
bidder-proprietary/adnuntius-native.json
    1 adomain google.com adnuntius/q7y9qm5b0xt9htrv adnuntius/jn9hpzvlsf8cpdmm native
bidder-proprietary/adquery.json
    1 click brodacid.pl - adquery/7211 banner
bidder-proprietary/appnexus-ut-banner.json
    1 click prebid.org - appnexus/96846035 banner
    1 click prebid.org - appnexus/968460356666 banner
bidder-proprietary/appnexus-ut-instream.json
    1 buyer appnexus/2529885 - appnexus/97517771 video
bidder-proprietary/appnexus-ut-multi-adasta.json
    1 click prebid.org - appnexus/97520434 native
bidder-proprietary/appnexus-ut-native.json
    1 click prebid.org - appnexus/97494403 native
    1 click prebid.org - appnexus/97494204 native
bidder-proprietary/beachfront-banner-video.json
    1 crid - - beachfront/crid_1 banner
bidder-proprietary/consumable-kevel.json
    2 crid - kevel/542982 kevel/1950991 banner
bidder-proprietary/eplanning-two-banners.json
    1 crid - - eplanning/abcdef123456789 banner
    1 crid - - eplanning/abcdef1234567892 banner
bidder-proprietary/gumgum.json
    1 crid - - gumgum/2065333 banner
bidder-proprietary/improvedigital-native.json
    1 click quantum-advertising.com bidder.invalid.improvedigital/196108 bidder.invalid.improvedigital/544456 native
bidder-proprietary/ix-native.json
    1 adomain abc.com bidder.invalid.3970/3051266 bidder.invalid.3970/12345 native
bidder-proprietary/kargo.json
    1 crid - - kargo/bar banner
    1 adomain foobar.com - kargo/foo banner
    2 crid - - kargo/foo banner
    2 crid - - kargo/foo video
bidder-proprietary/livewrapped.json
    1 crid - - livewrapped/52cbd598-2715-4c43-a06f-229fc170f945:427077 banner
    1 crid - - livewrapped/62cbd598-2715-4c43-a06f-229fc170f945:427077 banner
bidder-proprietary/outbrain-native.json
    1 adomain example.com bidder.invalid.acc-5537/3487171 bidder.invalid.acc-5537/28023739 native
bidder-proprietary/rubicon-fastlane-dup.json
    3 buyer rubicon/7 rubicon/10 rubicon/crid-9 banner
bidder-proprietary/rubicon-fastlane-multibid.json
    1 buyer rubicon/7 rubicon/10 rubicon/crid-9 video
    2 buyer rubicon/7 rubicon/10 rubicon/crid-9 banner
bidder-proprietary/smartadserver-v1.json
    1 crid - - smartadserver/zioeufg banner
bidder-proprietary/smilewanted-native.json
    1 click smilewanted.com - smilewanted/crea_sw_1 native
bidder-proprietary/stroeercore-site-multi.json
    1 adomain test.com - stroeercore/qwert banner
    1 adomain example.com - stroeercore/wasd banner
bidder-proprietary/triplelift-banner.json
    1 declared example.com - triplelift/0_0_T332551 banner
bidder-proprietary/ttd-video.json
    1 buyer bidder.invalid.supplyVendorBuyerId132/7ieo6xk - bidder.invalid.supplyVendorBuyerId132/mokivv6m video
bidder-proprietary/unruly-instream.json
    1 crid - - unruly/cr-test-video-3 video
bidder-proprietary/yieldlab.json
    1 click yieldlab.de - yieldlab/2222 banner
pbs-auction/go-dsa-required.json
    1 sponsor sponsor/advertiser - appnexus/creative-1 video
pbs-auction/go-multi-bids.json
    1 crid - - pubmatic/creative-1 video
    1 crid - - pubmatic/creative-2 video
    1 crid - - pubmatic/creative-3 video
    1 crid - - pubmatic/creative-4 video
    1 crid - - appnexus/creative-a-1 banner
    1 crid - - appnexus/creative-a-2 banner
pbs-auction/go-targeting-cache-vast.json
    1 crid - - appnexus/creative-1 video
pbs-auction/go-targeting-with-winners.json
    1 crid - - audienceNetwork/creative-4 video
    1 crid - - appnexus/creative-1 video
    1 crid - - appnexus/creative-2 video
    1 crid - - appnexus/creative-3 video
pbs-auction/java-huawei-native-video.json
    1 click huawei.com - huaweiads/58022259 native
pbs-auction/java-multi-bid.json
    2 crid - - generic/crid1 video
    1 adomain genericalias.com genericAlias/958 genericAlias/29681110 video
    1 adomain genericalias.com genericAlias/958 genericAlias/69595837 video
pbs-auction/java-rubicon.json
    1 buyer rubicon/1 rubicon/cid001 rubicon/crid001 video
pbs-auction/java-smaato.json
    1 crid - smaato/cid smaato/crid banner
pbs-auction/java-smartadserver.json
    1 adomain advertsite.com smartadserver/cid smartadserver/crid banner
pbs-auction/java-storedresponse.json
    1 crid - - generic/crid1 banner
pbs-auction/java-teads.json
    1 adomain teads.com teads/1 teads/1 banner
pbs-auction/mobile-PrebidServerOneBidFromAppNexusOneBidFromRubicon.json
    1 adomain appnexus.com appnexus/9325 appnexus/113276871 banner
    1 crid - - rubicon/4458534 banner
pbs-auction/mobile-noBidResponseRubicon.json
pbs-auction/mobile-responseAppNexusPBM.json
    1 adomain gilt.com appnexus/903 appnexus/822732502 banner
pbs-auction/mobile-responseValidTwoBidsOnTheSameSeat.json
    1 adomain justfab.com appnexus/1088 appnexus/134452896 banner
    1 adomain inspirato.com appnexus/406 appnexus/112019423 banner
pbs-auction/prebid-demo-response-banner-300-250.json
    1 click prebid.org - bidder.invalid.prebid/540944518 banner
pbs-auction/prebid-demo-response-video-outstream.json
    1 adomain prebid.org - bidder.invalid.prebid/test-creative-id-1 video
openrtb-spec/openrtb2-request-2.6-mobile.json
openrtb-spec/openrtb2-request-2.6-video.json
openrtb-spec/openrtb2-response-2.6-ad-served-on-win-notice.json
    1 adomain advertiserdomain.com bidder.invalid.512/campaign111 bidder.invalid.512/creative112 banner
openrtb-spec/openrtb2-response-2.6-native-markup-returned-inline.json
    1 unidentified - - - banner
openrtb-spec/openrtb2-response-2.6-vast-xml-document-returned-inline.json
    1 click sample.com - - video
openrtb-spec/openrtb3-response.json
    1 unidentified - - - banner
native/mobile-Full.json
    1 adomain openx.com - openx/test-creative-id-1 banner
native/mobile-NativeAdResponse.json
    1 adomain appnexus.com appnexus/10094 appnexus/162279313 native
native/mobile-native_bid_response_all_assets.json
    1 unidentified - - - native
native/spec-v1.2-clickout.json
    1 click am.a - - native
native/spec-v1.2-third-party.json
    1 unidentified - - - native
amp/pbs-go-addtl-consent-through-query.json
    1 unidentified - - - banner
amp/pbs-go-aliased-buyeruids.json
    1 unidentified - - - banner
amp/pbs-go-aliases.json
    1 unidentified - - - banner
amp/pbs-go-buyeruids-camel-case.json
    1 unidentified - - - banner
amp/pbs-go-gdpr-no-consentstring.json
    1 unidentified - - - banner
amp/pbs-go-imp-with-stored-resp.json
    1 unidentified - - - banner
amp/pbs-java-amp-response.json
    2 unidentified - - - banner
"""


def samples():
    """Each sample with the lines of its bids."""
    table = {}
    for line in SAMPLES.strip().splitlines():
        if not line.startswith(" "):
            bids = table[line] = []
            continue
        count, said = line.strip().split(" ", 1)
        bids += [said] * int(count)
    return table.items()


@pytest.mark.parametrize(("name", "expected"), samples())
def test_every_sample_says_whose_its_bids_are(shared_data, name, expected):
    """Real answers of exchanges: the advertiser, campaign and creative of each bid, and the rung that named them."""
    found = find((shared_data / "adtech" / name).read_bytes(), NOBODY)

    said = [
        f"{ad.basis} {'+'.join(ad.advertisers) or '-'} {ad.campaign or '-'} {ad.creative or '-'} {bid.format}"
        for bid, ad in zip(found.bids, ads(found), strict=True)
    ]
    assert expected == said


@pytest.mark.parametrize("name", [name for name, _ in samples()])
def test_every_sample_stays_json_without_any_of_its_bids(shared_data, name):
    """Each bid of each real answer taken out, alone and with all others: valid JSON, in which the others are as they were."""
    data = (shared_data / "adtech" / name).read_bytes()
    found = find(data, NOBODY)
    numbers = [bid.number for bid in found.bids]
    assert payload.apply(found, ()) is data
    for gone in [*({number} for number in numbers), set(numbers)]:
        if not gone:
            continue
        left = payload.apply(found, gone)
        assert json.loads(left) != json.loads(data)
        again = find(left, NOBODY)
        before = [bid.sources for bid in found.bids if bid.number not in gone]
        assert before == [bid.sources for bid in again.bids if bid.format][: len(before)]
        assert len(again.bids) == len(before)


def test_only_the_bid_goes_and_with_its_last_bid_the_seat():
    """Every other byte of an OpenRTB answer stays; a seat without bids goes too, and no bid at all is an empty `seatbid`."""
    data = (
        b'{ "id":"1", "seatbid" : [ {"seat":"a","bid":[{"id":"1","impid":"i","price":1.50, "crid":"x"}, {"id":"2","impid":"i","price":2}]},\n'
        b'  {"seat":"b","bid":[{"id":"3","impid":"i","price":3}]} ], "cur":"USD" , "n": 1e5 }'
    )
    found = find(data)

    assert data.replace(b', {"id":"2","impid":"i","price":2}', b"") == payload.apply(found, {1})
    assert data.replace(b',\n  {"seat":"b","bid":[{"id":"3","impid":"i","price":3}]}', b"") == payload.apply(found, {2})
    assert b'{ "id":"1", "seatbid" : [  ], "cur":"USD" , "n": 1e5 }' == payload.apply(found, {0, 1, 2})


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ({"tags": [{"uuid": "u", "nobid": False, "ads": [{"cpm": 1, "creative_id": 2, "ad_type": "banner"}]}]},
         {"tags": [{"uuid": "u", "nobid": True, "ads": []}]}),
        ({"decisions": {"d": {"adId": 1, "creativeId": 2, "flightId": 3}, "e": None}}, {"decisions": {"d": None, "e": None}}),
        ({"1": {"cpm": 1, "creativeID": "c", "adm": "<b>"}}, {}),
        ({"cpm": 1, "creativeId": "c", "isNoAd": False, "ad": "<b>"}, {"isNoAd": True}),
        ({"data": {"cpm": "1", "creationId": 7, "tag": "<b>"}}, {"data": None}),
        ({"adUnits": [{"auId": "1", "ads": [{"creativeId": "c", "bid": {"amount": 1}}], "matchedAdCount": 1}, {"auId": "2"}]},
         {"adUnits": [{"auId": "1", "ads": [], "matchedAdCount": 0}, {"auId": "2"}]}),
        ({"x": {"y": [{"cpm": 2, "creative_id": 9}, {"other": 1}]}}, {"x": {"y": [{"other": 1}]}}),
        ({"x": {"y": {"cpm": 2, "creative_id": 9}, "z": 1}}, {"x": {"z": 1}}),
        ([{"price": 1, "crid": "c", "slot": "s", "adm": "x"}], []),
    ],
)  # fmt: skip
def test_no_bid_is_said_as_each_exchange_says_it(answer, left):
    """With its last bid gone an answer has the form its adapter reads as no bid."""
    found = find(answer, NOBODY)

    assert left == json.loads(payload.apply(found, {bid.number for bid in found.bids}))


@pytest.mark.parametrize("impressions", [["i", "j", "k"], ["i", "i", "j"], ["i", "j", "j"], [None, "j", None]])
@pytest.mark.parametrize("withheld", [{0}, {1}, {0, 1}, {0, 1, 2}])
def test_where_bids_answer_slots_in_turn_the_others_keep_theirs(impressions, withheld):
    """What stands in a bid's place says that it is none and, as the bid did, which impression it belonged to."""
    row = [{"status": "ok", "cpm": 1, "size_id": "15", "ad_id": str(n), "script": "x"} for n in range(3)]
    row = [ad | ({"impression_id": name} if name else {}) for ad, name in zip(row, impressions, strict=True)]
    found = find({"ads": row}, "https://fastlane.rubiconproject.com/a/api/fastlane.json")

    left = json.loads(payload.apply(found, withheld))["ads"]
    gone = [{"status": "no-ads"} | ({"impression_id": name} if name else {}) for name in impressions]
    assert [gone[n] if n in withheld else ad for n, ad in enumerate(row)] == left


def test_bids_that_share_their_markup_go_together():
    """Where one piece of markup shows several ads, a capped one takes the others with it; deals have their own."""
    unit = {
        "html": "<b>",
        "ads": [{"creativeId": "1", "bid": {"amount": 1}}, {"creativeId": "2", "bid": {"amount": 1}}],
        "deals": [{"creativeId": "3", "bid": {"amount": 2}}],
    }
    found = find({"adUnits": [unit]}, NOBODY)

    left = json.loads(payload.apply(found, {1}))["adUnits"][0]
    assert {**unit, "ads": [], "matchedAdCount": 0} == left


# Prebid Server: the auction was held there


def held(*bids, slot="i"):
    """A made-up answer of a Prebid Server: bids as (bidder, price, keys)."""
    seats = [
        {
            "seat": bidder,
            "bid": [
                {"id": str(n), "impid": slot, "price": price, "crid": str(n), "ext": {"prebid": {"targeting": keys}}}
            ],
        }
        for n, (bidder, price, keys) in enumerate(bids)
    ]
    return {"seatbid": seats}


def keys(found, withheld):
    """The keys of each bid that is left."""
    answer = json.loads(payload.apply(found, withheld))
    return [bid["ext"]["prebid"].get("targeting") for seat in answer["seatbid"] for bid in seat["bid"]]


def test_the_runner_up_gets_the_plain_keys():
    """The highest of the rest wins: its keys without the bidder's name, cut to 20 letters as they may be."""
    long = {
        "hb_pb_audienceNetwor": "0.50",
        "hb_bidder_audienceNe": "audienceNetwork",
        "hb_cache_host_audien": "c.example",
    }
    found = find(
        held(
            ("appnexus", 0.7, {"hb_pb": "0.70", "hb_bidder": "appnexus", "hb_bidder_appnexus": "appnexus"}),
            ("rubicon", 0.3, {"hb_pb_rubicon": "0.30", "hb_bidder_rubicon": "rubicon"}),
            ("audienceNetwork", 0.5, long),
        )
    )

    assert [
        {"hb_pb_rubicon": "0.30", "hb_bidder_rubicon": "rubicon"},
        {**long, "hb_pb": "0.50", "hb_bidder": "audienceNetwork", "hb_cache_host": "c.example"},
    ] == keys(found, {0})
    assert {"": pytest.approx(0.2)} == found.lost({0})


def test_where_no_winner_goes_nobody_is_promoted():
    """A loser taken out leaves the winner's keys and everybody else's alone."""
    found = find(
        held(
            ("a", 2, {"hb_pb": "2", "hb_bidder": "a", "hb_bidder_a": "a", "hb_pb_a": "2"}),
            ("b", 1, {"hb_pb_b": "1", "hb_bidder_b": "b"}),
        )
    )

    assert [{"hb_pb": "2", "hb_bidder": "a", "hb_bidder_a": "a", "hb_pb_a": "2"}] == keys(found, {1})


def test_deals_go_first_where_the_request_said_so():
    """With `preferdeals` a deal beats a higher price, as it does on the server."""
    answer = held(
        ("a", 3, {"hb_pb": "3", "hb_bidder": "a", "hb_bidder_a": "a"}),
        ("b", 2, {"hb_pb_b": "2", "hb_bidder_b": "b"}),
        ("c", 1, {"hb_pb_c": "1", "hb_bidder_c": "c", "hb_deal_c": "d"}),
    )
    answer["seatbid"][2]["bid"][0]["dealid"] = "d"

    assert "hb_pb" in keys(find(answer), {0})[0]
    assert {"hb_pb": "1", "hb_deal": "d"}.items() <= keys(find(answer, asked=Asked(prefers_deals=True)), {0})[1].items()


def test_another_slot_is_not_promoted_into():
    """The runner-up is one of the same slot; a bid without keys is passed over."""
    answer = held(("a", 3, {"hb_pb": "3", "hb_bidder": "a", "hb_bidder_a": "a"}))
    answer["seatbid"] += held(("b", 2, {"hb_pb_b": "2", "hb_bidder_b": "b"}), slot="other")["seatbid"]
    answer["seatbid"][0]["bid"].append({"id": "z", "impid": "i", "price": 1, "crid": "z", "ext": {"prebid": {}}})

    assert [None, {"hb_pb_b": "2", "hb_bidder_b": "b"}] == keys(find(answer), {0})


def test_real_winners_hand_over_to_real_runners_up(shared_data):
    """Prebid Server's own answers: another bidder wins each slot that has one, by truncated names too."""
    for name, gone, expected in (
        ("go-targeting-with-winners.json", {1}, "audienceNetwork"),
        ("go-multi-bids.json", {0}, "pubm2"),
        ("java-multi-bid.json", {0}, "rubN2"),
    ):
        found = find((shared_data / "adtech" / "pbs-auction" / name).read_bytes())
        winners = [each["hb_bidder"] for each in keys(found, gone) if each and "hb_bidder" in each]

        assert expected in winners


def test_amp_demotes_the_winner():
    """An answer for AMP is nothing but keys: the plain ones become the runner-up's, the capped bidder's go."""
    targeting = {
        "hb_pb": "2", "hb_pb_a": "2", "hb_bidder": "a", "hb_bidder_a": "a", "hb_adomain_a": "shoes.example", "hb_size_a": "1x1",
        "hb_pb_b": "1", "hb_bidder_b": "b", "hb_deal_b": "d", "hb_size": "1x1", "kept": "k",
    }  # fmt: skip
    found = find({"targeting": targeting})

    assert ["shoes.example"] == list(ads(found)[0].advertisers)
    assert {
        "hb_pb": "1", "hb_bidder": "b", "hb_deal": "d", "hb_pb_b": "1", "hb_bidder_b": "b", "hb_deal_b": "d", "kept": "k",
    } == json.loads(payload.apply(found, {0}))["targeting"]  # fmt: skip
    assert {"kept": "k"} == json.loads(payload.apply(found, {0, 1}))["targeting"]


# Where bids are looked for


def test_a_format_that_says_little_is_looked_for_at_exchanges_only():
    """A shop's own price list is no auction; OpenRTB is one wherever it comes from."""
    shop = {"items": [{"price": 5, "adId": "x"}]}
    bids = {"seatbid": [{"bid": [{"impid": "1", "price": 1, "crid": "c"}]}]}

    assert ((), 1) == (find(shop, exchange=False).bids, len(find(bids, exchange=False).bids))
    assert 1 == len(find(shop).bids)


def test_json_without_a_word_of_bids_is_not_even_parsed():
    """What holds none of the words an auction uses is not read, so broken JSON is no fault there."""
    assert () == find(b'{"articles": [').bids


def test_an_id_is_the_same_by_every_way_a_bid_comes():
    """An exchange's creative has its name for buyer, asked directly or by a Prebid Server; seats keep buyers apart."""
    bid = {"impid": "1", "price": 100, "crid": "77"}
    direct = find({"seatbid": [{"bid": [bid], "seat": "958"}]}, "https://htlb.casalemedia.com/openrtb/pbjs")
    served = find({"seatbid": [{"bid": [bid], "seat": "ix"}]}, "https://pbs.example/openrtb2/auction")

    assert ("ix.958/77", "ix/77") == (ads(direct)[0].creative, ads(served)[0].creative)
    assert (1.0, 100.0) == (direct.bids[0].price, served.bids[0].price)


def test_jsonp_is_an_answer_too():
    """Amazon's answer is a call (made up: no real one may be passed on); a slot is dropped from it."""
    data = (
        b'apstag.bids({"slots":[{"slotID":"a","amznbid":"1x","amzniid":"i"},{"slotID":"b","amznbid":"2x"}],"host":"h"})'
    )
    found = find(data, "https://aax.amazon-adsystem.com/e/dtb/bid?src=1")

    assert ["a", "b"] == [bid.slot for bid in found.bids]
    assert data.replace(b'{"slotID":"a","amznbid":"1x","amzniid":"i"},', b"") == payload.apply(found, {0})


# Forms of an exchange's own, read by names


@pytest.mark.parametrize(
    ("answer", "advertisers", "creative", "price", "slot"),
    [
        # Synthetic, after the forms that bidders' adapters for Prebid.js read.
        ([{"CPM": 1, "Width": 728, "Ad": "<b>", "CreativeId": "c1", "ADomain": ["www.shoes.example"]}], "shoes.example", "c1", 1.0, ""),
        ({"bids": [{"bid": {"bidId": "s", "price": 0.5}, "creative": {"id": "c1", "advertiserDomains": ["shoes.example"]}}]}, "shoes.example", "c1", 0.5, "s"),
        ({"data": [{"requestId": "s", "cpm": "1.5", "meta": {"advertiser_domains": ["https://shoes.example/"]}}]}, "shoes.example", None, 1.5, "s"),
        ({"hb": {"cpm": 2, "adomains": ["shoes.example"]}, "banner": {"hash": "c1"}, "template": {"html": "<b>"}}, "shoes.example", "c1", 2.0, ""),
        ({"ad": {"prebid_id": "s", "price": 3, "creative_id": "c1", "banner": {"adomain": ["shoes.example"]}}}, "shoes.example", "c1", 3.0, "s"),
        ({"bid": {"price": 1, "crid": 7}, "meta": {"advertiserDomains": ["shoes.example"]}, "bidid": "s"}, "shoes.example", "7", 1.0, "s"),
        ([{"price": {"cpm": 1, "currency": "JPY"}, "ad": {"creative": {"id": "c1"}, "clickUrl": "https://shoes.example/"}}], "shoes.example", "c1", 1.0, ""),
        ([{"BidId": "s", "Cpm": 1, "native": {"clickUrl": "https://shoes.example/x", "sponsoredBy": "Else"}}], "shoes.example", None, 1.0, "s"),
        ({"r": [{"cpm": 1, "ad": "<a href='https://shoes.example/'>x</a>", "uuid": "s"}]}, "shoes.example", None, 1.0, "s"),
        ({"r": [{"cpm": 1, "id": "s", "advertiser": {"name": "Shoes", "domain": "shoes.example"}, "ad_code": "<b>"}]}, "shoes.example", None, 1.0, ""),
    ],
)  # fmt: skip
def test_bids_are_known_by_names_however_they_are_written(answer, advertisers, creative, price, slot):
    """Where no format fits a bid is what has a price and is near what else a bid has; nothing of it stays behind."""
    found = find(answer)
    (bid,), (ad,) = found.bids, ads(found)

    assert (advertisers, price, slot) == (",".join(ad.advertisers), bid.price, bid.slot)
    assert (creative and f"bidder.example/{creative}") == ad.creative
    assert () == find(payload.apply(found, {0})).bids


def test_of_several_bids_each_says_its_own():
    """What one bid leaves unsaid is not taken from another; what their holder says goes for all."""
    bids = [{"requestId": "1", "cpm": 1, "ad": "a", "adomain": ["a.example"]}, {"requestId": "2", "cpm": 2, "ad": "b"}]
    found = find({"currency": "EUR", "bids": bids})

    assert [("a.example",), ()] == [ad.advertisers for ad in ads(found)]
    assert ["EUR", "EUR"] == [bid.currency for bid in found.bids]
    assert [bids[1]] == json.loads(payload.apply(found, {0}))["bids"]


def test_what_holds_several_bids_is_none():
    """An object with a price that has bids inside is no bid; one bid's price inside a bid is a part of it."""
    several = {"cpm": 3, "ad": "", "ads": [{"cpm": 1, "adId": "a"}, {"cpm": 2, "adId": "b"}]}
    one = {"list": [{"bidCpm": 1, "adId": "a", "prebid": {"cpm": 1.1, "creative": "<b>"}}]}

    assert [("ads", 0), ("ads", 1)] == [bid.path for bid in find(several).bids]
    assert [("list", 0)] == [bid.path for bid in find(one).bids]


def test_the_request_echoed_in_an_answer_says_nothing():
    """A publisher's site, blocked advertisers and floors are not the bid's."""
    bid = {
        "requestId": "1",
        "cpm": 1,
        "ad": "x",
        "site": {"adomain": ["news.example"]},
        "badv": ["b.example"],
        "floors": {"cpm": 9},
    }

    (ad,) = ads(find({"bids": [bid]}))
    assert () == ad.advertisers


def test_who_delivers_is_not_who_advertises():
    """A machine of an ad network, named as the advertiser, is passed over for whoever else is named."""
    named = {
        "cpm": 1,
        "ad": "x",
        "advertiserDomains": ["securepubads.g.doubleclick.net"],
        "metaData": {"advertiserDomains": ["shoes.example"]},
    }

    assert [("shoes.example",)] == [ad.advertisers for ad in ads(find([named]))]
    assert [()] == [ad.advertisers for ad in ads(find([{**named, "metaData": {}}]))]


# Who wins, and what it costs


def test_the_best_of_each_slot_is_known():
    """The highest price of each slot, deals first if so asked; with it gone the next; a winner that a server named stays it."""
    bids = [
        {"impid": "a", "price": 3, "crid": "0"}, {"impid": "a", "price": 2, "crid": "1", "dealid": "d"},
        {"impid": "b", "price": 1, "crid": "2"}, {"impid": "a", "price": 1, "crid": "3"},
    ]  # fmt: skip
    answer = {"seatbid": [{"bid": bids}]}

    assert {0, 2} == find(answer).best()
    assert {1, 2} == find(answer).best({0})
    assert {1} == find(answer).best({0, 2})
    assert {1, 2} == find(answer, asked=Asked(prefers_deals=True)).best()
    won = held(("a", 1, {"hb_pb": "1", "hb_bidder": "a", "hb_bidder_a": "a"}), ("b", 2, {"hb_bidder_b": "b"}))
    assert {0} == find(won).best()


def test_what_a_publisher_loses_is_the_difference_in_price():
    """Per currency; nothing is lost where the best stays, and prices of two currencies are not set off."""
    bids = [{"impid": "a", "price": price, "crid": str(price)} for price in (3, 2, 0.5)]
    answer = {"seatbid": [{"bid": bids}], "cur": "SEK"}

    assert {"SEK": 1.0} == find(answer).lost({0})
    assert {"SEK": 3.0} == find(answer).lost({0, 1, 2})
    assert {} == find(answer).lost({1, 2})
    mixed = [
        {"cpm": 3, "currency": "JPY", "crid": "a", "bidId": "x"},
        {"cpm": 2, "currency": "USD", "crid": "b", "bidId": "x"},
    ]
    assert {} == find(mixed).lost({0})


def test_a_runner_up_without_keys_is_given_those_that_can_be_known():
    """Where only winners were given keys: the bidder, the size and, if it is known how prices are rounded, the price."""
    answer = held(
        ("a", 3, {"hb_pb": "3.00", "hb_bidder": "a", "hb_size": "300x250", "hb_cache_id": "i"}), ("b", 2.57, None)
    )
    other = answer["seatbid"][1]["bid"][0]
    other |= {"w": 728, "h": 90, "ext": {"x": 1}}
    asked = Asked.of({"ext": {"prebid": {"targeting": {"pricegranularity": "med"}}}})

    left = json.loads(payload.apply(find(answer, "https://pbs.example/openrtb2/auction", asked=asked), {0}))["seatbid"][
        0
    ]["bid"][0]
    assert {"x": 1, "prebid": {"targeting": {"hb_bidder": "b", "hb_pb": "2.50", "hb_size": "728x90"}}} == left["ext"]
    unasked = json.loads(payload.apply(find(answer, "https://pbs.example/openrtb2/auction"), {0}))["seatbid"][0]["bid"][
        0
    ]
    assert {"x": 1} == unasked["ext"]


@pytest.mark.parametrize("ext", [None, {}, {"prebid": {}}, {"prebid": {"targeting": {}}}])
def test_keys_go_where_they_belong_whatever_is_there(ext):
    """Of the objects on the way those are made that there are not."""
    answer = held(("a", 3, {"hb_pb": "3.00", "hb_bidder": "a"}), ("b", 2, None))
    bid = answer["seatbid"][1]["bid"][0]
    bid.pop("ext")
    if ext is not None:
        bid["ext"] = ext
    asked = Asked.of({"ext": {"prebid": {"targeting": {"pricegranularity": "high"}}}})

    left = json.loads(payload.apply(find(answer, "https://pbs.example/openrtb2/auction", asked=asked), {0}))
    assert {"hb_bidder": "b", "hb_pb": "2.00"} == left["seatbid"][0]["bid"][0]["ext"]["prebid"]["targeting"]


def test_a_bidder_with_several_bids_has_a_name_for_each():
    """Prebid Server's multibid: the second bid's keys have the name it was given (`targetbiddercode`)."""
    keys = {"hb_pb_pubm2": "1", "hb_bidder_pubm2": "pubm2", "hb_size_pubm2": "1x1"}
    answer = held(
        ("pubmatic", 2, {"hb_pb": "2", "hb_bidder": "pubmatic", "hb_bidder_pubmatic": "pubmatic"}),
        ("pubmatic", 1, keys),
    )
    answer["seatbid"][1]["bid"][0]["ext"]["prebid"]["targetbiddercode"] = "pubm2"

    (left,) = json.loads(payload.apply(find(answer), {0}))["seatbid"]
    assert {**keys, "hb_pb": "1", "hb_bidder": "pubm2", "hb_size": "1x1"} == left["bid"][0]["ext"]["prebid"][
        "targeting"
    ]


def test_what_a_cache_keeps_is_known_by_its_ids():
    """A bid's ids in a cache are those that an answer for AMP, which holds no bid, names."""
    cache = {"bids": {"url": "https://c.example/cache?uuid=u1", "cacheId": "u1"}}
    bid = {"impid": "1", "price": 1, "ext": {"prebid": {"targeting": {"hb_uuid": "u2"}, "cache": cache}}}
    (found,) = find({"seatbid": [{"bid": [bid]}]}).bids
    (amp,) = find(
        {
            "targeting": {
                "hb_bidder": "a",
                "hb_pb": "1",
                "hb_cache_id": "u1",
                "hb_cache_host": "c.example",
                "hb_cache_path": "/cache",
            }
        }
    ).bids

    assert {"u1", "u2"} == {*found.kept}
    assert ("u1",) == amp.kept
    assert ("https://c.example/cache?uuid=u1",) == amp.urls
    assert "https://c.example/cache?uuid=u1" in found.urls


def test_amp_puts_deals_first_where_the_request_did():
    """The runner-up of an answer for AMP is chosen as the server would have."""
    targeting = {
        "hb_pb": "3", "hb_bidder": "a", "hb_bidder_a": "a", "hb_pb_b": "2", "hb_bidder_b": "b",
        "hb_pb_c": "1", "hb_bidder_c": "c", "hb_deal_c": "d",
    }  # fmt: skip
    bidder = [
        json.loads(payload.apply(find({"targeting": targeting}, asked=asked), {0}))["targeting"]["hb_bidder"]
        for asked in (Asked(), Asked(prefers_deals=True))
    ]

    assert ["b", "c"] == bidder


# Around the JSON


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cb(", ");"), ("/**/cb(", ")"), ('window.cb["x1"](', ");"), ("var ads = ", ";"), (")]}'\n", ""), (")]}',\n", "\n"),
        ("while(1);", ""), ("for (;;);", ""), ("\ufeff", ""), ("/* x */ a.b.c (", ")\n"), ("\n\n ", " \n"), ("cb && cb(", ");"),
        ("try{cb(", ");}catch(e){}"),
    ],
)  # fmt: skip
def test_what_stands_around_an_answer_stays(before, after):
    """Guards, calls and marks of byte order are no part of the answer, and no byte of them changes."""
    answer = '{"seatbid":[{"bid":[{"impid":"1","price":1,"crid":"a"},{"impid":"2","price":2,"crid":"b"}]}]}'
    found = find(f"{before}{answer}{after}".encode())

    assert 2 == len(found.bids)
    left = answer.replace('{"impid":"1","price":1,"crid":"a"},', "")
    assert f"{before}{left}{after}".encode() == payload.apply(found, {0})


def test_answers_line_by_line():
    """Of several documents, each on a line of its own, one that is left without bids stays a document."""
    lines = [json.dumps({"seatbid": [{"bid": [{"impid": str(n), "price": n, "crid": "c"}]}]}) for n in range(3)]
    found = find("\n".join(lines).encode() + b"\n")

    assert 3 == len(found.bids)
    left = payload.apply(found, {1})
    assert [lines[0], '{"seatbid": []}', lines[2], ""] == left.decode().split("\n")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[" * 20_000, b'{"seatbid":' * 9_000, b'{"seatbid": NaN, "bid": 1}', b'{"price": 1, "crid": "a"} trailing', b"\x00\xffprice",
        '{"seatbid": [{"bid": [{"impid": "1", "price": 1}]}]}'.encode("utf-16"), b'"seatbid"', b"cb(price)", b'{"seatbid": [], }', b"{'price': 1}",
        b'{"seatbid":[{"bid":[{"impid":"1","price":' + b"1" * 50_000 + b"]}]}",
    ],
    ids=range(13),
)  # fmt: skip
def test_what_is_no_answer_is_left_alone(data):
    """Broken, endless, strangely encoded: no bid, or refused as what it is."""
    try:
        found = find(data)
    except Unrewritable:
        return
    assert () == found.bids


def test_strange_bytes_stay():
    """Lone surrogates, bytes of another charset, names that stand twice: what is taken out is, the rest is as it was."""
    twice = b'{"seatbid":[],"seatbid":[{"bid":[{"impid":"1","price":1,"price":2,"x":"\\ud800"},{"impid":"2","price":9}],"n":"\xe9"}]}'
    found = find(twice)

    assert [2.0, 9.0] == [bid.price for bid in found.bids]
    assert twice.replace(b',{"impid":"2","price":9}', b"") == payload.apply(found, {1})


def test_an_answer_without_ads_is_parsed_once(monkeypatch):
    """Whatever has the words of auctions and no bid is read a single time; what has not even those, never."""
    reads = []
    once = payload.read
    monkeypatch.setattr(payload, "read", lambda data: (reads.append(data), once(data))[1])
    shop = json.dumps({"items": [{"price": 1.5, "name": "a"}] * 50}).encode()
    dear = json.dumps({"items": [{"price": {"amount": [1]}, "name": "a"}] * 50}).encode()
    plain = json.dumps({"articles": ["x"] * 500}).encode()

    for data in (shop, dear, plain):
        assert data is payload.apply(find(data), ())
    assert [shop] == reads
    find(shop, exchange=False)
    assert [shop] == reads


# What leads back


def test_notices_and_markup_lead_back_to_the_bid():
    """The price stands where its macro stood, as the page will ask for it; the markup's addresses are found too."""
    adm = '<a href="https://ads.example/c?u=1"><img src="https://ads.example/i.gif?a=1&amp;b=2"></a>'
    bid = {
        "impid": "1",
        "price": 1.20,
        "nurl": "https://n.example/w?p=${AUCTION_PRICE}",
        "burl": "//b.example/x",
        "adm": adm,
    }
    (found,) = find({"seatbid": [{"bid": [bid]}]}).bids

    assert {
        "https://n.example/w?p=1.2", "https://n.example/w?p=${AUCTION_PRICE}", "https://b.example/x", "https://ads.example/i.gif?a=1&b=2",
    } == {*found.urls}  # fmt: skip


def test_video_and_native_say_where_a_click_leads():
    """VAST's click, its advertiser's name, native's link and its sponsor, where nothing declares a domain."""
    vast = "<VAST><Ad><InLine><Advertiser>Shoe House</Advertiser>{}</InLine></Ad></VAST>"
    click = "<VideoClicks><ClickThrough><![CDATA[ https://www.shoes.example/x ]]></ClickThrough></VideoClicks>"
    native = {"native": {"link": {"url": "https://shoes.example/"}, "assets": []}}
    sponsored = {"assets": [{"data": {"type": 1, "value": "Sponsored by Shoe House"}}], "link": {}}
    bids = [
        {"impid": "1", "price": 1, "adm": adm}
        for adm in (vast.format(click), vast.format(""), json.dumps(native), json.dumps(sponsored))
    ]
    found = find({"seatbid": [{"bid": bids}]})

    assert [
        (Basis.CLICK, ("shoes.example",)), (Basis.SPONSOR, ("sponsor/shoe house",)),
        (Basis.CLICK, ("shoes.example",)), (Basis.SPONSOR, ("sponsor/shoe house",)),
    ] == [(ad.basis, ad.advertisers) for ad in ads(found)]  # fmt: skip
    assert [Format.VIDEO, Format.VIDEO, Format.NATIVE, Format.NATIVE] == [bid.format for bid in found.bids]


def test_three_deliveries_under_a_cap_of_two():
    """Of three answers alike the third loses its capped bid, and only that."""
    bids = [
        {"impid": "1", "price": 2, "adomain": ["shoes.example"]},
        {"impid": "1", "price": 1, "adomain": ["hats.example"]},
    ]
    lefts = []
    for seen in range(3):
        found = find({"seatbid": [{"bid": bids}]})
        capped = {number for number, ad in enumerate(ads(found)) if "shoes.example" in ad.advertisers and seen >= 2}
        lefts.append(json.loads(payload.apply(found, capped))["seatbid"][0]["bid"])

    assert [bids, bids, bids[1:]] == lefts


EXTRAS = st.dictionaries(
    st.text(max_size=6).map("x{}".format), st.integers() | st.text(max_size=6) | st.lists(st.none()), max_size=3
)
BIDS = st.builds(lambda price, more: {"impid": "1", "price": price, "crid": "c", **more}, st.integers(0, 99), EXTRAS)
SEATS = st.builds(lambda bids, more: {**more, "bid": bids, "seat": "s"}, st.lists(BIDS, max_size=4), EXTRAS)


@given(st.lists(SEATS, max_size=4), EXTRAS, st.sampled_from([None, 1, "\t"]), st.data())
def test_any_bids_of_any_answer_go_and_nothing_else(seats, more, indent, data):
    """Random OpenRTB answers, random bids: what is left is what taking them out of the value leaves, in the bytes it had."""
    answer = {"id": "1", "seatbid": seats, **more}
    found = find(json.dumps(answer, indent=indent).encode())
    gone = data.draw(st.sets(st.sampled_from(range(len(found.bids))))) if found.bids else set()

    number = iter(range(len(found.bids)))
    left = []
    for seat in seats:
        bids = [bid for bid in seat["bid"] if next(number) not in gone]
        if bids or not seat["bid"]:
            left.append({**seat, "bid": bids})
    assert {**answer, "seatbid": left} == json.loads(payload.apply(found, gone))


LOOSE = st.builds(
    lambda number, price, more: {"bidId": str(number), "cpm": price, "ad": "<b>é</b>", **more},
    st.integers(0, 99),
    st.integers(0, 99),
    EXTRAS,
)
AROUND = st.sampled_from(
    [
        "{}",
        '{{"bids" :{}, "x":1}}',
        '[1,{{"a":{}}}]',
        'cb({{"data":{}}});',
        '{{"a":{{"results":\n{}}},"currency":"EUR"}}',
    ]
)


@given(st.lists(LOOSE, max_size=5), AROUND, st.sampled_from([None, 2]), st.data())
def test_of_answers_read_by_names_too_only_the_bid_goes(bids, around, indent, data):
    """Every byte of the other bids and around them stays, whichever are taken out."""
    texts = [json.dumps(bid, indent=indent, ensure_ascii=False) for bid in bids]
    found = find(around.format("[" + " ,\n".join(texts) + "]").encode())
    gone = data.draw(st.sets(st.sampled_from(range(len(found.bids))))) if found.bids else set()

    assert len(bids) == len(found.bids)
    kept = [text for number, text in enumerate(texts) if number not in gone]
    assert kept == [*spans(find(payload.apply(found, gone)))]


def spans(found):
    """The bids as they are written."""
    locator = Locator(found.text) if found.bids else None
    for bid in found.bids:
        at = locator.at(bid.path)
        yield found.text.source[at : locator.end(at)]


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "seatbid",
                    "bid",
                    "price",
                    "impid",
                    "crid",
                    "adm",
                    "ext",
                    "prebid",
                    "targeting",
                    "hb_pb",
                    "ads",
                    "cpm",
                    "native",
                    "assets",
                    "link",
                    "tags",
                    "decisions",
                    "adId",
                    "adPods",
                    "slots",
                    "meta",
                    "adomain",
                    "requestId",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=40,
)


@given(TREES)
def test_whatever_an_answer_is_it_stays_json(tree):
    """Answers with the words of auctions in all the wrong places are read, judged and edited without a fault."""
    if not isinstance(tree, dict | list):
        return
    found = find(tree)
    ads(found)
    for number in range(len(found.bids)):
        json.loads(payload.apply(found, {number}))
        assert isinstance(found.bids[number].urls, tuple)
        assert found.best({number}) <= {*range(len(found.bids))} - {number}
        assert all(amount > 0 for amount in found.lost({number}).values())


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "answer",
    [
        {"seatbid": [{"bid": [{"impid": "1", "price": 1, "adm": adm}]}]}
        for adm in (
            "<ClickThrough" * 20_000,
            "<VAST><ClickThrough>" + " " * 200_000,
            "<a href=" * 20_000,
            "<script>" + "'https:" * 30_000,
        )
    ]
    + [{"targeting": {f"hb_bidder_{n}": str(n) for n in range(20_000)}}, {"x": [{"price": 1, "crid": "c"}] * 20_000}],
)
def test_hostile_answers_cost_little(answer):
    """Markup, keys and lists made to be slow are read within bounds."""
    found = find(answer)

    assert ads(found)
    json.loads(payload.apply(found, {0}))
