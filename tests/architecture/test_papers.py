"""What is written for readers stays true: links lead somewhere, words of the glossary exist, proofs are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAPERS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
PACKAGES = ("api", "storage", "dossiers", "digitize", "signing", "counter")


def names_of_all_tests() -> set[str]:
    """Names of all tests, from their source."""
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def law() -> str:
    return (ROOT / "docs" / "law.md").read_text("utf-8")


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_link_between_papers_leads_somewhere(paper: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", paper.read_text("utf-8"))
    missing = [target for target in targets if not (paper.parent / target).exists()]
    assert not missing


def test_every_test_that_the_law_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", law()))
    assert named
    assert named <= names_of_all_tests()


def test_every_test_that_the_page_of_attacks_names_exists() -> None:
    page = (ROOT / "docs" / "attacks.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    assert named
    assert named <= names_of_all_tests()


def test_every_line_of_the_checklist_has_a_proof_or_says_not_yet() -> None:
    rows = dict(re.findall(r"^\| \**([CSGVEP]\d+)\** \|.*\|([^|]*)\|$", law(), re.MULTILINE))
    sections = {"C": 9, "S": 7, "G": 5, "V": 6, "E": 5, "P": 9}
    assert rows.keys() == {f"{letter}{n}" for letter, last in sections.items() for n in range(1, last + 1)}
    assert all("`test_" in proof or "not yet" in proof or "by design" in proof for proof in rows.values())


def test_every_word_of_the_glossary_is_in_the_code() -> None:
    code = "\n".join(path.read_text("utf-8") for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    rows = [line.split("|") for line in (ROOT / "docs" / "glossary.md").read_text("utf-8").splitlines() if "`" in line]
    words = {word.rpartition(".")[2] for row in rows if len(row) > 4 for word in re.findall(r"`([A-Za-z_.]+)`", row[3])}
    assert len(words) > 40
    assert {word for word in words if not re.search(rf"\b{word}\b", code)} == set()


def test_each_decision_is_one_page_and_says_why() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{n:04d}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text("utf-8")
        headings = re.findall(r"^## (\w+)", text, re.MULTILINE)
        assert {"Context", "Decision", "Consequences", "Alternatives"} <= set(headings), path.name
        assert len(text.split()) < 700, path.name
        assert text.startswith(f"# {path.name[:4]} "), path.name


def test_no_paper_tells_where_it_was_written() -> None:
    for paper in PAPERS:
        assert not re.search(r"/work/|/tmp/|/root/|localhost", paper.read_text("utf-8")), paper.name
