// A player: the ads of a VAST answer are played one after the other, a pod whole, of a buffet the first that works.
import { VASTClient, VASTTracker } from '@dailymotion/vast-client';

const screen = document.querySelector('video');
const client = new VASTClient();

export const report = { offered: [], played: [], complaints: [] };

client.getParser().on('VAST-error', ({ ERRORCODE, ERRORMESSAGE }) => report.complaints.push(ERRORMESSAGE || ERRORCODE));

function name(ad) {
  return ad.advertiser?.value ?? ad.advertiser;
}

function ended() {
  return new Promise((resolve, reject) => {
    screen.onended = resolve;
    screen.onerror = () => reject(new Error(screen.error.message));
  });
}

async function play(ad) {
  const creative = ad.creatives.find(({ type }) => type === 'linear');
  const file = creative?.mediaFiles.find(({ mimeType }) => screen.canPlayType(mimeType));
  if (!file) {
    return false;
  }
  const tracker = new VASTTracker(client, ad, creative);
  const companion = ad.creatives.find(({ type }) => type === 'companion')?.variations[0];
  screen.poster = companion?.staticResources[0]?.url ?? '';
  screen.src = file.fileURL;
  const done = ended();
  try {
    await screen.play();
    tracker.trackImpression();
    tracker.setProgress(0);
    await done;
  } catch (error) {
    report.complaints.push(String(error));
    tracker.errorWithCode('400');
    return false;
  }
  tracker.complete();
  report.played.push(name(ad));
  return true;
}

// The client gives a pod, or one ad of a buffet, and then the next on demand.
async function playAll({ ads }) {
  report.offered.push(...ads.map(name));
  const turns = [...ads].sort((one, other) => one.sequence - other.sequence);
  let played = 0;
  for (const ad of turns) {
    played += await play(ad);
  }
  if (played === 0 && client.hasRemainingAds()) {
    await playAll(await client.getNextAds());
  }
}

// Plays what the answer at `url` holds, or nothing; never rejects.
export async function preroll(url) {
  try {
    await playAll(await client.get(url));
  } catch (error) {
    report.complaints.push(String(error.message ?? error));
  }
}

export function begin(film) {
  screen.poster = film;
  screen.removeAttribute('src');
  screen.load();
}
