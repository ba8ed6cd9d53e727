"""Every rule that code, pages and tests cite by its id is written in the documents, and what these name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
CITING = [
    path
    for folder in ("accounts", "benchmarks", "policies", "portal", "templates", "tests", "docs")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".html", ".txt", ".md", ".sh"} and path != Path(__file__).resolve()
]
SECURITY = re.compile(r"\b(?:SI|F|SU|AZ|CR|AP|AU|SE|IN|WB|SC)-\d+\b")
RULES = re.compile(r"\bDESIGN ((?:[OMPRKV]|§)\d+(?:(?:, | and | to )(?:[OMPRKV]|§)\d+)*)")
RULE = re.compile(r"(?:[OMPRKV]|§)\d+")
SECTIONS = re.compile(r"\breference (§\d+(?:(?:, | and )§\d+)*)")
FILE = re.compile(r"`((?:[\w.-]+/)+[\w-]+\.(?:py|md|sh|css|js|html))`")
# No test shows these.
NO_TEST = {
    "SC-2": "What pages may load is held by WB-1 and WB-2.",
    "§1": "It says what the portal is; the rules follow.",
}


def cited(pattern: re.Pattern[str], each: re.Pattern[str]) -> dict[str, list[str]]:
    """Where each id is cited."""
    found: dict[str, list[str]] = {}
    for path in CITING:
        for match in pattern.findall(path.read_text(encoding="utf-8")):
            for one in each.findall(match):
                found.setdefault(one, []).append(str(path.relative_to(ROOT)))
    return found


def carried(pattern: re.Pattern[str], each: re.Pattern[str]) -> set[str]:
    """The ids that a test cites."""
    return {one for one, paths in cited(pattern, each).items() if any(path.startswith("tests/") for path in paths)}


def rules_of_design() -> set[str]:
    """The numbered rules of the design, and each of its sections in which no rule is numbered."""
    found: set[str] = set()
    for section in (DOCS / "design.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        found |= set(re.findall(r"\*\*([OMPRKV]\d+)\*\*", section)) or {section.split()[0]}
    return found


def written(name: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, (DOCS / name).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(
    ("name", "heading", "citation", "each"),
    [
        ("security.md", r"^\*\*([A-Z]+-\d+)\*\*", SECURITY, SECURITY),
        ("design.md", r"^(?:\*\*|## )((?:[OMPRKV]|§)\d+)\b", RULES, RULE),
        ("protocol.md", r"^## (§\d+)\b", SECTIONS, RULE),
    ],
)
def test_every_id_that_is_cited_is_written(name, heading, citation, each):
    """A stranger finds the rule that a comment names."""
    there = written(name, heading)
    missing = {one: where[:3] for one, where in cited(citation, each).items() if one not in there}
    assert there
    assert not missing


def test_every_requirement_is_carried_by_a_test():
    """What nothing proves is named with its reason."""
    asked = written("security.md", r"^\*\*([A-Z]+-\d+)\*\*") | rules_of_design()
    assert asked - carried(SECURITY, SECURITY) - carried(RULES, RULE) == set(NO_TEST)


def test_rules_are_read_out_of_their_sections():
    """A section that is cut into numbered rules is carried by these; one without any is a rule itself."""
    assert {"O1", "P4", "V3", "§4", "§9"} <= rules_of_design()
    assert not {"§2", "§5"} & rules_of_design()


@pytest.mark.parametrize(
    "document", [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name
)
def test_every_file_that_the_documents_name_is_there(document):
    """Files are moved; a document that leads nowhere is worse than none."""
    text = document.read_text(encoding="utf-8")
    named = [name for name in re.findall(FILE, text) if not name.startswith("var/")]  # which `make run` writes
    gone = [name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "tests"))]
    linked = re.findall(r"\]\(([\w./-]+\.\w+)(?:#[\w-]+)?\)", text)
    assert gone + [link for link in linked if not (document.parent / link).exists()] == []
