"""The page at our own host, and the profile by which an iPhone takes our certificate."""

import base64
import plistlib
import uuid
from html import escape

from capper.gateway.ours import HOST

PROOF = "/proof.svg"

_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>capper on this device</title>
<style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:6vh auto;padding:0 1rem;color:#222}}
img{{display:inline-block;min-width:320px;min-height:64px;color:#b00020;font-weight:600}}
h2{{font-size:1.1rem;margin-top:2rem}}code{{overflow-wrap:anywhere}}
@media(prefers-color-scheme:dark){{body{{background:#181818;color:#ddd}}a{{color:#8ab4f8}}img{{color:#ff8a80}}}}</style>
</head><body>
<h1>Does this browser trust capper?</h1>
<p><img src="https://{token}.{host}{proof}" alt="Not yet: nothing of it is opened." width="320" height="64"></p>
<p>{standing}</p>
<h2>What this is</h2>
<p>capper limits how often the same advertiser is shown to you. For that it must read the connections to hosts that deliver ads,
and it can only if this device trusts its certificate. Until it does, capper passes everything through unread. Connections to banks,
government and health are never opened.</p>
<h2>How to let it</h2>
<ol>
<li>Get the certificate: <a href="/capper-ca.pem">for computers and Firefox (PEM)</a>,
<a href="/capper-ca.cer">for Android and Windows (CER)</a>,
<a href="/capper-ca.mobileconfig">for iPhone, iPad and Mac (profile)</a>.</li>
<li>Install it as an authority for websites.
<ul>
<li>Android: Settings, Security, Encryption and credentials, Install a certificate, CA certificate.</li>
<li>iPhone and iPad: Settings, Profile downloaded, Install; then General, About, Certificate Trust Settings, switch it on.</li>
<li>Windows: open the file, Install certificate, Local machine, Trusted Root Certification Authorities.</li>
<li>Mac: open the profile in System Settings, then set it to Always Trust in Keychain Access.</li>
<li>Firefox: Settings, Privacy and Security, View Certificates, Authorities, Import.</li>
<li>Chromium on Linux: Settings, Privacy and security, Security, Manage certificates.</li>
</ul></li>
<li>Load this page again, in each browser: it should say yes.</li>
</ol>
<p>Compare its fingerprint with what <code>capper ca show</code> says: <code>{fingerprint}</code></p>
<p>To undo all this, remove the certificate from the device: capper notices, and leaves its connections alone.</p>
</body></html>
"""

_PROVEN = "capper has seen this device load something under its certificate, and counts the ads that come to it."
_UNPROVEN = "As far as capper knows, this device has not loaded anything under its certificate so far."


def invitation(token: str, fingerprint: str, *, proven: bool) -> bytes:
    """The page; the picture that `token` names is the proof."""
    return _PAGE.format(
        token=escape(token),
        host=HOST,
        proof=PROOF,
        fingerprint=escape(fingerprint),
        standing=_PROVEN if proven else _UNPROVEN,
    ).encode()


def mobile_profile(der: bytes) -> bytes:
    """Apple's configuration profile (payload `com.apple.security.root`) with the certificate `der`; the same bytes each time."""
    name = uuid.uuid5(uuid.NAMESPACE_DNS, base64.b64encode(der).decode())
    root = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{HOST}.ca",
        "PayloadUUID": str(uuid.uuid5(name, "certificate")).upper(),
        "PayloadDisplayName": "capper",
        "PayloadCertificateFileName": "capper-ca.cer",
        "PayloadContent": der,
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": HOST,
        "PayloadUUID": str(name).upper(),
        "PayloadDisplayName": "capper's certificate",
        "PayloadDescription": "Lets capper open connections to hosts that deliver ads, so that it can limit repetition.",
        "PayloadContent": [root],
    }
    return plistlib.dumps(profile)
