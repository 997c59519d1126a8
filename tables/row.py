"""One line of the tables: what was asked, what was measured, and what is asked of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`passed` is None for what is told and not judged."""

    what: str
    measured: str
    wanted: str = ""
    passed: bool | None = None


def within(what: str, measured: float, low: float, high: float, form: str = "{:.2f}") -> Row:
    """A number that is to lie from `low` to `high`."""
    wanted = f"{form.format(low)} to {form.format(high)}"
    return Row(what, form.format(measured), wanted, bool(low <= measured <= high))


def at_most(what: str, measured: float, high: float, form: str = "{:.2f}") -> Row:
    """A number that is to be `high` at most."""
    return Row(what, form.format(measured), f"at most {form.format(high)}", bool(measured <= high))


def at_least(what: str, measured: float, low: float, form: str = "{:.2f}") -> Row:
    """A number that is to be `low` at least."""
    return Row(what, form.format(measured), f"at least {form.format(low)}", bool(measured >= low))


def exactly(what: str, measured: object, wanted: object) -> Row:
    """Something that is to be just so."""
    return Row(what, str(measured), str(wanted), bool(measured == wanted))


def told(what: str, measured: str) -> Row:
    """Something that is told, or why it cannot be."""
    return Row(what, measured)
