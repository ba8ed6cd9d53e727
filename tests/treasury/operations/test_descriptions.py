import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.models import Account
from policies import registry
from policies.changes import cancel, propose
from portal.core import call_origin
from portal.treasury.destinations import canonical
from portal.treasury.models import Address
from portal.treasury.operations import (
    AddAddress,
    RemoveAddress,
    RenameAddress,
    add_address,
    remove_address,
    rename_address,
)
from tests.factories.world import BANK, BTC_COLD, ETH_COLD

SOLANA = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"
FIRST = "Nothing has been sent to this address before."


def described(change):
    return registry.get(change.operation).describe(change)


def facts(change):
    return {fact.label: text(fact.value) for fact in described(change).facts}


def text(value):
    """What a reader sees, paragraphs apart."""
    return re.sub(r"\s+", " ", strip_tags(re.sub(r"</p>|<br>", " ", str(value)))).strip()


def titles(change):
    return [notice.title for notice in described(change).notices]


def test_a_withdrawal_is_said_in_one_sentence(ask):
    sentence = strip_tags(described(ask()).sentence)

    assert sentence == "The bot treasury-bot asks to send 1.25 BTC from Main to the address btc-cold."


def test_all_that_matters_is_among_the_facts(ask):
    """CR-15: approver sees exactly what runs: full address, amounts with asset."""
    said = facts(ask())

    assert "network fee of at most 0.00005 BTC included; 1.24995 BTC or more arrives" in said["Amount"]
    assert f"btc-cold · Bitcoin · {len(BTC_COLD)} characters {BTC_COLD}" in said["To"]
    assert said["From"] == "Main"


def test_the_panel_repeats_what_is_agreed_to(ask):
    """SU-3: amount, asset, destination; the page adds who asks and the digest."""
    panel = {fact.label: text(fact.value) for fact in described(ask()).panel}

    assert panel["Withdraw"].endswith("1.25 BTC")
    assert panel["To"] == "btc-cold bc1q ar0s … wf5m dq"


def test_the_page_shows_who_asks_with_which_key_from_where_and_in_what_words(
    ask, client, sign_in, ben, owner, treasury_bot
):
    """CR-15: the initiator's note escaped and marked as theirs."""
    with call_origin.origin(source="203.0.113.24"):
        change = ask(note="weekly sweep <b>47</b>")
    sign_in(client, ben)

    page = client.get(reverse("policies:request", args=[change.reference])).content.decode()

    said = text(page)
    assert "weekly sweep &lt;b&gt;47&lt;/b&gt; written by the bot, not checked" in said
    assert re.search(f"Key {treasury_bot.key.short}, made by {owner.label} · from 203.0.113.24", said)
    assert "asks to send 1.25 BTC from Main to the address btc-cold" in said
    assert FIRST in said
    assert BTC_COLD in said


def test_figures_show_the_balance_before_and_after(ask):
    figures = {figure.label: (figure.now, figure.after) for figure in described(ask()).figures}

    assert figures == {
        "Balance": ("12.4000000000", "11.1500000000"),
        "On hold for this request": ("1.2500000000", "0.0000000000"),
        "Free to use": ("11.1500000000", "11.1500000000"),
    }


