"""What stands in an ad's place, in the language of who is looking, and as much of it as nobody else can read."""

from collections.abc import Callable
from dataclasses import dataclass

from capper.domain.decision import Decision
from capper.domain.exchange import Exchange, Response
from capper.domain.policy import Policy
from capper.domain.sighting import Format
from capper.gate.readers import hers_alone
from capper.ledger.tickets import Ticket, Tickets
from capper.rewrite import filler, wording


@dataclass(frozen=True, slots=True)
class Door:
    """The way from a placeholder to her own page about that ad, on capper's `host`."""

    host: str
    tickets: Tickets

    def address(self, exchange: Exchange, decision: Decision) -> str:
        """Where it leads; "" where nothing is known of the ad that she could say anything about."""
        ticket = Ticket.of(decision, exchange.at)
        if not ticket.names:
            return ""
        scheme = "https" if exchange.request.url.startswith("https:") else "http"
        return f"{scheme}://{self.host}/ad?about={self.tickets.seal(exchange.viewer.name, ticket)}"


@dataclass(frozen=True, slots=True)
class Speaking:
    """Says why an ad was withheld; `language` where neither the policy nor the browser names one."""

    policy: Callable[[], Policy]
    language: str = "en"
    door: Door | None = None

    def language_of(self, exchange: Exchange) -> str:
        """The language of who is looking."""
        accepted = exchange.request.headers.get("accept-language")
        return wording.language_of(exchange.viewer.language or ("" if accepted else self.language), accepted)

    def words(self, exchange: Exchange, decision: Decision) -> "wording.Words":
        """What stands in a page's own markup, which its scripts read: no counts, no times, and the way to those."""
        return wording.leading(
            wording.reserved(decision, self._speech(exchange)), self._address(exchange, decision), (wording.Deed.WHY,)
        )

    def filling(self, exchange: Exchange, form: Format, size: tuple[int, int] | None, decision: Decision) -> Response:
        """The response that takes the place of a withheld file of its own."""
        alone, speech = hers_alone(exchange.request), self._speech(exchange)
        told = wording.words(decision, speech, exchange.at) if alone else wording.reserved(decision, speech)
        if form is Format.IMAGE:
            return filler.image_response(size or (300, 250), told, readable=not alone)
        deeds = tuple(wording.Deed) if alone and not _final(decision) else (wording.Deed.WHY,)
        return filler.creative_response(
            wording.leading(told, self._address(exchange, decision), deeds, muted=decision.mute is not None),
            readable=not alone,
        )

    def _speech(self, exchange: Exchange) -> "wording.Speech":
        return wording.Speech(self.language_of(exchange), self.policy().zone)

    def _address(self, exchange: Exchange, decision: Decision) -> str:
        return self.door.address(exchange, decision) if self.door else ""


def _final(decision: Decision) -> bool:
    """Whether a rule says never: there is nothing to say against it here."""
    return decision.cap is not None and decision.cap.count == 0
