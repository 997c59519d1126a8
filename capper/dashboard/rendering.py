"""Pages from templates. Whatever a template is given is escaped; only what is made here is markup. Owner of `jinja2`."""

import asyncio
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from capper.dashboard.speech import Tongue
from capper.ledger.secret import as_bytes
from capper.rewrite.wording import presentable


async def page(template: str, tongue: Tongue, *, status: int = 200, **model: Any) -> Response:
    """One page, in the reader's language; made beside the event loop, so that others' traffic does not wait for it."""
    said = {"_": tongue.gettext, "ngettext": tongue.ngettext, "tongue": tongue}

    def rendered() -> str:
        return environment().get_template(template).render(said, **model)

    return HTMLResponse(await asyncio.to_thread(rendered), status)


def stylesheet() -> Response:
    """The one file beside the pages."""
    return Response(_files("static")["dashboard.css"], media_type="text/css")


@cache
def environment() -> Environment:
    """The templates, read and compiled once: a fifth of a second."""
    made = Environment(
        loader=DictLoader(_files("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["name"] = name
    made.filters["plain"] = presentable
    made.filters["sent"] = sent
    made.globals["say"] = say
    for template in made.list_templates():
        made.get_template(template)
    return made


def name(text: str) -> Markup:
    """A name that came from the network: shortened, without controls, and kept from reordering what stands around it."""
    return Markup("<bdi>{}</bdi>").format(presentable(text))


def sent(text: str) -> str:
    """A name as a form carries it: whatever is in it, it comes back the same, and disturbs nothing on the way."""
    return quote(as_bytes(text), safe="")


def received(field: str) -> str:
    """The name that was sent.

    Raises:
        ValueError: no form of ours carries this.
    """
    return unquote_to_bytes(field).decode("utf-8", "surrogatepass")


def say(message: str, **values: object) -> Markup:
    """A message with values in it, each escaped unless it is markup made here."""
    return Markup(escape(message)).format(**values)  # noqa: S704  escaped just before


@cache
def _files(folder: str) -> dict[str, str]:
    found = files("capper.dashboard").joinpath(folder).iterdir()
    return {item.name: item.read_text("utf-8") for item in found if not item.name.startswith(".")}
