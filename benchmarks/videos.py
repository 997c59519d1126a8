"""What an answer to a video player costs: found, read and one ad taken out, in milliseconds of this machine.

python -m benchmarks.videos
"""

import json

from benchmarks.timing import least
from capper import jsontext
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.rewrite.video import embedded, vast

EVENTS = [
    "start",
    "firstQuartile",
    "midpoint",
    "thirdQuartile",
    "complete",
    "mute",
    "unmute",
    "pause",
    "resume",
    "rewind",
    "skip",
]


def ad(number: int, padding: int) -> str:
    """One ad with its beacons, whose addresses have `padding` letters more."""
    token = "x" * padding
    tracking = "".join(
        f"<Tracking event='{event}'><![CDATA[https://count.ads.example/e?n={event}&t={token}]]></Tracking>"
        for event in EVENTS
    )
    files = "".join(
        f"<MediaFile id='{n}' delivery='progressive' type='video/mp4' width='{n}80' height='{n}20' bitrate='{n}00'>"
        f"<![CDATA[https://cdn.ads.example/{number}/{n}.mp4]]></MediaFile>"
        for n in range(1, 6)
    )
    return f"""<Ad id="{number}" sequence="{number}"><InLine><AdSystem version="1">Example</AdSystem><AdTitle>Shoes</AdTitle>
      <Impression><![CDATA[https://count.ads.example/seen?t={token}]]></Impression><Creatives><Creative id="{number}00123">
      <Linear><Duration>00:00:30</Duration><TrackingEvents>{tracking}</TrackingEvents><VideoClicks>
      <ClickThrough><![CDATA[https://www.shoes.example/{number}]]></ClickThrough></VideoClicks><MediaFiles>{files}</MediaFiles>
      </Linear></Creative></Creatives></InLine></Ad>"""


def answer(ads: int, padding: int) -> bytes:
    """An answer of so many ads."""
    return f'<VAST version="4.2">{"".join(ad(n, padding) for n in range(1, ads + 1))}</VAST>'.encode()


def line(reader: AdReader, name: str, data: bytes) -> str:
    """What one answer costs."""
    found = vast.find(data)
    text = jsontext.read(json.dumps({"vastXml": data.decode()}).encode())
    finding = least(lambda: vast.find(data))
    whose = least(lambda: [read_offer(reader, ad.offer) for ad in found.ads])
    taking = least(lambda: vast.apply(data, found.ads[1:2]))
    held = least(lambda: embedded.apply(text, [(held, held.videos.ads[1:2]) for held in embedded.find(text)]))
    return (
        f"{name:14} {len(data):7} bytes {len(found.ads):3} ads  find {finding:.2f}  whose {whose:.2f}"
        f"  apply {taking:.2f}  in JSON {held:.2f} ms"
    )


def main() -> None:
    """Print the table."""
    reader = AdReader(load_networks())
    print(line(reader, "long addresses", answer(6, 1100)))
    print(line(reader, "many ads", answer(30, 20)))


if __name__ == "__main__":
    main()
