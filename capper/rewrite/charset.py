"""Which charset a document is in (Encoding and HTML standards), and whether its bytes can be edited as if they were latin-1.

Every encoding of the web but a handful keeps ASCII bytes for ASCII characters where markup is concerned, so a document
is edited as bytes and never transcoded.
"""

import re

from capper.domain.errors import Unrewritable

# encoding.spec.whatwg.org, section 4.2: what Python's codec is called, and the labels browsers know it by.
_LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
    "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "iso8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 "
    "iso_8859-7:1987 sun_eu_greek",
    "iso8859-8": "csiso88598e csiso88598i csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-8859-8-i iso-ir-138 "
    "iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 logical visual",
    "iso8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso8859-16": "iso-8859-16",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8-u": "koi8-ru koi8-u",
    "mac-roman": "csmacintosh mac macintosh x-mac-roman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "cp1250": "cp1250 windows-1250 x-cp1250",
    "cp1251": "cp1251 windows-1251 x-cp1251",
    "cp1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 "
    "iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252 x-user-defined",
    "cp1253": "cp1253 windows-1253 x-cp1253",
    "cp1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 "
    "windows-1254 x-cp1254",
    "cp1255": "cp1255 windows-1255 x-cp1255",
    "cp1256": "cp1256 windows-1256 x-cp1256",
    "cp1257": "cp1257 windows-1257 x-cp1257",
    "cp1258": "cp1258 windows-1258 x-cp1258",
    "gb18030": "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk gb18030",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc_jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "cp949": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949",
}
CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
"""The codec of every label whose documents may be edited. UTF-16, UTF-32, UTF-7, ISO-2022-* and HZ are not among them."""

_WIDE = frozenset(
    ["utf-16", "utf-16le", "utf-16be", "unicode", "unicodefeff", "unicodefffe", "ucs-2", "iso-10646-ucs-2", "csunicode"]
)
_PARAMETER = re.compile(r";\s*charset\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^;\s]+))", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META = re.compile(rb"<meta[\s/][^>]*?charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
_PRESCAN = 1024
"""A browser looks for a `<meta>` that far (HTML standard, section 13.2.3.2)."""


def charset_of(content_type: str, data: bytes) -> str:
    """The codec a browser would read `data` with, "" where nothing says so.

    A byte order mark goes before the header, the header before a `<meta>`.

    Raises:
        Unrewritable: in that charset a byte of markup does not stand for itself, or its label is unknown.
    """
    if data[:3] == b"\xef\xbb\xbf":
        return "utf-8"
    if data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        raise Unrewritable("the document is UTF-16")
    if b"<\0" in data[:_PRESCAN] or b"\0<" in data[:_PRESCAN]:
        raise Unrewritable("the document looks like UTF-16 or UTF-32")
    declared = _PARAMETER.search(content_type)
    label = next((part.strip() for part in declared.groups() if part), "") if declared else ""
    if label:
        return _codec(label)
    meta = _META.search(_COMMENT.sub(b"", data[:_PRESCAN]))
    if not meta:
        return ""
    label = meta[1].decode("latin-1").strip()
    # A browser that could read the <meta> byte by byte knows that its UTF-16 is not true.
    return "utf-8" if label.lower() in _WIDE else _codec(label)


def _codec(label: str) -> str:
    label = label.lower()
    if label not in CODECS:
        raise Unrewritable(f"the document's charset {label[:40]!r} cannot be edited as bytes")
    return CODECS[label]


def text_of(data: bytes, charset: str) -> str | None:
    """`data` as text from which `bytes_of` makes the very same bytes; None where its charset does not allow that.

    Bytes that stand for no letter are kept as lone surrogates.
    """
    try:
        text = data.decode(charset or "utf-8", "surrogateescape")
        return text if bytes_of(text, charset) == data else None
    except (UnicodeError, LookupError):
        return None


def bytes_of(text: str, charset: str) -> bytes:
    """What `text_of` read, perhaps edited, as bytes."""
    return text.encode(charset or "utf-8", "surrogateescape")


def likely(data: bytes, declared: str) -> str:
    """The codec that `data` is in, whatever is said of it: what can be read as UTF-8 is that, for nothing else looks like it."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return declared if declared not in ("", "utf-8") else "cp1252"
    return "utf-8"
