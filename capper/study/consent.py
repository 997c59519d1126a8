"""What a person is asked to agree to before anything of hers is recorded."""

from datetime import datetime

from capper.packaged import packaged_config

_NAMED = {
    True: "The advertisers' own names are kept too, of those who agree to that; you are asked.",
    False: "Not even the advertisers' own names are kept.",
}


_JOINT = """\
This household takes part together with others:

- Once a week a count leaves this machine of which advertisers the people here met. It is hidden in such a way that whoever receives it sees
  noise; only the sum over all households, three at least, can be read.
- Back comes, of each advertiser, whether more or fewer people than usual met it, in all households together. With few households that can tell
  somebody in one of them that somebody in another met an advertiser.
- Advertisers, campaigns and advertisements have the same made-up names in all these households. Whoever has the key to those names, which each
  household has, and this household's file too, could find out whether you met a certain advertiser. Rows that are handed to researchers
  can be put beside those of the other households by advertiser.
"""


def also_joint(text: str) -> str:
    """A text of consent, whoever wrote it, and what is different in a study of several households."""
    return f"{text.rstrip()}\n\n{_JOINT}"


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
