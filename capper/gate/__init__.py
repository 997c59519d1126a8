"""The only entrance: recognise an exchange, find its ads, claim them from the ledger, apply what was decided."""

from capper.gate.gate import Gate
from capper.gate.limits import Limits

__all__ = ["Gate", "Limits"]
