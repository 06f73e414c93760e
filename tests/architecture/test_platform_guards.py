"""What keeps the platform in order: settings told to people, commands where they are looked for, nobody's machine."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli import COMMANDS
from api.settings import Settings, explained

PROJECT = Path(__file__).parents[2]
PACKAGES = ("dossiers", "digitize", "signing", "storage", "api", "counter")

#: Who may know where settings come from; everybody else is handed what they need by `api.wiring`.
READERS_OF_SETTINGS = {"api.wiring", "api.up", "api.commands", "api.commands.*", "api.cli"}


def _modules() -> list[tuple[str, Path]]:
    return [
        (".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"), file)
        for package in PACKAGES
        for file in sorted((PROJECT / package).rglob("*.py"))
    ]


def _imports_at_run_time(file: Path) -> set[str]:
    """Every module that is imported, but for those that only the type checker sees."""
    found: set[str] = set()

    class Imports(ast.NodeVisitor):
        def visit_If(self, node: ast.If) -> None:
            if ast.unparse(node.test) != "TYPE_CHECKING":
                self.generic_visit(node)

        def visit_Import(self, node: ast.Import) -> None:
            found.update(alias.name for alias in node.names)

        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
            found.add(str(node.module))

    Imports().visit(ast.parse(file.read_text(encoding="utf-8")))
    return found


def test_only_the_wiring_and_the_commands_read_settings() -> None:
    readers = {name for name, file in _modules() if "api.settings" in _imports_at_run_time(file)}
    strangers = {name for name in readers if not ({name, name.rpartition(".")[0] + ".*"} & READERS_OF_SETTINGS)}
    assert not strangers


def test_operations_md_tells_every_setting_as_the_program_does() -> None:
    page = (PROJECT / "docs/operations.md").read_text(encoding="utf-8")
    told = [line for line in page.splitlines() if line.startswith("| `HOSO_")]
    expected = [
        f"| `{setting.name}` | {f'`{setting.default}`' if setting.default else ''} | {setting.purpose} |"
        for setting in explained()
    ]
    assert told == expected, "put these lines into docs/operations.md:\n" + "\n".join(expected)


def test_every_setting_has_an_effect() -> None:
    code = "\n".join(file.read_text(encoding="utf-8") for name, file in _modules())
    idle = {name for name in Settings.model_fields if not re.search(rf"settings\.{name}\b|self\.{name}\b", code)}
    assert (
        idle - {"s3_secret_key_file", "replica_secret_key_file", "service_secret_file", "metrics_token_file"} == set()
    ), "a setting that nothing reads is a lie"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_command_line_looks_for_it(name: str) -> None:
    command = importlib.import_module(f"api.commands.{name}")
    assert callable(command.add_arguments)
    assert callable(command.run)


@pytest.mark.parametrize("name", ["verify", "sign", "digitize"])
def test_a_command_for_one_file_loads_no_server(name: str) -> None:
    loads = f"import sys, api.cli, api.commands.{name}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stdout.split()
    assert not {"fastapi", "psycopg", "sqlalchemy", "procrastinate", "minio", "uvicorn", "certomancer"} & set(loaded)


def test_loading_the_web_and_the_workers_starts_no_thread_so_that_they_can_be_forked() -> None:
    loads = "import threading, api.commands.serve, api.commands.worker; print(threading.active_count())"
    assert subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stdout == "1\n"


def test_no_file_speaks_of_somebodys_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True).stdout
    machine = re.compile(rb"/work/(main|shared)|/home/(?!user\b)[a-z]+/|/root/[a-z.]")
    speaking = [
        name
        for name in listed.decode().split("\0")
        if name and (PROJECT / name).is_file() and machine.search((PROJECT / name).read_bytes())
    ]
    assert speaking == []
