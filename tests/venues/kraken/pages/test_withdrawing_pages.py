"""Withdrawing from an Account at a real exchange, by page, while it answers and while it does not."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.changes import decide
from portal.treasury.models import Address
from portal.treasury.withdrawals import request_withdrawal
from portal.venues.kraken.models import Connection, Purpose, Snapshot, Withdrawal
from portal.venues.kraken.models import Step as Steps
from portal.venues.kraken.reading import snapshots
from portal.venues.kraken.upstream import transport
from portal.venues.kraken.upstream.outcomes import AnswerLost
from tests.factories import people
from tests.venues.kraken.conftest import credential
from tests.venues.kraken.pages.test_account_pages import text


@pytest.fixture
def main(says, world, settings) -> Account:
    """The Account of the cast, with its book and its bots, at that exchange."""
    settings.EXCHANGES = [f"Test={says.exchange.url}"]
    account: Account = world.account
    Account.objects.filter(pk=account.pk).update(venue="kraken")
    account.refresh_from_db()
    Connection.objects.create(account=account, exchange="Test", connected_at=timezone.now())
    for purpose in Purpose:
        credential(account, purpose)
    for bot in world.bots.values():
        bot.service_user.account.refresh_from_db()
    says.say(
        WithdrawMethods=[{"asset": "XXBT", "method": "Bitcoin", "network": "Bitcoin", "minimum": "0.0004"}],
        WithdrawInfo={"method": "Bitcoin", "limit": "10", "amount": "1.2499", "fee": "0.0001"},
    )
    return account


def silent(says) -> None:
    for method in list(says.bodies):
        says.body(method, b"<html>502 Bad gateway</html>")


def ask(world, account):
    bot = world.bot("treasury-bot")
    values = {"actor": bot.service_user, "api_key": bot.key, "account": account, "key": "btc-cold", "asset": "XBT"}
    return request_withdrawal(**values, amount=Decimal("1.25"))


def draft(client, page: str) -> dict[str, object]:
    address = Address.objects.get(key="btc-cold", removed_at=None)
    return {"account": address.account_id, "address": address.pk, "amount": "1.25", "note": "payroll"}


def test_the_form_says_what_is_free_and_what_is_taken(browser, ana, says, main):
    client, page = browser(ana), reverse("treasury:new_withdrawal")
    typed = draft(client, page)
    shown = text(client.get(page, typed))
    assert "12 BTC" in shown
    preview = client.get(reverse("treasury:preview_withdrawal"), typed).content.decode()
    assert "0.0001 BTC" in preview


def test_the_form_bears_an_exchange_that_says_nothing(browser, ana, says, main):
    client, page = browser(ana), reverse("treasury:new_withdrawal")
    typed = draft(client, page)
    silent(says)
    assert client.get(page, typed).status_code == 200
    assert "exchange" in client.get(reverse("treasury:preview_withdrawal"), typed).content.decode()
    answer = client.post(f"{page}?account={main.pk}", typed)
    assert "exchange" in text(answer)
    assert "payroll" in answer.content.decode()
    assert not Withdrawal.objects.exists()


def test_a_review_goes_back_to_the_form_when_the_exchange_falls_silent(browser, ana, says, main):
    client, page = browser(ana), reverse("treasury:new_withdrawal")
    answer = client.post(f"{page}?account={main.pk}", draft(client, page))
    assert answer.status_code == 302, text(answer)
    assert client.get(answer["Location"]).status_code == 200
    silent(says)
    back = client.get(answer["Location"], follow=True)
    assert "exchange" in text(back)
    assert "payroll" in back.content.decode()


def test_a_request_shows_the_balance_as_it_is_known(browser, ben, says, main, world):
    change = ask(world, main)
    client, page = browser(ben), reverse("policies:request", args=[change.reference])
    shown = text(client.get(page))
    assert "12.5000000000" in shown.replace(",", "")
    assert "last known" not in shown
    silent(says)
    ago = timezone.now() - timedelta(hours=1)
    Snapshot.objects.filter(account=main).update(read_at=ago, tried_at=ago)
    shown = text(client.get(page))
    assert "Main, BTC, last known" in shown
    Snapshot.objects.filter(account=main).delete()
    shown = text(client.get(page))
    assert "Free to use" not in shown


def test_what_was_sent_shows_what_it_booked(browser, ben, cleo, says, main, world):
    change = ask(world, main)
    for member in (ben, cleo):
        proof = people.proof(change)
        change = decide(change.reference, member=member, approved=True, digest=change.digest, proof=proof)
    now = timezone.now()
    rows = Withdrawal.objects.filter(request=change.reference)
    rows.update(step=Steps.ACCEPTED, refid="FTQsent", status="Success", status_at=now, sent_at=now, accepted_at=now)
    type(change).objects.filter(pk=change.pk).update(state="executed", ended_at=now)
    moved = {
        "refid": "FTQsent", "time": now.timestamp(), "type": "withdrawal", "asset": "XXBT", "amount": "-1.2499",
        "fee": "0.0001", "balance": "11.25",
    }  # fmt: skip
    says.say(Ledgers={"ledger": {"LBBBBB-BBBBB-BBBBBB": moved}})
    client, page = browser(ben), reverse("policies:request", args=[change.reference])
    shown = text(client.get(page))
    assert "Balance when it was sent" in shown
    assert "11.2500000000" in shown
    # It stands among what moved, and leads to its own page.
    balances = client.get(reverse("treasury:account_balances", args=[main.pk])).content.decode()
    assert reverse("treasury:withdrawal", args=[change.withdrawal.reference]) in balances
    # What the newest page holds whole is not asked again for each request that is looked at.
    Snapshot.objects.filter(account=main).update(read_at=now + timedelta(seconds=30))
    before = len(says.asked("Ledgers"))
    assert "11.2500000000" in text(client.get(page))
    assert len(says.asked("Ledgers")) == before
    silent(says)
    Snapshot.objects.filter(account=main).delete()
    assert client.get(page).status_code == 200


def test_the_form_waits_no_longer_than_a_page_for_an_exchange_that_hangs(browser, ana, says, main, monkeypatch):
    """The ways out, what is free and what is taken are three questions; all of them have the time of one page."""
    client, page = browser(ana), reverse("treasury:preview_withdrawal")
    typed = draft(client, page)
    assert "0.0001 BTC" in client.get(page, typed).content.decode()
    ago = timezone.now() - timedelta(hours=1)
    Snapshot.objects.update(read_at=ago, tried_at=ago)
    monkeypatch.setattr(snapshots, "PAGE_SECONDS", 0.3)
    waits: list[float] = []

    def sending(*args, seconds, **given):
        waits.append(seconds)
        time.sleep(seconds)
        raise AnswerLost(transport.NO_ANSWER)

    monkeypatch.setattr(transport, "send", sending)
    assert client.get(page, typed).status_code == 200
    assert waits
    assert sum(waits) <= 0.3 + len(waits) * snapshots.LEAST_SECONDS
