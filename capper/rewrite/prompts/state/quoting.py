"""Strings of JavaScript: what they say, and how to write it between the marks it stood in."""

import json
import re

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LETTER = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_CONTINUED = ("\n", "\r", "\r\n", "\u2028", "\u2029")


def unquoted(written: str) -> str:
    """What a string says that is written so between its marks."""
    if "\\" not in written:
        return written
    said = _ESCAPE.sub(_said, written)
    # Two halves written apart are one letter.
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), said)


def _said(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else "\ufffd"
    return "" if match[4] in _CONTINUED else _LETTER.get(match[4], match[4])


def quoted(text: str, mark: str) -> str:
    """`text` as it is written between two of `mark` in a script: nothing in it closes the string or the script."""
    written = json.dumps(text)[1:-1].replace("</", "<\\/").replace("<!--", "<\\!--")
    if mark == '"':
        return written
    written = written.replace('\\"', '"').replace(mark, "\\" + mark)
    return written.replace("${", "\\${") if mark == "`" else written
