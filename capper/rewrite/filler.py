"""What stands in the place of a withheld ad: an element, an image, a document; each also empty, each with its headers."""

from capper.domain.exchange import Headers, Response
from capper.rewrite.drawing import GREY, ascii_text, draw
from capper.rewrite.styles import style_source
from capper.rewrite.wording import Deed, Words

_STYLE = (
    "html,body{margin:0;height:100%;overflow:hidden}"
    "body{display:flex;justify-content:center;align-items:center;text-align:center;"
    f"box-sizing:border-box;padding:2px 5px;border:1px solid {GREY}80;background:{GREY}12;color:{GREY};"
    "font:14px/1.3 system-ui,sans-serif;overflow-wrap:anywhere}"
    "main{max-width:100%}p{margin:0}.short{display:none}"
    "a{color:inherit}a.told{display:block;text-decoration:none}a:hover{text-decoration:underline}"
    ".do{font-size:.86em}.do a{margin:0 .4em;white-space:nowrap}"
    # Where there is room, a thumb finds each.
    "@media(min-height:150px){.do a{display:inline-block;padding:.45em .2em}}"
    # What can be done stands on a line of its own; with no room for one, the words alone lead there.
    "@media(max-height:80px),(max-height:140px) and (max-width:250px){.do{display:none}}"
    # Low slots hold one run of text, smaller ones less of it: a strip, a button, a sliver.
    "@media(max-height:62px){p{display:inline}.do{display:none}p+p:before{content:' \\2013  '}body{font-size:12px}}"
    "@media(max-height:62px) and (max-width:420px){body{font-size:11px;line-height:1.2}}"
    "@media(max-height:62px) and (max-width:200px),(max-height:35px) and (max-width:600px)"
    "{main p{display:none}main p.why{display:inline}p.why:before{content:none}}"
    "@media(max-height:45px) and (max-width:130px),(max-width:70px)"
    "{main p.why{display:none}main p.short{display:inline}p.short:before{content:none}}"
    "@media(max-height:18px),(max-width:30px){main{display:none}}"
)
BLOCK = ' display="block"'
"""As a line of text it would stand on a baseline, and a frame of its exact size would scroll."""
_SAFE = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    # A page may embed only what says that it may be embedded.
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Referrer-Policy", "no-referrer"),
)
_READABLE = ("Access-Control-Allow-Origin", "*")
"""A page may ask for the ad with CORS. What is hers alone does not say so."""
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
    lines = "".join(f'<p class="{name}">{ascii_text(text)}</p>' for name, text in parts if text)
    if not words.link:
        return lines
    others = "".join(f"<a {_leading(words, deed)}>{ascii_text(label)}</a>" for deed, label in words.deeds)
    return f'<a class="told" {_leading(words, Deed.WHY)}>{lines}</a><p class="do">{others}</p>'


def _leading(words: Words, deed: Deed) -> str:
    """Away from the page, in a window that knows nothing of it."""
    return f'href="{ascii_text(f"{words.link}&do={deed}")}" target="_blank" rel="noopener noreferrer"'


def image_response(size: tuple[int, int], words: Words | None, *, readable: bool = True) -> Response:
    """The answer in place of a withheld image; `readable`: by the scripts of a page that asks for it."""
    return _response("image/svg+xml", image(size, words), f"{_POLICY}; sandbox", readable=readable)


def creative_response(words: Words | None, *, readable: bool = True) -> Response:
    """The answer in place of a withheld creative document; `readable`: by the scripts of a page that asks for it."""
    # Of an origin of its own, no page can look into it, not even one of the same host.
    policy = f"{_POLICY}; style-src {style_source(_STYLE)}; sandbox allow-popups allow-popups-to-escape-sandbox"
    return _response("text/html; charset=utf-8", document(words), policy, readable=readable)


def _response(media_type: str, body: bytes, policy: str, *, readable: bool) -> Response:
    headers = [("Content-Type", media_type), ("Content-Length", str(len(body))), ("Content-Security-Policy", policy)]
    return Response(200, Headers([*headers, *_SAFE, *([_READABLE] if readable else [])]), body)
