"""What became of an address after a withdrawal to it was asked: it is said, and a removed one gets nothing."""

from functools import partial
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from policies.changes import cancel, decide, propose
from policies.models import ChangeRequest, Decision, State
from policies.notifications.mail import _words
from policies.views.descriptions import described
from portal.core.errors import Refused
from portal.treasury.models import Address
from portal.treasury.operations import (
    AddAddress,
    RemoveAddress,
    RenameAddress,
    add_address,
    remove_address,
    rename_address,
)
from tests.factories.world import BTC_COLD
from tests.venues.conftest import together

OTHER = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"


@pytest.fixture
def book(world, owner):
    """What the Owner does to the book at once."""

    class Book:
        def row(self):
            return Address.objects.get(key="btc-cold", account=world.account, removed_at=None)

        def remove(self):
            row = self.row()
            return propose(remove_address, actor=owner, params=RemoveAddress(row.account_id, row.pk, row.key))

        def rename(self, to):
            row = self.row()
            return propose(rename_address, actor=owner, params=RenameAddress(row.account_id, row.pk, row.key, to))

        def add(self, address, key="btc-cold"):
            return propose(
                add_address, actor=owner, params=AddAddress(world.account.pk, key, "BTC", "Bitcoin", address)
            )

    return Book()


def said(change):
    change.refresh_from_db()
    description = described(change)
    assert description is not None
    return [(notice.level, notice.title) for notice in description.notices]


@pytest.mark.django_db
def test_nobody_approves_what_goes_to_a_removed_address(ask, approve, book, ben, cleo, fresh, standing):
    """fault security-M5, attack 20: it was approved and sent, and nobody was told."""
    change = approve(ask(), ben)
    had, held = standing()
    book.remove()
    with pytest.raises(Refused, match="btc-cold was removed from the address book"):
        approve(change, cleo)
    assert Decision.objects.count() == 1
    (level, title) = said(change)[0]
    assert level == "stop"
    assert title.startswith("btc-cold was removed from the address book on ")
    beware: Any = _words(change, ben, {})["beware"]
    assert any("was removed from the address book" in line for line in beware)
    # The hold is given back by whoever takes it back, or says no.
    cancel(change.reference, actor=change.service_user)
    assert standing() == (had + held, 0)


@pytest.mark.django_db
def test_it_can_be_rejected_meanwhile(ask, book, ben, fresh):
    """fault security-M5"""
    change = ask()
    book.remove()
    yes = partial(decide, change.reference, member=ben, digest=change.digest, proof=fresh(change))
    assert yes(approved=False, reason="The address is compromised.").state == State.REJECTED


@pytest.mark.django_db
def test_the_page_says_why_it_cannot_be_approved(client, ask, book, ben, sign_in):
    """fault security-M5"""
    change = ask()
    book.remove()
    sign_in(client, ben)
    text = client.get(reverse("policies:request", args=[change.reference])).content.decode()
    assert text.count("was removed from the address book") >= 2
    assert 'disabled aria-describedby="barred"' in " ".join(text.split())


@pytest.mark.django_db
def test_an_address_that_comes_back_can_be_approved_again(ask, approve, book, ben, cleo):
    change = ask()
    book.remove()
    book.add(BTC_COLD)
    assert not any(level == "stop" for level, _ in said(change))
    assert approve(change, ben, cleo).state == State.EXECUTED


@pytest.mark.django_db
def test_what_a_name_stands_for_by_now_is_said(ask, approve, book, ben, cleo):
    """fault security-M5: renamed, and the name given to another address, which somebody has to agree to (P2)."""
    change = ask()
    book.rename("btc-vault")
    assert ("wait", "The address is called btc-vault now, and not btc-cold any more.") in said(change)
    again = book.add(OTHER)
    assert again.state == State.PENDING
    assert not any("stands for another" in title for _, title in said(change))
    assert approve(again, ben).state == State.EXECUTED
    assert ("wait", "The name btc-cold stands for another address by now.") in said(change)
    assert approve(change, ben, cleo).state == State.EXECUTED


@pytest.mark.django_db
def test_a_run_after_the_removal_sends_nothing(ask, approve, book, ben, cleo, monkeypatch, standing):
    """fault security-M5: also where the approvals were complete before, and nothing was sent yet."""
    change = approve(ask(), ben)
    had, held = standing()
    # As if the row had been taken out between the look at the Decision and the run.
    monkeypatch.setattr("policies.changes.case.Case.barred", lambda _case: "")
    Address.objects.filter(key="btc-cold").update(removed_at=timezone.now())
    change = approve(change, cleo)
    assert change.state == State.FAILED
    assert "Nothing was sent" in change.reason
    assert standing() == (had + held, 0)


@pytest.mark.django_db
def test_whoever_removes_an_address_reads_what_waits_for_it(client, ask, book, owner, ana, world, sign_in):
    """fault security-M5"""
    first, second = ask(), ask("0.5")
    sign_in(client, owner)
    text = client.get(reverse("treasury:remove_address", args=[book.row().pk])).content.decode()
    assert "2 withdrawals to this address wait." in text
    assert f"request {first.number} and request {second.number}" in text
    row = book.row()
    removal = propose(remove_address, actor=ana, params=RemoveAddress(world.account.pk, row.pk, row.key))
    assert ("wait", "2 withdrawals to this address wait.") in said(removal)


@pytest.mark.django_db
def test_a_name_that_changed_since_is_said(client, ask, ana, ben, world, sign_in):
    """fault security-M5, a brother: whoever asked is called something else by now."""
    change = ask(actor=ana, api_key=None)
    sign_in(client, ben)
    path = reverse("policies:request", args=[change.reference])
    assert "called" not in client.get(path).content.decode().partition("Asked by")[2][:900]
    ana.user.name = "Ana Ruiz-Keller"
    ana.user.save()
    assert "called Ana Ruiz-Keller now" in client.get(path).content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_last_approval_beside_the_removal_sends_before_it_or_not_at_all(ask, approve, book, ben, cleo, fresh):
    """fault security-M5: whichever comes first, nothing leaves after the removal."""
    change = approve(ask(), ben)
    yes = partial(decide, change.reference, member=cleo, approved=True, digest=change.digest, proof=fresh(change))
    decided, removed = together(yes, book.remove)
    assert isinstance(removed, ChangeRequest)
    assert removed.state == State.EXECUTED
    change.refresh_from_db()
    assert (change.state == State.EXECUTED) != isinstance(decided, Refused), decided
