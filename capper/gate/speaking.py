"""What stands in an ad's place, in the language of who is looking."""

from collections.abc import Callable
from dataclasses import dataclass

from capper.domain.decision import Decision
from capper.domain.exchange import Exchange, Response
from capper.domain.policy import Policy
from capper.domain.sighting import Format
from capper.rewrite import filler
from capper.rewrite.wording import Speech, Words, language_of, words


@dataclass(frozen=True, slots=True)
class Speaking:
    """Says why an ad was withheld; `language` where neither the policy nor the browser names one."""

    policy: Callable[[], Policy]
    language: str = "en"

    def language_of(self, exchange: Exchange) -> str:
        """The language of who is looking."""
        accepted = exchange.request.headers.get("accept-language")
        return language_of(exchange.viewer.language or ("" if accepted else self.language), accepted)

    def words(self, exchange: Exchange, decision: Decision) -> Words:
        """The decision in words."""
        return words(decision, Speech(self.language_of(exchange), self.policy().zone), exchange.at)

    def filling(self, exchange: Exchange, form: Format, size: tuple[int, int] | None, decision: Decision) -> Response:
        """The response that takes the place of a withheld file of its own."""
        told = self.words(exchange, decision)
        return (
            filler.image_response(size or (300, 250), told) if form is Format.IMAGE else filler.creative_response(told)
        )