def test_after_the_end_there_is_no_before_and_after(ask, approve, ben, cleo, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    change = approve(ask(), ben, cleo)
    time_machine.shift(10)

    said = facts(change)
    assert described(change).figures == ()
    assert described(change).notices == ()
    assert said["At the network"] == "Success"
    assert re.fullmatch(r"[0-9a-f]{64}", said["Transaction"])


def test_the_first_use_of_an_address_is_marked_until_something_was_sent_there(ask, approve, ben, cleo, owner):
    first = ask()
    (notice,) = described(first).notices
    assert notice.title == FIRST
    added = Address.objects.get(key="btc-cold").added_at
    assert notice.text.startswith(f"It was added on {added.day} {added:%b %Y} by Olive Marsh.")

    approve(first, ben, cleo)

    assert FIRST not in titles(ask("2"))


def test_what_was_given_back_does_not_count_as_sent(ask, owner):
    cancel(ask().reference, actor=owner)

    assert FIRST in titles(ask("2"))


def test_a_like_withdrawal_within_a_day_is_marked(ask, time_machine):
    """AP-14: a second like withdrawal within 24 h is marked on the request page."""
    time_machine.move_to(timezone.now(), tick=False)
    first = ask()
    assert not any("same amount" in title for title in titles(first))
    time_machine.shift(timedelta(hours=23, minutes=59))

    second = ask()

    assert "treasury-bot asked for the same amount to the same address within 24 hours." in titles(second)
    assert any(f"request {first.number} (pending)" in strip_tags(notice.text) for notice in described(second).notices)
    assert any("same amount" in title for title in titles(first)), "and so is the first"
    # fault pages-C11: it is a link, and not a number to look for.
    assert any(f"/requests/{first.reference}/" in notice.text for notice in described(second).notices)


@pytest.mark.parametrize("other", [{"amount": "1.26"}, {"key": "eth-cold", "asset": "ETH"}, {"hours": 24}])
def test_an_unlike_withdrawal_is_not_marked(other, ask, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    ask()
    time_machine.shift(timedelta(hours=other.pop("hours", 1)))

    assert not any("same amount" in title for title in titles(ask(**other)))


def test_another_bots_like_withdrawal_is_not_marked(ask, ana):
    ask()

    assert not any("same amount" in title for title in titles(ask(actor=ana, api_key=None)))


def test_adding_and_removing_an_address_show_all_of_it(world, ana):
    params = AddAddress(world.account.pk, "cold-2", "SOL", "Solana", SOLANA, memo="7")
    change = propose(add_address, actor=ana, params=params)
    said = facts(change)
    assert strip_tags(described(change).sentence) == (
        "Ana Ruiz asks that Main may send SOL to a new address, called cold-2."
    )
    assert SOLANA in said["Address"]
    assert "Memo 7" in said["Address"]
    assert titles(change) == ["Money sent there cannot be called back."]

    address = Address.objects.get(key="btc-cold")
    removal = propose(remove_address, actor=ana, params=RemoveAddress(world.account.pk, address.pk, address.key))
    assert BTC_COLD in facts(removal)["Address"]
    assert "asks to remove the address btc-cold of Main" in strip_tags(described(removal).sentence)


def test_a_look_alike_is_marked_for_who_approves_it_and_for_who_sends_there(world, ana, owner, ask):
    twin = canonical("Ethereum", ETH_COLD[:6].lower() + "ab" * 17 + ETH_COLD[-2:].lower())
    params = AddAddress(world.account.pk, "eth-new", "ETH", "Ether (Hex)", twin)
    alike = "This is not eth-cold of Main: it only begins and ends alike."

    assert alike in titles(propose(add_address, actor=ana, params=params))

    propose(add_address, actor=owner, params=params)
    assert alike in titles(ask(key="eth-new", asset="ETH"))
    assert "This is not eth-new of Main: it only begins and ends alike." in titles(ask(key="eth-cold", asset="ETH"))
    assert not any("alike" in title for title in titles(ask()))


def test_an_address_known_in_another_account_and_a_name_used_before_are_said(world, ana, owner):
    vault = Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())
    change = propose(add_address, actor=ana, params=AddAddress(vault.pk, "v", "BTC", "Bitcoin", BTC_COLD))
    assert "It is the same address as btc-cold of Main." in titles(change)

    old = Address.objects.get(key="btc-cold", account=world.account)
    propose(remove_address, actor=owner, params=RemoveAddress(world.account.pk, old.pk, "btc-cold"))
    other = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"
    params = AddAddress(world.account.pk, "btc-cold", "BTC", "Bitcoin", other)
    assert "The name btc-cold stood for another address before." in titles(
        propose(add_address, actor=ana, params=params)
    )


def test_renaming_shows_before_and_after(world, ana):
    bank = Address.objects.get(key="usd-bank")
    params = RenameAddress(world.account.pk, bank.pk, "usd-bank", "usd-payroll")

    change = propose(rename_address, actor=ana, params=params)

    said = described(change)
    assert strip_tags(said.sentence).startswith("Ana Ruiz asks to rename the address usd-bank of Main to usd-payroll.")
    assert [(row.before, row.after) for row in said.changes] == [("usd-bank", "usd-payroll")]
    bic, account, holder = BANK.split("/")
    assert f"BIC {bic}" in facts(change)["Address"]
    assert f"Account {account}" in facts(change)["Address"]
    assert f"Holder {holder}" in facts(change)["Address"]
    assert "Bots that ask for the old name are refused afterwards." in titles(change)


def test_amounts_are_grouped_wherever_a_request_says_them(ask, world):
    """fault pages-B1: `48200 USD` in the sentence, where every list says 48,200."""
    change = ask("48200", key="usd-bank", asset="USD")
    said = described(change)
    words = strip_tags(said.sentence) + " ".join(strip_tags(fact.value) for fact in said.facts)
    assert "asks to send 48,200 USD from" in words
    assert re.search(r"48,1[0-9]{2}(\.[0-9]+)? USD or more arrives", words)
    for figure in said.figures:
        for shown in (figure.now, figure.after):
            assert not re.search(r"[0-9]{4,}(?=\.)", shown), shown


def test_what_was_executed_keeps_what_was_before_and_after(ask, approve, ben, cleo, client, sign_in):
    """fault pages-C13: in the page, which is also the print."""
    (now, *_) = described(change := ask("1.25")).figures
    figures = described(change := approve(change, ben, cleo)).figures
    assert [(one.label, one.now, one.after) for one in figures] == [("Balance when it was sent", now.now, now.after)]
    sign_in(client, ben)
    text = client.get(reverse("policies:request", args=[change.reference])).content.decode()
    assert "Before and after" in text
    assert f'data-label="Before">{now.now}' in text
    assert 'data-label="Now"' not in text


def test_what_was_rejected_moved_no_balance(ask, ben):
    """fault pages-C13"""
    change = ask("1.25")
    cancelled = cancel(change.reference, actor=change.initiator, reason="A mistake.")
    assert described(cancelled).figures == ()
