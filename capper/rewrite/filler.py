"""What stands in the place of a withheld ad: an element, an image, a document; each also empty, each with its headers."""

from base64 import b64encode
from hashlib import sha256

from capper.domain.exchange import Headers, Response
from capper.rewrite.drawing import GREY, ascii_text, draw
from capper.rewrite.wording import Words

_STYLE = (
    "html,body{margin:0;height:100%;overflow:hidden}"
    "body{display:flex;justify-content:center;align-items:center;text-align:center;"
    f"box-sizing:border-box;padding:2px 5px;border:1px solid {GREY}80;background:{GREY}12;color:{GREY};"
    "font:14px/1.3 system-ui,sans-serif;overflow-wrap:anywhere}"
    "main{max-width:100%}p{margin:0}.short{display:none}"
    # Low slots hold one run of text, smaller ones less of it: a strip, a button, a sliver.
    "@media(max-height:62px){p{display:inline}p+p:before{content:' \\2013  '}body{font-size:12px}}"
    "@media(max-height:62px) and (max-width:420px){body{font-size:11px;line-height:1.2}}"
    "@media(max-height:62px) and (max-width:200px),(max-height:35px) and (max-width:600px)"
    "{main p{display:none}main p.why{display:inline}p.why:before{content:none}}"
    "@media(max-height:45px) and (max-width:130px),(max-width:70px)"
    "{main p.why{display:none}main p.short{display:inline}p.short:before{content:none}}"
    "@media(max-height:18px),(max-width:30px){main{display:none}}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
BLOCK = ' display="block"'
"""As a line of text it would stand on a baseline, and a frame of its exact size would scroll."""
_SAFE = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    # A page may ask for the ad with CORS, or embed only what says that it may be embedded.
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Referrer-Policy", "no-referrer"),
)
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"


def image(size: tuple[int, int], words: Words | None) -> bytes:
    """An SVG image of `size` pixels that says why; without `words` an empty one."""
    return draw(size, words).encode("ascii")


def document(words: Words | None, size: tuple[int, int] | None = None) -> bytes:
    """A document for a frame that says why; without `words` an empty one.

    Without `size` it fills whatever frame it is loaded in by a style sheet. With it, it needs none, which a `srcdoc`
    frame's page might refuse.
    """
    if words is None:
        return b"<!DOCTYPE html><title></title>"
    label = ascii_text(words.label or words.sentence)
    body = f'topmargin="0" leftmargin="0" marginwidth="0" marginheight="0" title="{label}"'
    inside = f"<style>{_STYLE}</style></head><body {body}><main>{_lines(words)}</main>"
    if size:
        inside = f"</head><body {body}>{draw(size, words, BLOCK)}"
    html = (
        f'<!DOCTYPE html><html lang="{ascii_text(words.language)}"><head><meta charset="utf-8"><title>{label}</title>'
        f"{inside}</body></html>"
    )
    return html.encode("ascii")


def _lines(words: Words) -> str:
    parts = (("who", words.who), ("why", words.why), ("when", words.when), ("short", words.short))
    return "".join(f'<p class="{name}">{ascii_text(text)}</p>' for name, text in parts if text)


def image_response(size: tuple[int, int], words: Words | None) -> Response:
    """The answer in place of a withheld image."""
    return _response("image/svg+xml", image(size, words), f"{_POLICY}; sandbox")


def creative_response(words: Words | None) -> Response:
    """The answer in place of a withheld creative document."""
    return _response("text/html; charset=utf-8", document(words), f"{_POLICY}; style-src 'sha256-{_STYLE_HASH}'")


def _response(media_type: str, body: bytes, policy: str) -> Response:
    headers = [("Content-Type", media_type), ("Content-Length", str(len(body))), ("Content-Security-Policy", policy)]
    return Response(200, Headers([*headers, *_SAFE]), body)
