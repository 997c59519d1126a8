"""The page at our own host, in the languages of the placeholder, and the profile by which an iPhone takes our certificate."""

import base64
import plistlib
import uuid
from collections.abc import Callable
from html import escape

from capper.gateway.ours import HOST
from capper.rewrite import wording
from capper.rewrite.styles import style_source

PROOF = "/proof.svg"

_STYLE = """\
body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:6vh auto;padding:0 1rem;color:#222;overflow-wrap:anywhere;hyphens:auto}
img{display:inline-block;max-width:100%;min-height:64px;color:#b00020;font-weight:600}
h2{font-size:1.1rem;margin-top:2rem}ol,ul{padding-left:1.4rem}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}a{color:#8ab4f8}img{color:#ff8a80}}"""

LOOK = (
    f"default-src 'none'; style-src {style_source(_STYLE)}; img-src https://*.{HOST};"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What its page may load (a Content-Security-Policy): its own style, and the picture."""

_PAGE = """\
<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head><body><main>
<h1>{question}</h1>
<p><img src="https://{token}.{host}{proof}" alt="{not_yet}" width="320" height="64"></p>
<p>{standing}</p>
<h2>{what}</h2>
<p>{about}</p>
<h2>{how}</h2>
<ol>
<li>{get}
<ul>
<li><a href="/capper-ca.pem">{computers}</a></li>
<li><a href="/capper-ca.cer">{android}</a></li>
<li><a href="/capper-ca.mobileconfig">{apple}</a></li>
</ul></li>
<li>{install}
<ul>
{systems}
</ul></li>
<li>{again}</li>
</ol>
<p>{compare} <code>{fingerprint}</code></p>
<p>{undo}</p>
</main></body></html>
"""

_TICK = """\
<svg xmlns="http://www.w3.org/2000/svg" width="320" height="64" viewBox="0 0 320 64">
<rect width="320" height="64" rx="8" fill="#2e7d32"/><path d="M18 33l10 10 20-24" fill="none" stroke="#fff" stroke-width="6"/>
<text x="64" y="40" font-family="sans-serif" font-size="22" fill="#fff">{yes}</text></svg>
"""


def invitation(token: str, fingerprint: str, *, proven: bool, language: str = "en") -> bytes:
    """The page; the picture that `token` names is the proof."""
    _ = wording.catalogue(language).gettext
    said = _sentences(_) | {
        "standing": _(
            "capper has seen this device load something under its certificate, and counts the ads that come to it."
        )
        if proven
        else _("As far as capper knows, this device has not loaded anything under its certificate so far."),
    }
    slots = {name: escape(text) for name, text in said.items()}
    slots["compare"] = slots["compare"].format(command="<code>capper ca show</code>")
    systems = "\n".join(f"<li>{escape(each)}</li>" for each in _systems(_))
    return _PAGE.format(
        language=language,
        style=_STYLE,
        token=escape(token),
        host=HOST,
        proof=PROOF,
        fingerprint=escape(fingerprint),
        systems=systems,
        **slots,
    ).encode()


def tick(language: str = "en") -> bytes:
    """The picture that only a device which trusts us can load."""
    return _TICK.format(yes=escape(wording.catalogue(language).gettext("Yes, it does."))).encode()


def _sentences(_: Callable[[str], str]) -> dict[str, str]:
    return {
        "title": _("capper on this device"),
        "question": _("Does this browser trust capper?"),
        "not_yet": _("Not yet: nothing of it is opened."),
        "what": _("What this is"),
        "about": _(
            "capper limits how often the same advertiser is shown to you. For that it must read the connections to hosts that "
            "deliver ads, and it can only if this device trusts its certificate. Until it does, capper passes everything "
            "through unread. Connections to banks, government and health are never opened."
        ),
        "how": _("How to let it"),
        "get": _("Get the certificate:"),
        "computers": _("for computers and Firefox (PEM)"),
        "android": _("for Android and Windows (CER)"),
        "apple": _("for iPhone, iPad and Mac (profile)"),
        "install": _("Install it as an authority for websites."),
        "again": _("Load this page again, in each browser: it should say yes."),
        "compare": _("Compare its fingerprint with what {command} says:"),
        "undo": _(
            "To undo all this, remove the certificate from the device: capper notices, and leaves its connections alone."
        ),
    }


def _systems(_: Callable[[str], str]) -> tuple[str, ...]:
    """Where each system takes a certificate, in the words of its settings."""
    return (
        _("Android: Settings, Security, Encryption and credentials, Install a certificate, CA certificate."),
        _(
            "iPhone and iPad: Settings, Profile downloaded, Install; then General, About, Certificate Trust Settings, "
            "switch it on."
        ),
        _("Windows: open the file, Install certificate, Local machine, Trusted Root Certification Authorities."),
        _("Mac: open the profile in System Settings, then set it to Always Trust in Keychain Access."),
        _("Firefox: Settings, Privacy and Security, View Certificates, Authorities, Import."),
        _("Chromium on Linux: Settings, Privacy and security, Security, Manage certificates."),
    )


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
