"""Running `capper` in this process, in a home of its own."""

from types import SimpleNamespace

import platformdirs
import pytest
from typer.testing import CliRunner

from capper.cli import app


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without any file of the owner's; no CAPPER_ variable is set."""
    import os

    for name in [name for name in os.environ if name.startswith("CAPPER_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *_, **__: tmp_path / "state")
    return tmp_path


@pytest.fixture
def capper(home):
    """Run `capper ARGS`: `capper("policy", "check").code`, `.out`, `.err`."""

    def run(*args, stdin=None):
        result = CliRunner().invoke(app, list(map(str, args)), input=stdin, prog_name="capper")
        return SimpleNamespace(code=result.exit_code, out=result.stdout, err=result.stderr, exception=result.exception)

    return run
