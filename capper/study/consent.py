"""What a person is asked to agree to before anything of hers is recorded."""

from datetime import datetime

from capper.packaged import packaged_config

_NAMED = {
    True: "The advertisers' own names are kept too, of those who agree to that; you are asked.",
    False: "Not even the advertisers' own names are kept.",
}


def standard_text(name: str, begun: datetime, until: datetime, *, names: bool, control: float, least: int) -> str:
    """The text that travels with capper, filled in for one study; in English."""
    off = f"For about {control:.0%} of the time or of the people, drawn by lot, nothing is withheld, so that a difference can be seen."
    return (
        (packaged_config() / "consent.md")
        .read_text("utf-8")
        .format(
            name=name,
            begun=f"{begun:%Y-%m-%d}",
            until=f"{until:%Y-%m-%d}",
            names=_NAMED[names],
            control=off if control else "Whatever is withheld from you otherwise is withheld during the study as well.",
            least=least,
        )
    )
