"""State in scripts loses its prompts however it is written, and a program stays what it is."""

import json

import pytest

PROMPT = "Je staat klaar om te lenen: € 3.000 krediet voor jou"


@pytest.fixture
def script(left):
    """What is left of a script in a page."""

    def strip(content: str, kind: str = "") -> str:
        begin, end = (
            f"<!doctype html><html lang=nl><body><p>Welkom bij onze winkel</p><script{kind}>",
            "</script></body>",
        )
        stripped = left(begin + content + end)
        assert stripped.startswith(begin)
        assert stripped.endswith(end)
        return stripped.removeprefix(begin).removesuffix(end)

    return strip


@pytest.mark.parametrize(
    ("state", "bare"),
    [
        (
            "window.__S__ = {user:{name:'Joke'},hero:{title:'@',cta:'Leen nu',},items:[{title:'Stoel'},],};",
            "window.__S__ = {user:{name:'Joke'},items:[{title:'Stoel'},],};",
        ),
        (
            "var pageData = {\n  // what is shown first\n  hero: { title: `@` },\n  items: [ 'Stoel' ]\n}; go(pageData);",
            "var pageData = {\n  // what is shown first\n  items: [ 'Stoel' ]\n}; go(pageData);",
        ),
        (
            'window.__NUXT__=(function(a,b,c){return {data:[{user:a,hero:{title:b,cta:c}}],alt:a}}("Joke","@","Leen nu"));',
            'window.__NUXT__=(function(a,b,c){return {data:[{user:a}],alt:a}}("Joke","",""));',
        ),
        (
            "s = JSON.parse('{\\u0022hero\\u0022:{\\u0022title\\u0022:\\u0022@\\u0022},\\u0022n\\u0022:1}')",
            "s = JSON.parse('{\"n\":1}')",
        ),
        ('s = JSON.parse(`{"hero":{"title":"@"},"n":1}`)', 's = JSON.parse(`{"n":1}`)'),
        ("el.innerHTML = '<p>@</p><p>Stoel</p>'", "el.innerHTML = '<p>Stoel<\\/p>'"),
        ("el.innerHTML = `<p>@</p>\n<p>Stoel</p>`", "el.innerHTML = `\\n<p>Stoel<\\/p>`"),
        ("kit.start({data:[{type:'data',data:{hero:{title:'@'},n:void 0,d:new Date(17)}}]})",
         "kit.start({data:[{type:'data',data:{n:void 0,d:new Date(17)}}]})"),
    ],
)  # fmt: skip
def test_state(script, state, bare):
    """The module goes; names, quotes, commas and comments around stay as they were written."""
    assert bare == script(state.replace("@", PROMPT))


def test_what_is_said_with_a_gap_goes_whole(script):
    """A text that a script fills is a prompt if it is one without what is filled in."""
    state = "window.__S__={hero:{title:`Je mag nu tot ${sum} krediet lenen, al goedgekeurd voor jou`},n:1}"

    assert "window.__S__={n:1}" == script(state)


@pytest.mark.parametrize(
    "program",
    [
        "var app={show:function(){return '@'},name:'x'};" + "app.show();" * 20,
        "function render(){return h('div',{class:'x'},['@'])}" + "render();" * 40,
        "if(a){b={c:1}}" + "else{d='@'}",
        "el.innerHTML='<div><p>@</p>'+rest+'</div>'",
    ],
)
def test_a_program_stays(script, program):
    """What is part of a program is not state, and a piece of markup that is put together with others is left."""
    program = program.replace("@", PROMPT)

    assert program == script(program)


def test_nothing_closes_the_script(script):
    """A string that is written anew holds no end of the script it stands in."""
    rows = json.dumps({"a": f"<p>{PROMPT}</p><b>Stoel</b><script>x</script>"}).replace("</", "<\\/")
    stripped = script(f"s = {rows}")

    assert "3.000" not in stripped
    assert "</" not in stripped
    assert {"a": "<b>Stoel</b><script>x</script>"} == json.loads(stripped[4:])


def test_angular_s_own_names(script):
    """Angular wrote quotes as `&q;`: they stay so."""
    state = json.dumps({"hero": {"title": PROMPT}, "items": ["Stoel & tafel"]}, ensure_ascii=False)
    written = state.replace("&", "&a;").replace('"', "&q;")
    stripped = script(written, " id=serverApp-state type=application/json")

    assert "{&q;items&q;: [&q;Stoel &a; tafel&q;]}" == stripped


@pytest.mark.parametrize(
    "content",
    [
        "={'a':" * 50_000,
        "x=[" * 100_000,
        "({a:`" * 100_000,
        "return {a:'" * 50_000,
        '="[' * 100_000,
        "(function(a){return " * 30_000,
    ],
)
@pytest.mark.timeout(20)
def test_time_is_bounded(script, content):
    """A script made to be slow is left, soon."""
    content = f"/* {PROMPT} */{content}"

    assert content == script(content)
