#!/usr/bin/env bash
# Everything a change must pass. Nothing is skipped; the first failure ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
step() { printf '\n── %s\n' "$*"; "$@"; }
step ruff check .
step ruff format --check .
step mypy
step lint-imports
step pytest --numprocesses 2 --durations 15
