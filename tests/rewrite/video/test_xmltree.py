"""XML read as bytes: the same elements as expat where it can read them, something sensible where it cannot."""

import contextlib
import time
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import Unrewritable
from capper.rewrite.video.xmltree import DEEPEST, MOST_TAGS, read, root_of

names = st.sampled_from(["Ad", "vmap:AdBreak", "Creative", "a", "b-c", "x.y", "_", "Élan"])
texts = st.text(st.sampled_from("ab é\n\t]>'\"=/"), max_size=8)
attributes = st.dictionaries(
    st.sampled_from(["id", "xml:lang", "sequence"]), st.text("ab />=é ", max_size=6), max_size=2
)


def comment(text):
    return f"<!-- <Ad> {text.replace('-', '')} -->"


def cdata(text):
    return f"<![CDATA[<Ad & {text.replace(']', '')} ]]>"


def instruction(text):
    return f"<?go <Ad {text.replace('>', '')}?>"


def character(text):
    return f"&amp;{text.replace(']', '')}&#233;"


def element(name, pairs, inside, quote):
    start = "".join(f" {key} = {quote}{value}{quote}" for key, value in pairs.items())
    return f"<{name}{start}>{''.join(inside)}</{name} >" if inside else f"<{name}{start} />"


documents = st.recursive(
    st.one_of(st.builds(make, texts) for make in (comment, cdata, instruction, character)),
    lambda inner: st.builds(element, names, attributes, st.lists(inner, max_size=4), st.sampled_from("'\"")),
    max_leaves=12,
).map(lambda inside: f'\n<?xml version="1.0"?>\n<VAST>{inside}</VAST> <!-- end -->')


def flat(within):
    return [each for child in within.children for each in ((child.name, child.start, child.end), *flat(child))]


def by_expat(data):
    """Name, start and end of every element, as expat sees them."""
    parser, found, waiting = expat.ParserCreate(), [], []

    def start(name, _):
        waiting.append(len(found))
        found.append([name.rpartition(":")[2].encode().decode("latin-1").lower(), parser.CurrentByteIndex, 0])

    def end(_):
        one = found[waiting.pop()]
        first = tag_end(data, one[1])
        one[2] = first if data[first - 2 : first] == b"/>" else data.index(b">", parser.CurrentByteIndex) + 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, 1)
    return [tuple(one) for one in found]


def tag_end(data, at):
    quote = b""
    for place in range(at, len(data)):
        byte = data[place : place + 1]
        if byte in (b"'", b'"'):
            quote = b"" if byte == quote else quote or byte
        elif byte == b">" and not quote:
            return place + 1
    raise AssertionError


@given(documents)
def test_well_formed_documents_are_read_as_expat_reads_them(text):
    """Every element has the name and the bytes that a strict parser gives it; what begins with a blank line, too."""
    data = text.encode()
    blank = len(data) - len(data.lstrip())

    assert flat(read(data).root) == [(name, at + blank, end + blank) for name, at, end in by_expat(data.lstrip())]


@pytest.mark.parametrize("folder", ["vast", "vmap"])
def test_samples_are_read_as_expat_reads_them(shared_data, folder):
    """So it is with every real file."""
    for path in sorted((shared_data / "adtech" / folder).glob("*.xml")):
        data = path.read_bytes()
        # One has a comment before its declaration, which expat does not forgive.
        extra = max(data.find(b"<?xml"), 0)
        strict = [(name, at + extra, end + extra) for name, at, end in by_expat(data[extra:])]

        assert flat(read(data).root) == strict, path


@given(st.one_of(st.binary(max_size=200), st.text("<>/!?[]-CDAT&'\" =ab\n", max_size=200).map(str.encode)))
def test_nothing_but_unrewritable_is_raised(data):
    """Whatever comes, it is read or refused; elements lie within the ones around them."""
    try:
        tree = read(data)
    except Unrewritable:
        return

    def check(within):
        at = within.opened
        for child in within.children:
            assert at <= child.start < child.end <= within.shut
            at = child.end
            tree.text(child)
            tree.attribute(child, "id")
            check(child)

    check(tree.root)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("<a> one &amp; &#50;&#x33; </a>", "one & 23"),
        ("<a>\r\n <![CDATA[ http://x/?a=1&amp;b=<2> ]]>\n</a>", "http://x/?a=1&amp;b=<2>"),
        ("<a>x<!-- no --><b>y</b><?no?></a>", "xy"),
        ("<a>é &#233; &nbsp; &#xD800; &#99999999;</a>", "é é &nbsp; &#xD800; &#99999999;"),
        ("<a>a & b < c", "a & b < c"),
        ("<a><![CDATA[never ends", "<![CDATA[never ends"),
    ],
)
def test_text_is_read_as_its_author_meant_it(document, text):
    """References are resolved but for those in CDATA and those nobody declared, which stay as they stand."""
    tree = read(document.encode())

    assert tree.text(tree.root.children[0]) == text


