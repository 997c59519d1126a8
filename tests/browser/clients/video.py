"""A video ad server and a publisher's page with a player: each answer is a pod, a buffet or a wrapper around one."""

import io
import json
import wave
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from capper.demo.pictures import Look, banner, photograph
from capper.proxy.testing import Seen, reply

TUBE = "tube.example"
ADS = "video.adserver.example"
OTHER_ADS = "video.otherserver.example"
HOSTS = (TUBE, ADS, OTHER_ADS)
TAG = f"https://{ADS}/vast/ad?slot=preroll"
_COLOURS = ("#0b3d5c", "#5b3a29", "#0b7a75", "#6a2c70")


@dataclass(frozen=True, slots=True)
class Film:
    """An ad to be played: whose, its turn if it belongs to a pod, and the host of its files if that is another."""

    advertiser: str
    turn: int | None = None
    files: str = ""

    def element(self, host: str) -> str:
        """The `<Ad>`."""
        name = self.advertiser.split(".")[0]
        turn = f' sequence="{self.turn}"' if self.turn else ""
        beacons = "".join(
            f'<Tracking event="{event}"><![CDATA[https://{host}/told/{event}?of={self.advertiser}]]></Tracking>'
            for event in ("start", "complete")
        )
        return f"""  <Ad id="{name}-2026"{turn}>
    <InLine>
      <AdSystem version="4.0">Adserver</AdSystem>
      <AdTitle>{name.title()}</AdTitle>
      <Impression><![CDATA[https://{host}/told/impression?of={self.advertiser}&cb=[CACHEBUSTING]]]></Impression>
      <Advertiser>{self.advertiser}</Advertiser>
      <Error><![CDATA[https://{host}/told/error?of={self.advertiser}&code=[ERRORCODE]]]></Error>
      <Creatives>
        <Creative id="{name}-6s" sequence="1">
          <Linear>
            <Duration>00:00:01</Duration>
            <TrackingEvents>{beacons}</TrackingEvents>
            <VideoClicks><ClickThrough><![CDATA[https://www.{self.advertiser}/sale]]></ClickThrough></VideoClicks>
            <MediaFiles>
              <MediaFile delivery="progressive" type="audio/wav" width="640" height="360">
                <![CDATA[https://{self.files or host}/film/{name}.wav]]>
              </MediaFile>
            </MediaFiles>
          </Linear>
        </Creative>
        <Creative>
          <CompanionAds><Companion width="640" height="360">
            <StaticResource creativeType="image/png"><![CDATA[https://{self.files or host}/still/{name}.png]]></StaticResource>
          </Companion></CompanionAds>
        </Creative>
      </Creatives>
    </InLine>
  </Ad>
"""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """An ad that another server has: the player asks on there."""

    name: str

    def element(self, host: str) -> str:
        """The `<Ad>`."""
        return f"""  <Ad id="w-{self.name}">
    <Wrapper>
      <AdSystem>Adserver</AdSystem>
      <VASTAdTagURI><![CDATA[https://{OTHER_ADS}/vast/ad?slot={self.name}]]></VASTAdTagURI>
      <Impression><![CDATA[https://{host}/told/wrapped?of={self.name}]]></Impression>
      <Creatives></Creatives>
    </Wrapper>
  </Ad>
"""


@dataclass
class Tube:
    """The page, its film and the servers of its ads. `told` is what these heard, as (what, advertiser)."""

    answers: dict[tuple[str, str], Iterable[Film | Wrapper]]
    """By host and slot."""
    script: Callable[[], bytes]
    told: list[tuple[str, str]] = field(default_factory=list)

    def respond(self, seen: Seen) -> bytes:
        """The answer of whichever host is asked."""
        url = urlsplit(seen.target)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        fields = [("Access-Control-Allow-Origin", seen.field("origin") or "*"), ("Cache-Control", "no-store")]
        first, _, name = url.path.strip("/").partition("/")
        match first:
            case "vast":
                return reply(vast(self.answers[seen.host, query["slot"]], seen.host), 200, fields, "application/xml")
            case "told":
                self.told.append((name, query["of"]))
                return reply(b"", 204)
            case "film":
                return _ranged(silence(), seen.field("range"))
            case "still":
                return reply(still(name.removesuffix(".png")), 200, fields, "image/png")
            case "film.png":
                return reply(photograph("#bcd4e6", "#7a8ca0", 640, 360), kind="image/png")
            case "video.js":
                return reply(self.script(), kind="text/javascript")
        return reply(_page(TAG), kind="text/html; charset=utf-8")


def vast(ads: Iterable[Film | Wrapper], host: str) -> bytes:
    """The answer of the server at `host` to a player."""
    error = f"<Error><![CDATA[https://{host}/told/noad?of=nobody&code=[ERRORCODE]]]></Error>"
    elements = "".join(ad.element(host) for ad in ads)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<VAST version="4.2">\n{elements}{error}\n</VAST>\n'.encode()


def still(name: str) -> bytes:
    """What is seen while a film is played."""
    return banner(Look("sun", _COLOURS[sum(name.encode()) % 4], "#ffd166", name, "Visit"), 640, 360)


def silence() -> bytes:
    """A film's sound: a fifth of a second of nothing."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(3200))
    return file.getvalue()


def _ranged(body: bytes, wanted: str) -> bytes:
    """A file as media elements ask for it."""
    fields = [("Accept-Ranges", "bytes"), ("Cache-Control", "no-store")]
    if not wanted.startswith("bytes=") or not wanted[6:].partition("-")[0].isdecimal():
        return reply(body, 200, fields, "audio/wav")
    start, _, last = wanted[6:].partition("-")
    end = min(int(last or len(body) - 1), len(body) - 1)
    fields.append(("Content-Range", f"bytes {start}-{end}/{len(body)}"))
    return reply(body[int(start) : end + 1], 206, fields, "audio/wav")


def _page(tag: str) -> bytes:
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Tube</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
body {{ margin: 0; font: 17px/1.5 system-ui, sans-serif; color: #eee; background: #17191d; }}
main {{ max-width: 640px; margin: auto; padding: 20px; }}
video {{ width: 100%; aspect-ratio: 16 / 9; background: #000; display: block; }}
</style></head><body><main><video muted playsinline></video><h1>A walk along the harbour</h1></main>
<script type="application/json" id="plan">{json.dumps({"url": tag, "options": {}})}</script>
<script type="module" src="/video.js"></script></body></html>
""".encode()
