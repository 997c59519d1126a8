"""deploy/docker and deploy/kubernetes, as far as they can be looked at without a container engine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from capper.ledger.link import connect
from capper.packaged import packaged_config
from capper.settings import load_policy, load_settings

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def compose(deploy):
    """The services and volumes of compose.yaml."""
    return YAML(typ="safe").load(deploy / "docker" / "compose.yaml")


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_the_dockerfile_is_clean(deploy):
    """hadolint finds nothing."""
    ended = subprocess.run(["hadolint", deploy / "docker" / "Dockerfile"], capture_output=True, text=True, check=False)

    assert ended.stdout == ""


def test_what_the_dockerfile_copies_is_there(deploy):
    """Every file of the checkout that it asks for exists, and the ignore file does not hide it."""
    text = (deploy / "docker" / "Dockerfile").read_text()
    asked = [name for line in re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", text) for name in line.split()]
    hidden = (CHECKOUT / ".dockerignore").read_text().split()

    assert asked
    assert [name for name in asked if not (CHECKOUT / name).exists() or name in hidden] == []


def test_the_container_runs_as_the_account_that_owns_its_volumes(deploy, compose):
    """One number everywhere; never root."""
    text = (deploy / "docker" / "Dockerfile").read_text()
    users = {service["user"] for service in compose["services"].values()}

    assert users == {"990:990"}
    assert "USER 990:990" in text
    assert "uid=990,gid=990" in compose["volumes"]["socket"]["driver_opts"]["o"]


def test_containers_are_locked_down(compose):
    """Each is read-only, without capabilities, and bounded; Valkey has no network at all."""
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert {"mem_limit", "pids_limit", "restart"} <= set(service)
    assert compose["services"]["valkey"]["network_mode"] == "none"


async def test_valkey_starts_as_compose_starts_it(compose, servers, running, tmp_path):
    """The very arguments, on a real Valkey: it answers on its socket, and writes every count to its file."""
    [name, *arguments] = compose["services"]["valkey"]["command"]
    here = [one.replace("/run/valkey", str(tmp_path)).replace("/counts", str(tmp_path)) for one in arguments]
    await running([servers[name.partition("-")[0]], *here], f"unix://{tmp_path}/valkey.sock", tmp_path)
    link = connect(f"unix://{tmp_path}/valkey.sock")
    settings = [await link("CONFIG", "GET", name) for name in ("port", "appendonly", "save", "maxmemory-policy")]
    await link.close()

    assert dict(settings) == {b"port": b"0", b"appendonly": b"yes", b"save": b"", b"maxmemory-policy": b"noeviction"}
    assert (tmp_path / "appendonlydir").is_dir()


def test_the_sample_settings_can_be_used(deploy, compose, monkeypatch):
    """What compose mounts is understood, together with what it says in the environment."""
    environ = {key: str(value) for key, value in compose["services"]["capper"]["environment"].items()}
    settings = load_settings(deploy / "docker" / "etc" / "capper.toml", environ=environ)

    assert settings.ledger == "unix:///run/valkey/valkey.sock"
    assert load_policy(settings.policy).default.caps


def test_the_sample_policy_is_the_starter_policy(deploy):
    """One starter policy, wherever it lies."""
    assert (deploy / "docker" / "etc" / "policy.toml").read_text() == (packaged_config() / "policy.toml").read_text()


def test_kubernetes_settings_can_be_used(deploy, tmp_path):
    """The settings and the policy in the ConfigMap are understood; keys and probes are where the image has them."""
    documents = {one["kind"]: one for one in YAML(typ="safe").load_all(deploy / "kubernetes" / "capper.yaml")}
    for name, text in documents["ConfigMap"]["data"].items():
        (tmp_path / name).write_text(text)
    settings = load_settings(tmp_path / "capper.toml", environ={})
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert load_policy(settings.policy).default.caps
    assert pod["securityContext"]["runAsUser"] == 990
    assert container["ports"][0]["containerPort"] == settings.listen.port
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/var/lib/capper", "/etc/capper", "/tmp"}
    assert documents["Service"]["spec"]["sessionAffinity"] == "ClientIP"
