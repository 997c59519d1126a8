"""What is cut of a document whose values have their roles."""

import json
from collections.abc import Iterator

from capper.domain.prompt import SILENCE
from capper.jsontext import Edit, Number, cut
from capper.rewrite.prompts.answer.layout import Layout
from capper.rewrite.prompts.answer.nodes import Node
from capper.rewrite.prompts.base import Found, Role


class Cuts:
    """The edits of one document, as they are noted on the way down."""

    def __init__(self, layout: Layout, found: Found) -> None:
        self.layout, self.found = layout, found
        self.edits: list[Edit] = []
        self._lost: dict[int, int] = {}
        self._kept: set[int] = set()

    def collect(self, node: Node, at: int) -> None:
        """Note what is cut of a value that stays, which stands at `at`."""
        if not node.kids or node.cold:
            return
        spots = self.layout.spots(at)
        if isinstance(node.value, list):
            where = {number: [number] for number in range(len(spots))}
        else:
            # Of members with one name the last counts, and all go.
            named: dict[str, list[int]] = {}
            for number, spot in enumerate(spots):
                named.setdefault(spot.place.key, []).append(number)
            where = {number: named.get(kid.key, []) for number, kid in enumerate(node.kids)}
        gone: set[int] = set()
        for number, kid in enumerate(node.kids):
            mine = where.get(number, ())
            if kid.role is Role.PROMPT:
                if kid.reading.prompt or (not gone and kid.reading is not SILENCE):
                    self.found.add(kid.reading, kid.text or str(kid.value))
                gone.update(mine)
                for each in mine:
                    self._lose(kid, spots[each].at, spots[each].stop)
            elif not mine:
                continue
            elif kid.new is not None and kid.role is Role.PART:
                self._write(kid, spots[mine[-1]].at, spots[mine[-1]].stop)
            else:
                self._kept.add(spots[mine[-1]].at)
                self.collect(kid, spots[mine[-1]].at)
        self.edits += cut([spot.place for spot in spots], gone)

    def _write(self, kid: Node, at: int, stop: int) -> None:
        if kid.reading is not SILENCE or isinstance(kid.value, str):
            self.found.add(kid.reading)
        words = isinstance(kid.value, str) and not isinstance(kid.value, Number)
        self.edits.append(Edit(at, stop, json.dumps(kid.new) if words else str(kid.new)))

    def _lose(self, node: Node, at: int, stop: int) -> None:
        """Note the strings inside something that is cut: where values are shared they stand elsewhere."""
        if not self.layout.shared:
            return
        if isinstance(node.value, str) and not isinstance(node.value, Number):
            self._lost[at] = stop
        if node.kids:
            for kid, spot in zip(node.kids, self.layout.spots(at), strict=False):
                self._lose(kid, spot.at, spot.stop)

    def orphans(self) -> Iterator[Edit]:
        """The edits that empty the strings nothing refers to any more."""
        written = {edit.start for edit in self.edits}
        for at, stop in self._lost.items():
            if at not in self._kept and at not in written:
                yield Edit(at, stop, '""')
