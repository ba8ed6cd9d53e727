"""What docs/bots.md says in tables is what the portal's own tables say."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from accounts.api_keys.call_limits import CALLS
from accounts.models.organization import ApiTier
from portal.api import methods, permissions
from portal.api.protocol.envelope import Error

TEXT = (Path(settings.BASE_DIR) / "docs/bots.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = TEXT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_permission_table_is_the_portals():
    """Generated: one row for each method, in the order of the table in the code."""
    assert rows("Permissions") == [
        [
            f"`{method}`",
            permissions.in_words(method),
            "yes" if method in methods.PRIVATE else "not yet",
            f"{permissions.COSTS.get(method, 1.0):g}",
        ]
        for method in permissions.PERMISSIONS
    ]


def test_the_error_table_names_every_string_and_no_other():
    said = [string for first, *_ in rows("Errors") for string in re.findall(r"`([^`]+)`", first)]
    assert sorted(said) == sorted(error.value for error in Error)


def test_the_public_methods_are_named():
    named = TEXT.split("## Public methods\n", 1)[1].split("\n## ", 1)[0]
    for method in methods.PUBLIC:
        assert f"`{method}`" in named


@pytest.mark.parametrize("tier", [tier for tier in ApiTier if tier != ApiTier.OFF])
def test_the_tiers_are_as_they_count(tier):
    counted = CALLS[tier.value]
    assert [f"{counted.maximum:g}", f"{counted.decay:g}"] in [
        row[1:3] for row in rows("How fast") if row[0] == tier.label
    ]
