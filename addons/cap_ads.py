"""capper for people who already run mitmproxy: `mitmdump -s addons/cap_ads.py --set capper_policy=policy.toml`."""

from capper.proxy.script import CapAds

addons = [CapAds()]
