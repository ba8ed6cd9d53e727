"""The wall between two Organizations, in the database and around every form (security AZ-2, AZ-3)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account, ApiKey, Custodian, ServiceUser
from policies.access import grant
from policies.models import ChangeRequest, Decision, Grant
from policies.workflows import Right, Workflow
from tests.policies.conftest import ask_send, ask_tidy, yes

pytestmark = pytest.mark.django_db


@pytest.fixture
def strangers(house, next_door) -> dict[str, Any]:
    """What is next door, to be named here."""
    next_door.member("olaf", Right.INITIATE)
    key = next_door.bot(made_by="olaf")
    return {"account": next_door.account, "member": next_door.eve, "key": key, "bot": key.service_user}


def update(model: Any, pk: int, **fields: Any) -> int:
    return int(model.objects.filter(pk=pk).update(**fields))


Row = Callable[[Any, dict[str, Any]], object]
ROWS: dict[str, Row] = {
    "a right on another's Account": lambda house, other: Grant.objects.create(
        member=house.ana, workflow=Workflow.MANAGE_ADDRESSES, right=Right.VIEW, account=other["account"]
    ),
    "a right moved to another's Account": lambda house, other: update(
        Grant, grant(house.ana, Workflow.MANAGE_ADDRESSES, Right.VIEW, house.account).pk, account=other["account"]
    ),
    "a request about another's Account": lambda house, other: update(
        ChangeRequest, ask_send(house, house.ana).pk, account=other["account"]
    ),
    "a request of another's member": lambda house, other: update(
        ChangeRequest, ask_tidy(house.ana).pk, member=other["member"]
    ),
    "a request about another's member": lambda house, other: update(
        ChangeRequest, ask_tidy(house.ana).pk, subject_member=other["member"]
    ),
    "a request of another's bot": lambda house, other: update(
        ChangeRequest, ask_tidy(house.ana).pk, member=None, service_user=other["bot"], api_key=other["key"]
    ),
    "a request through another's key": lambda house, other: update(
        ChangeRequest, _asked_by_bot(house).pk, api_key=other["key"]
    ),
    "a request moved next door": lambda house, other: update(
        ChangeRequest, ask_tidy(house.ana).pk, organization=other["account"].organization
    ),
    "another's Decision": lambda house, other: _decided(ask_tidy(house.ana), other["member"], other["member"].user),
    "a Decision for another person": lambda house, other: _decided(ask_tidy(house.ana), house.ben, house.cleo.user),
    "a bot of another's Account": lambda house, other: ServiceUser.objects.create(
        organization=house.organization,
        account=other["account"],
        name="stray",
        created_at=timezone.now(),
        changed_at=timezone.now(),
    ),
    "a key made next door": lambda house, other: update(ApiKey, house.bot().pk, made_by=other["member"]),
    "a key of another's bot": lambda house, other: update(ApiKey, house.bot().pk, service_user=other["bot"], slot=2),
    "a custodian from next door": lambda house, other: Custodian.objects.create(
        api_key=house.bot(), member=other["member"], since=timezone.now(), reason="made it"
    ),
}


def _asked_by_bot(house):
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    key = house.bot()
    return ask_send(house, key.service_user, api_key=key)


def _decided(change: ChangeRequest, member: Any, person: Any) -> Decision:
    return Decision.objects.create(
        change=change, member=member, person=person, approved=True, digest="", factor="", at=timezone.now()
    )


@pytest.mark.parametrize("write", ROWS.values(), ids=ROWS)
def test_the_database_keeps_a_row_within_its_organization(house, strangers, write):
    """AZ-3: a database rule holds it too, whatever goes around the forms."""
    with pytest.raises(IntegrityError, match="another Organization"), transaction.atomic():
        write(house, strangers)


def test_what_is_of_one_organization_is_written(house):
    """The same rules let through what belongs together, and counters beside them are not looked at."""
    change = _asked_by_bot(house)
    assert update(ChangeRequest, change.pk, account=house.account, subject_member=house.ben) == 1
    assert update(ApiKey, change.api_key_id or 0, last_nonce=7, made_by=house.ana) == 1
    second = Account.objects.create(organization=house.organization, name="Cold", created_at=timezone.now())
    Grant.objects.create(member=house.ana, workflow=Workflow.MANAGE_ADDRESSES, right=Right.VIEW, account=second)
    assert yes(ask_tidy(house.ana, "again"), house.ben).decisions.count() == 1
