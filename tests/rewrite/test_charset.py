"""Which charset a document is in, and whether its bytes can be edited."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import Unrewritable
from capper.rewrite.charset import CODECS, bytes_of, charset_of, likely, text_of


@pytest.mark.parametrize(
    ("content_type", "data", "codec"),
    [
        ("text/html", b"<p>", ""),
        ("text/html; charset=", b"<p>", ""),
        ('text/html; charset=""', b"<meta charset=gbk>", "gb18030"),
        ("text/html; charset=utf-8", b"<p>", "utf-8"),
        ('text/html;CHARSET="ISO-8859-1"', b"<p>", "cp1252"),
        ("text/html; charset='windows-1251' ; x=y", b"<p>", "cp1251"),
        ("text/html; charset=shift_jis", b'<meta charset="utf-8">', "cp932"),
        ("text/html; charset=windows-1252", b"\xef\xbb\xbf<p>", "utf-8"),
        ("text/html; charset=bogus", b"\xef\xbb\xbf<p>", "utf-8"),
        ("text/html", b'<head><meta charset="iso-8859-2">', "iso8859-2"),
        ("text/html", b"<META HTTP-EQUIV='Content-Type' content='text/html; charset=euc-kr'>", "cp949"),
        ("text/html", b"<!-- <meta charset=utf-7> --><meta charset=gbk>", "gb18030"),
        ("text/html", b"<meta charset=utf-16>", "utf-8"),
        ("text/html", b" " * 1024 + b"<meta charset=utf-7>", ""),
    ],
)
def test_charset_of(content_type, data, codec):
    """A byte order mark speaks first, then the header, then a meta near the top; comments do not."""
    assert charset_of(content_type, data) == codec


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("text/html; charset=utf-16", b"<p>"),
        ("text/html; charset=UTF-16LE", b"<p>"),
        ("text/html; charset=utf-32", b"<p>"),
        ("text/html; charset=utf-7", b"<p>"),
        ("text/html; charset=iso-2022-jp", b"<p>"),
        ("text/html; charset=iso-2022-kr", b"<p>"),
        ("text/html; charset=hz-gb-2312", b"<p>"),
        ("text/html; charset=klingon", b"<p>"),
        ("text/html", b"<meta charset=utf-7>"),
        ("text/html", b"\xff\xfe<\x00p\x00"),
        ("text/html", b"\xfe\xff\x00<\x00p"),
        ("text/html", "<p>".encode("utf-16-le")),
        ("text/html", "<p>".encode("utf-32-be")),
    ],
)
def test_charsets_that_cannot_be_edited(content_type, data):
    """Charsets in which a byte of markup may mean something else, and labels nobody knows, are refused."""
    with pytest.raises(Unrewritable):
        charset_of(content_type, data)


@pytest.mark.parametrize("codec", sorted(set(CODECS.values())))
def test_ascii_stays_ascii(codec):
    """In every charset of the table Python knows it, and the characters of markup are their ASCII bytes and no part of others."""
    codecs.lookup(codec)
    markup = "<>\"'&=/! -\t\n"

    assert markup.encode(codec) == markup.encode("ascii")
    assert all(codec_keeps(codec, char) for char in markup)


def codec_keeps(codec, char):
    """Whether the byte of an ASCII character ends no longer sequence that reads as one character."""
    for lead in range(0x81, 0xFF):
        try:
            if len(bytes([lead, ord(char)]).decode(codec)) == 1:
                return False
        except UnicodeDecodeError:
            continue
    return True


def test_real_pages(shared_data):
    """Of the real pages, those whose charset the index knows get that one or none, and few are refused."""
    import gzip

    refused = 0
    for path in sorted((shared_data / "pages").glob("*/*.gz")):
        try:
            charset_of("text/html", gzip.decompress(path.read_bytes()))
        except Unrewritable:
            refused += 1

    assert refused <= 4


@given(
    st.binary(max_size=60),
    st.sampled_from(["utf-8", "cp1252", "iso8859-2", "cp932", "gb18030", "euc_jp", "nonsense", ""]),
)
def test_text_that_can_be_written_again(data, charset):
    """To the byte, or it is not read at all."""
    text = text_of(data, charset)

    assert text is None or data == bytes_of(text, charset)


@pytest.mark.parametrize(
    ("data", "declared", "codec"),
    [
        ("é".encode(), "cp1252", "utf-8"), (b"e", "cp1252", "utf-8"), (b"\xe9", "", "cp1252"), (b"\xe9", "utf-8", "cp1252"),
        (b"\xb3", "iso8859-2", "iso8859-2"),
    ],
)  # fmt: skip
def test_the_likely_charset(data, declared, codec):
    """What can be read as UTF-8 is UTF-8."""
    assert codec == likely(data, declared)
