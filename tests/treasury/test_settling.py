"""What became of money that was sent stands in the history, once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from portal.audit.models import AuditEvent
from portal.treasury.settlement import tell_settled
from portal.venues.paper.venue import PaperVenue
from portal.venues.registry import venue
from portal.venues.types import Stage
from tests.venues.conftest import together


def arrived():
    return AuditEvent.objects.filter(kind="withdrawal.arrived")


@pytest.mark.django_db
def test_the_history_says_when_it_arrived_and_under_which_transaction(
    client, ask, approve, owner, ben, cleo, sign_in, time_machine
):
    """fault pages-B15: `sent` was the last event, and nothing said when it arrived."""
    time_machine.move_to(timezone.now(), tick=False)
    change = approve(ask(), ben, cleo)
    waits = ask("0.5")
    assert tell_settled() == 0
    time_machine.shift(timedelta(seconds=11))
    assert tell_settled() == 1
    assert tell_settled() == 0
    event = arrived().get()
    row = venue(change.account.venue).withdrawal(change.withdrawal.reference)
    assert event.data["transaction"] == row.txid
    assert (event.actor_label, event.data["change"]) == ("portal", change.reference)
    assert event.subject_id != waits.withdrawal.pk
    sign_in(client, owner)
    text = client.get(reverse("dashboard:history")).content.decode()
    assert "saw the withdrawal" in text
    assert row.txid in text


@pytest.mark.django_db
def test_what_gets_nowhere_hides_nothing_that_arrived(ask, approve, ben, cleo, time_machine, monkeypatch):
    """Two that hang at their network must not keep the history from saying that a later one arrived."""
    monkeypatch.setattr("portal.treasury.settlement.AT_A_TIME", 2)
    time_machine.move_to(timezone.now(), tick=False)
    hang = [approve(ask("0.1"), ben, cleo).withdrawal.reference for _ in range(2)]
    last = approve(ask("0.2"), ben, cleo)
    look = PaperVenue.withdrawal

    def stuck(self, reference):
        row = look(self, reference)
        return replace(row, stage=Stage.PENDING) if reference in hang else row

    monkeypatch.setattr(PaperVenue, "withdrawal", stuck)
    time_machine.shift(timedelta(seconds=11))
    assert tell_settled() == 1
    assert arrived().get().subject_id == last.withdrawal.pk


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_it_once(ask, approve, ben, cleo, time_machine):
    """fault pages-B15"""
    time_machine.move_to(timezone.now(), tick=False)
    approve(ask(), ben, cleo)
    time_machine.shift(timedelta(seconds=11))
    assert sorted(map(str, together(tell_settled, tell_settled))) == ["0", "1"]
    assert arrived().count() == 1


@pytest.mark.django_db
def test_the_history_says_who_agreed_to_what_another_name_stands_before(ask, approve, ben, cleo, client, sign_in):
    """fault pages-B15: the bot asked, Ben and Cleo let it be sent; so on the page, and in the table for an auditor."""
    change = approve(ask(), ben, cleo)
    sign_in(client, ben)
    agreed = f"by request {change.number}, agreed to by {ben.label} and {cleo.label}"
    text = strip_tags(client.get(reverse("dashboard:history")).content.decode())
    assert agreed in " ".join(text.split())
    table = client.post(reverse("dashboard:export_history")).content.decode()
    sent = next(line for line in table.splitlines() if ",withdrawal.sent," in line)
    assert f"treasury-bot sent the withdrawal {change.withdrawal.reference}, {agreed}" in sent
