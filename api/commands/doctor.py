"""`hoso doctor`: says in words what is wrong, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.commands import configured

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--settings` lists them instead."""
    parser.add_argument("--settings", action="store_true", help="chỉ liệt kê mọi cấu hình (list every setting)")


def run(given: argparse.Namespace) -> int:
    """0 when nothing is bad; 1 otherwise."""
    if given.settings:
        _list_settings()
        return 0
    from api.doctor import examine
    from api.finding import State

    marks = {State.GOOD: "✓", State.DOUBTFUL: "!", State.BAD: "✗"}
    bad = 0
    for finding in examine(configured()):
        print(f"{marks[finding.state]} {finding.subject}: {finding.vi} ({finding.en})", flush=True)
        if finding.remedy and finding.state is not State.GOOD:
            print(f"    → {finding.remedy}", flush=True)
        bad += finding.state is State.BAD
    print(
        f"\n{bad} điều cần sửa. ({bad} things to mend.)" if bad else "\nMọi thứ đều ổn. (All is well.)",
    )
    return 1 if bad else 0


def _list_settings() -> None:
    from api.settings import environment_of, explained

    now = environment_of(configured())
    for setting in explained():
        print(f"{setting.name}={now.get(setting.name, '')}\n    {setting.purpose}")
