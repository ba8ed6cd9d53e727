"""Withdrawals of a version before are told by what is known of them: when they ended, who asked and where they lead."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from policies.models import State
from policies.rules.language import MEMBER, SERVICE_USER, initiator_id
from portal.treasury.models import Withdrawal
from tests.treasury.measures.conftest import COLD

pytestmark = pytest.mark.django_db
FILL = import_module("portal.treasury.migrations.0004_old_withdrawals").fill


def test_old_rows_are_filled_from_their_requests(ask, approve, ben, cleo, ana, left, treasury_bot):
    sent, waits = approve(ask(), ben, cleo), ask(actor=ana, api_key=None)
    rejected = left(state=State.REJECTED).change
    Withdrawal.objects.update(
        sent_at=None, released_at=None, destination="", initiator="", value_hundredths=None
    )  # fmt: skip
    FILL(apps, connection.schema_editor)
    rows = {row.change_id: row for row in Withdrawal.objects.select_related("change")}
    bot = initiator_id(SERVICE_USER, treasury_bot.service_user.pk)
    told = {
        pk: (row.sent_at, row.released_at, row.destination, row.initiator, row.value_hundredths)
        for pk, row in rows.items()
    }
    assert told == {
        sent.pk: (rows[sent.pk].change.ended_at, None, COLD, bot, None),
        waits.pk: (None, None, COLD, initiator_id(MEMBER, ana.pk), None),
        rejected.pk: (None, rows[rejected.pk].change.ended_at, COLD, bot, None),
    }


def test_filling_again_changes_nothing(left):
    row = left()
    FILL(apps, connection.schema_editor)
    assert Withdrawal.objects.filter(
        pk=row.pk, sent_at=row.sent_at, destination=row.destination, initiator=row.initiator
    ).exists()
