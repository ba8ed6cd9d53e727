"""Freezing in the small house."""

import pytest
import time_machine
from django.utils import timezone

from policies.changes import propose
from policies.freezes.freeze import MOST_HOURS, freeze
from policies.freezes.governed import LIFT, LONGER, FreezeLonger, LiftFreeze
from policies.freezes.places import Place
from policies.models import Freeze
from policies.workflows import Workflow

ACCESS = Workflow.MANAGE_ACCESS
MONEY = Workflow.INITIATE_WITHDRAWAL
WHY = "Ben's laptop is gone."


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def frozen(member, workflow=ACCESS, account=None, *, hours=MOST_HOURS, reason=WHY, destination="") -> Freeze:
    place = Place(
        workflow, account.pk if account else None, account.name if account else "", destination,
        "cold" if destination else "",
    )  # fmt: skip
    return freeze(actor=member, place=place, hours=hours, reason=reason)


def ask_lifting(member, freeze, **more):
    params = LiftFreeze(freeze.pk, freeze.label, freeze.account_id)
    return propose(LIFT[Workflow(freeze.workflow)], actor=member, params=params, **more)


def ask_longer(member, freeze, until):
    params = FreezeLonger(freeze.pk, freeze.label, freeze.account_id, until)
    return propose(LONGER[Workflow(freeze.workflow)], actor=member, params=params)
