"""What is cut of JSON whose values have their roles."""

import json

from capper.jsontext import Edit, Locator, cut
from capper.rewrite.prompts.answer.nodes import Node
from capper.rewrite.prompts.base import Found, Role


def edits(node: Node, locator: Locator, found: Found) -> list[Edit]:
    """The edits that take the prompts in a value that stays out."""
    if not node.kids:
        return []
    places = locator.children(locator.at(node.path))
    gone: set[int] = set()
    made: list[Edit] = []
    for number, kid in enumerate(node.kids):
        spots = (
            [number]
            if isinstance(node.value, list)
            else [at for at, place in enumerate(places) if place.key == kid.key]
        )
        if kid.role is Role.PROMPT:
            if kid.reading.prompt or not gone:
                found.add(kid.reading, kid.text or str(kid.value))
            gone.update(spots)
        elif kid.new is not None and kid.role is Role.PART and spots:
            place = places[spots[-1]]
            written = kid.new if isinstance(kid.value, bool) else json.dumps(kid.new)
            found.add(kid.reading)
            made.append(Edit(place.value, place.end, written))
        else:
            made += edits(kid, locator, found)
    return [*cut(places, gone), *made]
