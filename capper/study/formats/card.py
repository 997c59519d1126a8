"""What goes with a study's data on paper: a data card (the headings of Gebru and others), and a data protection impact assessment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from capper import __version__
from capper.packaged import packaged_config
from capper.study.register import Of, Study


def data_card(study: Study, manifest: Mapping[str, Any]) -> str:
    """The card of an export, from its manifest; Markdown, in English."""
    rows, covered = manifest["rows"], manifest["coverage"]
    return _template("datacard.md").format(
        **_facts(study),
        version=__version__,
        format=manifest["format"],
        exposures=f"{rows['exposures']:,}",
        visits=f"{rows['visits']:,}",
        left_out=f"{rows['left_out']:,}",
        coverage="\n".join(
            [
                *(f"- {key}: {share:.1%} of exposures" for key, share in covered["keyed"].items()),
                f"- site: {covered['sited']:.1%} of exposures",
                *(f"- known by {rung}: {share:.1%}" for rung, share in covered["basis"].items()),
            ]
        ),
        columns="\n".join(
            f"- `{table}.{column['name']}` ({column['type']}): {column['meaning']}"
            for table, columns in manifest["columns"].items()
            for column in columns
        ),
    )


def impact_assessment(study: Study) -> str:
    """The assessment that GDPR Art. 35 asks for, as far as capper can fill it in; what only the researchers know is marked."""
    return _template("dpia.md").format(**_facts(study))


def _facts(study: Study) -> dict[str, str]:
    drawn = "days of each person" if study.of is Of.DAYS else "people"
    return {
        "name": study.name,
        "begun": _day(study.begun),
        "until": _day(study.stopped or study.until),
        "participants": str(len(study.participants)),
        "named": str(sum(each.names for each in study.participants.values())),
        "names": "asked for, of those who agree" if study.names else "not kept",
        "control": f"Caps were off on {study.control:.0%} of {drawn}, drawn by seed {study.seed}"
        if study.control
        else "Caps held throughout",
        "treatments": ", ".join(sorted({each.name for each in study.treatments} - {""})) or "none",
        "least": str(study.least),
        "epsilon": f"{study.epsilon:g}",
        "consent": study.text,
        "collected": "by a proxy on the participants' own connection, before any cap took an ad away"
        if study.recorded
        else "elsewhere",
        "agreed": f"Each participant was shown the text of consent (SHA-256 {study.text}) and agreed; who withdrew has been overwritten."
        if study.recorded
        else study.consent,
        "joint": "ads have names that all households of this joint study share, and can be joined by them"
        if study.joint
        else "they cannot be joined with any other study's",
    }


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _template(name: str) -> str:
    return (packaged_config() / name).read_text("utf-8")
