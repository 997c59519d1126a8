"""What an answer to a video player costs: found, read and one ad taken out, in milliseconds of this machine.

python benchmarks/videos.py
"""

import json

from auctions import best

from capper import jsontext
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.rewrite.video import embedded, vast

EVENTS = "start firstQuartile midpoint thirdQuartile complete mute unmute pause resume rewind skip".split()


def ad(number, padding):
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


def answer(ads, padding):
    """An answer of so many ads."""
    return f'<VAST version="4.2">{"".join(ad(n, padding) for n in range(1, ads + 1))}</VAST>'.encode()


def main():
    """Print the table."""
    reader = AdReader(load_networks())
    for name, data in (("long addresses", answer(6, 1100)), ("many ads", answer(30, 20))):
        found = vast.find(data)
        text = jsontext.read(json.dumps({"vastXml": data.decode()}).encode())
        figures = (
            best(lambda data=data: vast.find(data)),
            best(lambda found=found: [read_offer(reader, ad.offer) for ad in found.ads]),
            best(lambda data=data, found=found: vast.apply(data, found.ads[1:2])),
            best(
                lambda text=text: embedded.apply(text, [(held, held.videos.ads[1:2]) for held in embedded.find(text)])
            ),
        )
        print(
            f"{name:14} {len(data):7} bytes {len(found.ads):3} ads  find {figures[0]:.2f}  whose {figures[1]:.2f}"
            f"  apply {figures[2]:.2f}  in JSON {figures[3]:.2f} ms"
        )


if __name__ == "__main__":
    main()
