"""What refers to a part of a document that goes: entries of lists that name it by its key go too, so that nothing looks for it."""

from collections.abc import Iterator

from capper.rewrite.prompts.answer.nodes import Node
from capper.rewrite.prompts.base import Role

_REFERENCE = "__ref"


def follow(root: Node) -> None:
    """Mark what refers to an object that goes by the name of its member, as stores of records by key do."""
    gone = {key for key in _gone(root) if len(key) > 1}
    if gone:
        _mark(root, gone)


def _gone(node: Node) -> Iterator[str]:
    for kid in node.kids:
        if kid.role is Role.PROMPT:
            if kid.key and isinstance(kid.value, dict) and isinstance(node.value, dict):
                yield kid.key
        else:
            yield from _gone(kid)


def _mark(node: Node, gone: set[str]) -> None:
    for kid in node.kids:
        if kid.role is Role.PROMPT:
            continue
        named = kid.value.get(_REFERENCE) if isinstance(kid.value, dict) and len(kid.value) == 1 else None
        if isinstance(node.value, list):
            if named in gone if named else isinstance(kid.value, str) and kid.value in gone:
                kid.role = Role.PROMPT
                continue
        elif named in gone:
            kid.role, kid.new = Role.PART, "null"
            continue
        _mark(kid, gone)
