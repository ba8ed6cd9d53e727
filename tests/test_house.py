"""How the house is built: rooms that are taken in at a glance and say what is in them, and no way in circles."""

import ast
from functools import cache
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
OURS = ("accounts", "policies", "portal")
FOLDERS = sorted(
    folder
    for top in (*OURS, "tests", "benchmarks")
    for folder in (ROOT / top, *(ROOT / top).rglob("*"))
    if folder.is_dir() and not {"__pycache__", "migrations"} & set(folder.parts)
)
# Django names these two, and what is in them.
DJANGOS = {"management", "migrations"}
# Who names the paper exchange from outside, and why.
NAMES_PAPER = {
    "portal.venues.registry": "finds the venue that an Account names",
    "portal.dashboard.demo.treasury": "begins with money that nobody sent",
    "portal.dashboard.demo.exchange": "begins with money that nobody sent",
}


def modules() -> dict[str, Path]:
    """Our modules by their dotted name; a package goes by its own."""
    found = {}
    for top in OURS:
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts:
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports() -> dict[str, set[str]]:
    """Which of our modules each of them names, also inside functions and for the sake of types alone."""
    ours = modules()
    found: dict[str, set[str]] = {}
    for name, path in ours.items():
        named = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    named.add(inner if inner in ours else node.module)
        found[name] = (named & ours.keys()) - {name}
    return found


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The groups of more than one in which each leads to every other."""
    reached: dict[str, set[str]] = {}
    for start, named in graph.items():
        seen: set[str] = set()
        ahead = list(named)
        while ahead:
            one = ahead.pop()
            if one not in seen:
                seen.add(one)
                ahead += graph[one]
        reached[start] = seen
    groups = {frozenset(other for other in reached[one] if one in reached[other]) for one in graph}
    return {group for group in groups if len(group) > 1}


def test_no_module_leads_back_to_itself():
    """What is imported for its types alone counts: a reader follows it all the same."""
    assert circles(imports()) == set()


def test_a_circle_is_seen():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert circles(graph) == {frozenset({"b", "c"})}
    assert len(imports()) > 300
    assert "policies.registry" in imports()["policies.changes.proposals"]


def test_nothing_above_knows_which_venue_it_is():
    """DESIGN §8: the paper exchange is found by its registry."""
    inside = "portal.venues.paper"
    naming = {name for name, named in imports().items() if any(one.startswith(inside) for one in named)}
    assert {name for name in naming if not name.startswith(inside)} == set(NAMES_PAPER)


def test_at_most_fifteen_modules_lie_flat():
    """More are not taken in at a glance: they fall into groups, and these have names."""
    flat = {
        str(folder.relative_to(ROOT)): len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for folder in FOLDERS
    }
    assert {folder: count for folder, count in flat.items() if count > 15} == {}


def test_every_package_says_what_is_in_it():
    silent = [
        str(path.parent.relative_to(ROOT))
        for top in (*OURS, "benchmarks")
        for path in sorted((ROOT / top).rglob("__init__.py"))
        if path.parent.name not in DJANGOS and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []
