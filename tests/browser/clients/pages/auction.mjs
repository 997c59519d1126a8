// A publisher's page with header bidding: the best bid of each slot is rendered, a slot without one keeps its house ad.
import pbjs from 'prebid.js';
import 'prebid.js/modules/appnexusBidAdapter';
import 'prebid.js/modules/criteoBidAdapter';
import 'prebid.js/modules/ixBidAdapter';
import 'prebid.js/modules/msftBidAdapter';
import 'prebid.js/modules/nativeRendering';
import 'prebid.js/modules/openxBidAdapter';
import 'prebid.js/modules/pubmaticBidAdapter';
import 'prebid.js/modules/rubiconBidAdapter';
import 'prebid.js/modules/smartadserverBidAdapter';
import 'prebid.js/modules/sovrnBidAdapter';
import 'prebid.js/modules/tripleliftBidAdapter';
import 'prebid.js/modules/prebidServerBidAdapter';
import { begin, preroll, report as player } from './player.mjs';

// What Prebid says when an answer is not as it should be.
const COMPLAINTS = ['adRenderFailed', 'auctionDebug', 'bidRejected', 'bidTimeout', 'bidderError', 'staleRender'];
// What it says of a page that has switched user syncs off.
const IDLE = 'User sync type';

const plan = JSON.parse(document.getElementById('plan').textContent);
const rendering = new Map();

function settle({ adId, bid }) {
  rendering.get(adId ?? bid?.adId)?.();
}

function render(code, adId) {
  const frame = document.createElement('iframe');
  const { width = 300, height = 250 } = pbjs.getBidResponsesForAdUnitCode(code).bids.find((bid) => bid.adId === adId);
  Object.assign(frame, { width, height, title: 'Advertisement', scrolling: 'no' });
  document.getElementById(code).replaceChildren(frame);
  frame.contentDocument.body.style.margin = 0;
  const rendered = new Promise((resolve) => rendering.set(adId, resolve));
  pbjs.renderAd(frame.contentDocument, adId);
  return rendered;
}

async function show(code, adId) {
  const { vastUrl } = pbjs.getBidResponsesForAdUnitCode(code).bids.find((bid) => bid.adId === adId);
  if (!vastUrl) {
    return render(code, adId);
  }
  pbjs.markWinningBidAsUsed({ adId, events: true });
  await preroll(vastUrl);
  return begin('');
}

// Before anything is rendered: a bid that was is no longer in the running.
function standing({ code }) {
  const bids = pbjs.getBidResponsesForAdUnitCode(code).bids;
  return [code, {
    bids: bids.map(({ bidder, cpm, meta, adserverTargeting }) => [bidder, cpm, meta.advertiserDomains[0], adserverTargeting]),
    targeting: pbjs.getAdserverTargetingForAdUnitCode(code),
  }];
}

function complains({ eventType, args }) {
  return COMPLAINTS.includes(eventType) && !String(args.arguments?.[0]).startsWith(IDLE);
}

function plain(value) {
  return JSON.parse(JSON.stringify(value, (key, each) => (each instanceof Node ? each.nodeName : each) ?? null));
}

let slots = {};

window.report = () => ({ slots, player, complaints: pbjs.getEvents().filter(complains).map(plain) });

pbjs.bidderSettings = { standard: { storageAllowed: true } };
pbjs.setConfig(plan.config);
pbjs.onEvent('adRenderSucceeded', settle);
pbjs.onEvent('adRenderFailed', settle);
pbjs.processQueue();
pbjs.addAdUnits(plan.units);
pbjs.requestBids({
  async bidsBackHandler() {
    slots = Object.fromEntries(plan.units.map(standing));
    const winners = Object.entries(slots).map(([code, { targeting }]) => [code, targeting.hb_adid]);
    await Promise.all(winners.filter(([, adId]) => adId).map(([code, adId]) => show(code, adId)));
    document.documentElement.dataset.done = 'yes';
  },
});
