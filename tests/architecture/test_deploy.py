"""What `deploy/` says is what the program knows: commands, settings, packages. (No container is started here.)"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import importlib
import ipaddress
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.cli import COMMANDS
from api.settings import explained

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "hoso"}


def understood(words: list[str]) -> None:
    """Let the command line itself read the words."""
    assert words[0].rpartition("/")[2] == "hoso"
    assert words[1] in COMMANDS
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(f"api.commands.{words[1]}").add_arguments(parser)
    parser.parse_args(words[2:])


def unit(file: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(interpolation=None, strict=False)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(file, encoding="utf-8")
    return read


@pytest.mark.parametrize("name", OURS)
def test_each_container_runs_a_command_there_is_with_settings_there_are(name: str) -> None:
    service = OURS[name]
    understood(shlex.split(service["command"]))
    assert set(service["environment"]) <= {setting.name for setting in explained()}
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    assert set(service["depends_on"]) <= set(COMPOSE["services"])
    assert service["restart"] == ("on-failure" if name == "migrated" else "always")


def test_the_store_beside_the_program_is_flushed_by_it() -> None:
    """SeaweedFS acknowledges what only memory holds (decision 0052)."""
    ((volume, place),) = [entry.split(":")[:2] for entry in COMPOSE["services"]["store"]["volumes"]]
    for service in OURS.values():
        folder = service["environment"]["HOSO_S3_FOLDER"]
        assert f"{volume}:{folder}:ro" in service["volumes"]
    assert f"-dir={place}" in COMPOSE["services"]["store"]["command"]


def test_what_people_are_told_to_set_is_a_setting() -> None:
    known = {setting.name for setting in explained()}
    others = {"HOSO_CONFIG", "HOSO_HOST"}  # the file of settings; what compose.yaml alone asks for
    papers = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(f for f in DEPLOY.rglob("*") if f.is_file())]
    for paper in papers:
        for name in set(re.findall(r"HOSO_[A-Z0-9_]+[A-Z0-9]", paper.read_text(encoding="utf-8"))) - known - others:
            whole_group = any(one.startswith(f"{name}_") for one in known)
            assert whole_group or name.startswith("HOSO_TEST_"), f"{paper.name}: {name}"


def test_one_container_alone_signs_and_only_the_web_is_reached_and_only_from_the_machine() -> None:
    signing = [service for service in OURS.values() if "--signing" in service["command"]]
    assert len(signing) == 1
    assert "deploy" not in signing[0]
    assert {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }


def test_every_secret_of_a_container_comes_from_a_file() -> None:
    told = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"(?i)(password|secret|token)(_key)?: *[\"']?[a-z0-9]", told.replace("secrets: [", ""))


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_each_unit_runs_a_command_there_is_and_comes_back_whatever_the_status(file: Path) -> None:
    service = unit(file)["Service"]
    understood(shlex.split(service["ExecStart"]))
    assert service["User"] == "hoso"
    assert "/var/lib/hoso" in service["ReadWritePaths"]
    if file.name != "hoso-backup.service":
        assert service["Restart"] == "always"
        assert int(service["TimeoutStopSec"]) >= 120


def test_a_counters_unit_sends_after_every_start_as_the_user_who_scans() -> None:
    from api.commands.send import _NO_PERMISSION

    read = unit(DEPLOY / "counter" / "hoso-send.service")
    service = read["Service"]
    understood(shlex.split(service["ExecStart"]))
    assert shlex.split(service["ExecStart"])[1:] == ["send", "${FOLDER}", "--to", "${SERVER}"]
    assert "User" not in service
    assert read["Install"]["WantedBy"] == "default.target", "the one that a user's own systemd starts with"
    assert (service["Restart"], read["Unit"]["StartLimitIntervalSec"]) == ("always", "0")
    assert service["RestartPreventExitStatus"] == str(_NO_PERMISSION)


def test_what_a_counters_paper_has_people_type_is_what_the_program_knows() -> None:
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (task,) = re.findall(r"^    (schtasks /Create .*)$", told, re.MULTILINE)
    run = re.search(r'/TR "(.*)"$', task)
    assert run is not None
    program, *words = shlex.split(run[1].replace('\\"', '"').replace("\\", "/"))
    understood([program.removesuffix(".exe"), *words])
    assert "deploy/counter/hoso-send.service" in told
    assert "--no-deps hoso`" not in told, "no release is published: that name could be anybody's"


def test_every_queue_has_a_unit_and_a_container() -> None:
    from api.worker import LOOKING, READING, SIGNING
    from storage.queue import QUEUE_OF

    wanted = {"hoso worker", "hoso worker --looking", "hoso worker --signing", "hoso serve"}
    assert {service["command"] for service in OURS.values()} >= wanted
    assert {unit(file)["Service"]["ExecStart"].rpartition("bin/")[2] for file in UNITS} >= wanted
    assert {*LOOKING, *READING, *SIGNING} == set(QUEUE_OF.values())


def test_the_image_holds_the_packages_that_a_machine_is_given() -> None:
    needed = re.search(r"^needed=\((.*?)\)", (ROOT / "scripts/bootstrap.sh").read_text(encoding="utf-8"), re.MULTILINE)
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    installed = re.search(r"--no-install-recommends \\\n(.*?) && rm -rf", dockerfile, re.DOTALL)
    assert needed is not None
    assert installed is not None
    packages = set(installed[1].replace("\\", " ").split())
    assert packages == {*needed[1].split(), "postgresql-client"}


def test_the_image_is_made_of_the_program_and_nothing_that_lies_beside_it() -> None:
    first, *rest = [
        line
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    read = {"LICENSE", "README.md", "pyproject.toml", "scripts/bootstrap.sh", "uv.lock"}
    assert first == "*"
    assert set(rest) == {f"!/{name}" for name in {*packages, *read}} | {"**/__pycache__"}
    compiled = re.search(r"compileall -q (.*) \\", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    assert compiled is not None
    assert set(compiled[1].split()) == set(packages)


def test_secrets_lie_where_neither_the_repository_nor_the_image_takes_them_in() -> None:
    assert {Path(secret["file"]).parts[:2] for secret in COMPOSE["secrets"].values()} == {("..", "secrets")}
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_only_the_machine_that_the_containers_run_on_may_say_who_it_speaks_for() -> None:
    (network,) = COMPOSE["networks"]["default"]["ipam"]["config"]
    trusted = {service["environment"]["HOSO_TRUSTED_PROXIES"] for service in OURS.values()}
    assert trusted == {network["gateway"]}
    assert ipaddress.ip_address(network["gateway"]) in ipaddress.ip_network(network["subnet"])


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """As `scripts/bundle.sh` lays one out, without what it would install."""
    machine = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=False).stdout
    (tmp_path / "install.sh").write_bytes((DEPLOY / "offline" / "install.sh").read_bytes())
    (tmp_path / "name").write_text(f"hoso-of-a-test-debian12-{machine.strip() or 'amd64'}\n")
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "needed").write_text("python3\n")
    listed = "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  ./{file.relative_to(tmp_path)}\n"
        for file in sorted(tmp_path.rglob("*"))
        if file.is_file()
    )
    (tmp_path / "SHA256SUMS").write_text(listed)
    return tmp_path


@pytest.mark.parametrize("harm", ["another machine", "a byte", "a file too few"])
def test_a_bundle_that_is_not_whole_or_not_for_this_machine_changes_nothing(bundle: Path, harm: str) -> None:
    if harm == "another machine":
        (bundle / "name").write_text("hoso-of-a-test-debian12-z80\n")
    elif harm == "a byte":
        (bundle / "debian" / "needed").write_text("python4\n")
    else:
        (bundle / "debian" / "needed").unlink()
    ran = subprocess.run(["bash", bundle / "install.sh"], capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "Chưa có gì thay đổi" in ran.stderr
    assert not Path("/opt/hoso-of-a-test").exists()


@pytest.mark.parametrize(
    "script",
    [
        "scripts/bundle.sh",
        "scripts/try_bundle.sh",
        "scripts/upgrade_drill.sh",
        "scripts/clean_debian.sh",
        "deploy/offline/install.sh",
    ],
)
def test_the_scripts_of_a_bundle_are_in_order(script: str) -> None:
    ran = subprocess.run(["bash", "-n", ROOT / script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_bundle_takes_the_packages_that_a_machine_is_given() -> None:
    named = subprocess.run(
        [ROOT / "scripts" / "bootstrap.sh", "packages"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"python3-venv", "tesseract-ocr-vie", "postgresql"} <= set(named)
    assert "scripts/bootstrap.sh packages" in (ROOT / "scripts" / "bundle.sh").read_text(encoding="utf-8")
