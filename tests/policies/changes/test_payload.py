"""What is stored of a request: exact, pinned by its digest, and free of what nobody can see."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from policies import notes, payload, registry
from policies.models import ChangeRequest
from policies.workflows import Workflow
from portal.core.errors import Invalid
from tests.policies.conftest import again, ask_tidy
from tests.policies.operations import mark, tidy


@dataclass(frozen=True, slots=True)
class Params:
    amount: Decimal
    at: datetime | None
    names: tuple[str, ...]
    workflow: Workflow
    flag: bool = False


PARAMS = Params(
    Decimal("1234567.0000000001"), datetime(2026, 11, 22, 8, 5, 0, 123456, UTC), ("a", "é"), Workflow.MANAGE_ACCESS
)


def test_params_come_back_exactly():
    stored = payload.encode(PARAMS)
    assert stored["amount"] == "1234567.0000000001"
    assert payload.decode(Params, stored) == PARAMS


@pytest.mark.parametrize(
    "change",
    [{"amount": "x"}, {"flag": "yes"}, {"names": "ab"}, {"workflow": "money"}, {"more": 1}, {"amount": None}],
)
def test_altered_params_are_unreadable(change):
    with pytest.raises(payload.Unreadable):
        payload.decode(Params, {**payload.encode(PARAMS), **change})


def test_missing_params_are_unreadable():
    stored = payload.encode(PARAMS)
    del stored["flag"]
    with pytest.raises(payload.Unreadable):
        payload.decode(Params, stored)


@pytest.mark.parametrize(
    "field",
    ["title", "amount", "asset", "note", "subject", "operation", "workflow", "approvals_required", "number", "params"],
)
def test_the_digest_covers_what_is_agreed_to(house, field):
    change = again(ask_tidy(house.ana))
    assert payload.digest(change) == change.digest
    setattr(change, field, 99 if field in {"approvals_required", "number"} else "other")
    assert payload.digest(change) != change.digest


def test_the_digest_does_not_depend_on_the_zone_of_a_clock(house):
    change = ask_tidy(house.ana)
    change.created_at = change.created_at.astimezone(timezone(timedelta(hours=5)))
    assert payload.digest(change) == change.digest


@pytest.mark.parametrize("params", [["the shelf"], "the shelf", None])
def test_a_request_keeps_named_values_and_nothing_else(params):
    """What approvers agree to has a name for each value, or nobody could compare it with what is so now."""
    with pytest.raises(TypeError, match="is not a params dataclass"):
        payload.encode(params)


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\u2066", "\ufeff", "\0", "\x1b", "\t", "\u2028", "\u3164"])
def test_what_nobody_can_see_is_refused(house, character):
    """CR-15: U+202E in the note, and what is like it."""
    with pytest.raises(Invalid) as refused:
        ask_tidy(house.ana, note=f"pay{character}roll")
    assert refused.value.field == "note"
    assert not ChangeRequest.objects.filter(organization=house.organization).exists()


def test_notes_are_one_line_of_at_most_500_characters():
    assert notes.clean("  two\r\nlines \n", field="note") == "two lines"
    assert notes.clean("e\u0301" * 500, field="note") == "é" * 500
    with pytest.raises(Invalid, match="501"):
        notes.clean("x" * 501, field="note")


def test_every_operation_is_found_by_name_and_by_function():
    assert registry.get("tests.tidy") is registry.of(tidy)
    assert {"policies.configure_policy", "policies.remove_policy"} <= {o.key for o in registry.all_operations()}
    with pytest.raises(registry.Unregistered):
        registry.get("no.such")
    with pytest.raises(registry.Unregistered):
        registry.of(mark)  # type: ignore[arg-type]
