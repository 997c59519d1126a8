"""Ways to pay in JSON: each stays, with its name; what recommends it goes, and it is not chosen beforehand."""

import re

from capper.rewrite.prompts.answer.nodes import Node
from capper.rewrite.prompts.base import Reader, Role
from capper.rewrite.prompts.praise import LATER, praise

_SELECTED = re.compile(
    r"(?:is_?)?(?:pre_?)?(?:selected|checked|default|active)|default_?selected|preferred", re.IGNORECASE
)
_LABEL = re.compile(r"name|label|title|naam|titel|nom|nombre|nome|namn|navn|nimi|nazwa", re.IGNORECASE)


def judge_option(node: Node, reader: Reader) -> None:
    """A way to pay: it stays, with its name; what recommends it goes."""
    node.role = Role.KEPT
    texts = [kid for kid in node.kids if kid.text]
    if not texts:
        return
    label = next(
        (kid for kid in texts if _LABEL.fullmatch(kid.key)),
        texts[0],
    )
    more = reader.read(label.text).signals | node.machine
    if not more & LATER:
        for kid in node.kids:
            kid.role = Role.KEPT
        return
    for kid in node.kids:
        if kid is label or not kid.text:
            kid.role = Role.KEPT
            continue
        praised = praise(kid.text, reader)
        if praised:
            kid.role, kid.reading, node.role = Role.PROMPT, praised, Role.PART
        else:
            kid.role = Role.KEPT
    if node.role is Role.PART:
        for kid in node.kids:
            if kid.value is True and _SELECTED.fullmatch(kid.key):
                kid.role, kid.new = Role.PART, "false"