def test_other_charsets_are_read_by_their_declaration():
    """Bytes of a charset of one's own become its characters; one that a script's parser would ignore is ignored."""
    latin = read('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1"))
    wide = read('<?xml version="1.0" encoding="utf-16"?><a>é</a>'.encode())

    assert [tree.text(tree.root.children[0]) for tree in (latin, wide)] == ["é", "é"]


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_two_bytes_a_character(codec):
    """Spans are bytes, whatever stands before: a byte order mark or a character that takes two units."""
    written = "<?xml version='1.0' encoding='UTF-16'?><a>\U0001f600 é <b> ł\U0001f600&amp; </b></a>"
    data = written.encode(codec)
    tree = read(data)
    (a,) = tree.root.children
    (b,) = a.children
    start, end = tree.span(b)

    assert data[start:end].decode("utf-16-be" if codec == "utf-16-be" else "utf-16-le") == "<b> ł\U0001f600&amp; </b>"
    assert tree.text(b)[0] == "ł"
    assert tree.text(b)[-1] == "&"


@pytest.mark.parametrize("kind", ["<!DOCTYPE a>", "<!doctype a SYSTEM 'a>.dtd'\n>"])
def test_a_type_without_entities_is_passed_over(kind):
    """A document that only names its type is read; what the type refers to is nobody's to fetch."""
    tree = read(f"{kind}<a>1 &b; 2</a>".encode())

    assert tree.text(tree.root.children[0]) == "1 &b; 2"


@pytest.mark.parametrize(
    "before",
    [
        "",
        "\ufeff",
        "\n <?xml version='1.0'?>\n",
        "<!-- <b> -- -->",
        "<?go <b>?>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]>",
        "ok\n",
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16"])
def test_the_root_is_found_behind_whatever_stands_before_it(before, codec):
    """Marks of byte order, declarations, comments and stray words are not the document."""
    if codec != "utf-8" and before[:1] not in ("", "<"):
        before = ""

    assert root_of(f"{before}<x:A b='c'>".encode(codec)) == "a"


@pytest.mark.parametrize("data", [b"", b"a < b", b'{"a": "<b>"}', b"f('<b>')", b"<!-- <a>", b"</a>", b"= <a>"])
def test_what_is_no_xml_has_no_root(data):
    """Scripts, JSON and what never begins."""
    assert root_of(data) == ""


@pytest.mark.parametrize(
    "written", ["id='7'", 'x="1" id = "7"', "ID=7", "\n a:id='7' id2='8'", "x='id=9' id='7'", "id='&#55;'/"]
)
def test_attributes_are_read_however_they_are_written(written):
    """Quotes of either kind or none, with or without a prefix, in whatever case."""
    tree = read(f"<Ad {written}>".encode())

    assert tree.attribute(tree.root.children[0], "nothing", "id") == "7"


@pytest.mark.parametrize(
    ("document", "closed"),
    [
        ("<a><b></a>", [("a", True), ("b", False)]),
        ("<a></b></a>", [("a", True)]),
        ("<a><b></b>", [("a", False), ("b", True)]),
        ("<a><b c=<></b></a>", [("a", True)]),
        ("<a></a>junk</c><d/>", [("a", True), ("d", True)]),
    ],
)
def test_faults_cost_no_more_than_the_element_they_are_in(document, closed):
    """An element without an end tag of its own says so; the ones around it keep theirs."""
    tree = read(document.encode())
    found = [*tree.root.descendants()]

    assert [(each.name, each.closed) for each in found] == closed


def test_an_element_that_ends_itself_ends_there():
    """An end tag after it answers to nothing, and the text between is of the element around."""
    tree = read(b"<x><a b='/'>1</a><a c='2'/>text</a></x>")
    (x,) = tree.root.children

    assert [(each.start, each.end) for each in x.children] == [(3, 17), (17, 27)]
    assert [tree.text(each) for each in x.children] == ["1", ""]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("<VAST/>".encode("utf-16")[:-1], "UTF-16"),
        ("<VAST/>".encode("utf-32"), "UTF-32"),
        ("<VAST/>".encode("utf-32-be"), "UTF-32"),
        (b'<?xml version="1.0" encoding="utf-7"?><VAST/>', "charset"),
        (b'<!DOCTYPE v [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><VAST>&c;</VAST>', "document type"),
        (b'<!doctype v SYSTEM "file:///etc/passwd" [ ]><VAST/>', "document type"),
        (b"<a>" * (DEEPEST + 1), "deep"),
        (b"<a/>" * (MOST_TAGS + 1), "tags"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(data, reason):
    """Wide charsets, documents with entities of their own, and documents beyond measure are no business of ours."""
    with pytest.raises(Unrewritable, match=reason):
        read(data)


@pytest.mark.parametrize(
    "piece", [b"<!--", b"<![CDATA[", b"<?", b"<a b='", b'<a b="c" ', b"<a " + b" " * 50, b"</a", b"<a></b>", b"'\"<"]
)
def test_hostile_documents_cost_no_more_than_long_ones(piece):
    """Reading is linear in the document's length, whatever is left open in it."""
    data = b"<VAST " + b" " * 100_000 + b"><Ad>" + piece * 20_000
    began = time.process_time()
    with contextlib.suppress(Unrewritable):
        tree = read(data)
        for each in tree.root.children:
            tree.attribute(each, "id")
            tree.text(each)

    assert time.process_time() - began < 3


def test_a_document_within_a_document_keeps_its_place():
    """What stands in CDATA is read as a document whose spans are those of the whole."""
    data = b"<vmap:VASTAdData> <![CDATA[<VAST><Ad/></VAST>]]> </vmap:VASTAdData>"
    tree = read(data)
    inside = tree.inside(tree.root.children[0])
    vast, ad = inside.root.descendants()

    assert data[ad.start : ad.end] == b"<Ad/>"
    assert inside.inside(vast) is None
