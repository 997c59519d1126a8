"""`capper ca`: the certificate by which capper opens connections, for devices to trust."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capper.cli.options import Config, Json, State, Yes
from capper.cli.tables import print_json, print_text
from capper.domain.errors import ConfigError
from capper.gateway.ours import HOST
from capper.settings import load_settings
from capper.settings.version import check_state

if TYPE_CHECKING:
    from capper.proxy.authority import Authority

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""The certificate by which capper opens connections to hosts that deliver ads.

    One per household, made at the first start and good for five years; its key never leaves the state folder. A device that does
    not trust it is left alone.
    """,
    epilog="""\b
Examples:
  capper ca show                                until when does it hold, and what is its fingerprint?
  capper ca export > capper-ca.pem              for computers and Firefox
  capper ca export --form profile --out capper.mobileconfig   for iPhone, iPad and Mac
  capper ca renew                               a new one; each device needs it""",
)


class Form(StrEnum):
    """What a certificate is wrapped in."""

    PEM = "pem"
    DER = "der"
    PROFILE = "profile"


@app.command()
def show(*, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Show whose it is, until when it holds, and by which fingerprint to know it on a device."""
    from capper.proxy.authority import authority_file, read_authority  # noqa: PLC0415  imports mitmproxy, which takes a while

    folder, now = _state(config, state), datetime.now(UTC)
    authority = read_authority(folder)
    ends = authority.expires()
    told = {
        "file": str(authority_file(folder)),
        "name": authority.name(),
        "since": authority.certificate.not_valid_before_utc,
        "until": ends,
        "days_left": (ends - now).days,
        "sha256": authority.fingerprint(),
    }
    if as_json:
        print_json(told)
        return
    left = f"{told['days_left']} days" if ends > now else "over: no device takes it; capper ca renew"
    rows = {
        "file": told["file"],
        "name": told["name"],
        "holds": f"{told['since']:%Y-%m-%d} to {ends:%Y-%m-%d} ({left})",
        "SHA-256": told["sha256"],
        "devices": f"open http://{HOST}/ on each, through capper: it gives the certificate, and says whether it is trusted",
    }
    print_text(*(f"{name:<12} {what}" for name, what in rows.items()))


@app.command()
def export(
    *,
    form: Annotated[
        Form, typer.Option(help="pem (computers, Firefox), der (Android, Windows), profile (iPhone, iPad, Mac).")
    ] = Form.PEM,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; otherwise to standard output.")] = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Write the certificate, as devices take it. The key stays where it is."""
    from capper.proxy.authority import read_authority  # noqa: PLC0415  as above

    content = _wrapped(read_authority(_state(config, state)), form)
    if out is None:
        if form is Form.DER and sys.stdout.isatty():
            raise ConfigError("this is not for a terminal: name a file with --out, or send it into one")
        sys.stdout.buffer.write(content)
        return
    try:
        out.write_bytes(content)
    except OSError as exc:
        raise ConfigError(f"write {out}: {exc.strerror or exc}") from exc
    print_text(f"{out} written; install it as an authority for websites")


def _state(config: Path | None, state: Path | None) -> Path:
    folder = load_settings(config, {"state": state}).state
    check_state(folder)
    return folder


def _wrapped(authority: "Authority", form: Form) -> bytes:
    from capper.proxy.invitation import mobile_profile  # noqa: PLC0415  as above

    forms = {Form.PEM: authority.pem, Form.DER: authority.der}
    return forms[form]() if form in forms else mobile_profile(authority.der())


@app.command()
def renew(*, yes: Yes = False, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Make a new certificate and throw the old key away.

    Every device needs the new certificate, and until it has proven that it trusts it, its connections pass through unopened. Do it
    when the old one nears its end, or if somebody may have got hold of its key.
    """
    from capper.proxy.authority import authority_file, has_authority, read_authority, renew_authority  # noqa: PLC0415  as above

    folder = _state(config, state)
    if not yes and not typer.confirm(f"Throw away the key in {folder / 'ca'}, and set up every device anew?"):
        raise typer.Exit(1)
    old = read_authority(folder).name() if has_authority(folder) else ""
    authority = renew_authority(folder, datetime.now(UTC))
    if as_json:
        print_json({"until": authority.expires(), "sha256": authority.fingerprint()})
        return
    print_text(
        f"{authority_file(folder)} is new and holds until {authority.expires():%Y-%m-%d}",
        f"It is called {authority.name()}. Start `capper run` again, then open http://{HOST}/ on each device.",
        *([f"Remove the old one there: it is called {old}."] if old else []),
    )
