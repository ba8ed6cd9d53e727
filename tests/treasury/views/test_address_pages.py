"""The book of addresses by page: what is asked, what is refused beside which field, and what the list says."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.access import grant
from policies.changes import propose
from policies.models import ChangeRequest, Grant, Policy, State
from policies.rules.language import Rule
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.treasury.models import Address
from portal.treasury.operations import AddAddress, add_address
from tests.factories.world import BTC_COLD, ETH_COLD
from tests.treasury.views.pages import errors, text

BOOK, NEW = "/addresses/", "/addresses/new/"
OTHER = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"
IBAN = "DE89370400440532013000"
BITCOIN, ETHER, SOLANA, EURO, DOLLAR = (
    "XXBT:Bitcoin", "XETH:Ether (Hex)", "SOL:Solana", "ZEUR:Bank transfer", "ZUSD:Bank transfer",
)  # fmt: skip


@pytest.fixture
def post(world, sign_in):
    """Post the form of one network, in a browser of its own."""

    def posted(member, way, account=None, **form):
        client = Client()
        sign_in(client, member)
        query = {"account": account or world.account.pk, "way": way}
        return client.post(NEW, {"key": "cold-2", "note": "", **form}, query_params=query)

    return posted


def nothing_was_written():
    return (
        not ChangeRequest.objects.filter(state=State.PENDING).exists()
        and not Address.objects.filter(key="cold-2").exists()
    )


def test_who_may_only_ask_asks_and_is_led_to_the_request(post, ana):
    answer = post(ana, BITCOIN, address=OTHER, note="second vault")

    change = ChangeRequest.objects.get(operation="treasury.add_address", state=State.PENDING)
    assert answer.url == reverse("policies:request", args=[change.reference])
    assert (change.params["address"], change.note) == (OTHER, "second vault")
    assert not Address.objects.filter(key="cold-2").exists()


def test_who_may_execute_adds_at_once_and_is_led_to_the_book(post, owner):
    assert post(owner, ETHER, address="0x" + "ab" * 20).url == BOOK
    assert Address.objects.get(key="cold-2").address == "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"


def test_whom_a_lock_binds_is_told_so_and_waits(post, owner, world, client, sign_in):
    """P4: a locked rule looks at how long an address has been known."""
    Policy.objects.filter(organization=world.organization, workflow="initiate_withdrawal").update(
        is_locked=True, rules=written_rules((Rule(approvals=2, younger_hours=24), Rule(approvals=1)))
    )
    sign_in(client, owner)
    assert "This will wait for 2 approvals." in text(client.get(NEW, {"account": world.account.pk, "way": BITCOIN}))
    post(owner, BITCOIN, address=OTHER)
    change = ChangeRequest.objects.get(operation="treasury.add_address", state=State.PENDING)
    assert change.approvals_required == 2
    assert not Address.objects.filter(key="cold-2").exists()


def test_bank_details_are_kept_as_banks_write_them(post, owner):
    post(owner, EURO, iban="de89 3704 0044 0532 0130 00", holder="Müller & Co", memo="INV 7")
    post(owner, DOLLAR, key="cold-3", bic="chasus33", account_number="000 123 456", holder="Demo, Inc.")

    assert list(Address.objects.filter(key__startswith="cold-").order_by("key").values_list("address", "memo")) == [
        (f"{IBAN}/Müller & Co", "INV 7"),
        ("CHASUS33/000123456/Demo, Inc.", ""),
    ]


@pytest.mark.parametrize(
    ("way", "form", "field", "said"),
    [
        (BITCOIN, {"address": BTC_COLD[:-1] + "p"}, "address", "checksum"),
        (BITCOIN, {"address": ETH_COLD}, "address", "on Ethereum, not on Bitcoin"),
        (BITCOIN, {"address": "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"}, "address", "test network"),
        (BITCOIN, {"address": OTHER[:9] + "\u202e" + OTHER[9:]}, "address", "invisible"),
        (BITCOIN, {"address": OTHER[:9] + "\u200b" + OTHER[9:]}, "address", "invisible"),
        (BITCOIN, {"address": OTHER + "\0"}, "address", "invisible"),
        (BITCOIN, {"address": "1" * 10_000}, "address", "at most 200"),
        (BITCOIN, {"address": "1" * 201}, "address", "at most 200"),
        (BITCOIN, {"address": ""}, "address", "required"),
        (BITCOIN, {"address": BTC_COLD}, "address", "already, as btc-cold"),
        (BITCOIN, {"address": OTHER, "key": "BTC-cold"}, "key", "already has an address called"),
        (BITCOIN, {"address": OTHER, "key": "btc-c0ld"}, "key", "called btc-cold, which looks like this"),
        (BITCOIN, {"address": OTHER, "key": "x" * 65}, "key", "at most 64"),
        (BITCOIN, {"address": OTHER, "key": "c\u043eld"}, "key", "1 to 64 letters"),
        (BITCOIN, {"address": OTHER, "key": "co\u202eld"}, "key", "invisible"),
        (BITCOIN, {"address": OTHER, "note": "x" * 501}, "note", "500"),
        (BITCOIN, {"address": OTHER, "note": "a\u202eb"}, "note", "U+202E"),
        (ETHER, {"address": ETH_COLD[:-1] + "8"}, "address", "checksum"),
        (SOLANA, {"address": "1" * 32}, "address", "Nobody"),
        (SOLANA, {"address": "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv", "memo": "x" * 101}, "memo", "100"),
        (EURO, {"iban": IBAN[:-1] + "1", "holder": "A"}, "iban", "not an IBAN"),
        (EURO, {"iban": "AE070331234567890123456", "holder": "A"}, "iban", "do not reach AE"),
        (EURO, {"iban": IBAN, "holder": "\u0410cme"}, "holder", "Latin"),
        (EURO, {"iban": IBAN, "holder": "x" * 71}, "holder", "at most 70"),
        (DOLLAR, {"bic": "CHASUS3", "account_number": "1234", "holder": "A"}, "bic", "8 or 11"),
        (DOLLAR, {"bic": "CHASUS33", "account_number": "GB34BUKB20201555555555", "holder": "A"}, "account_number",
         "not an IBAN"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_beside_its_field_and_nothing_typed_is_lost(way, form, field, said, post, ana):
    """IN-1: each boundary +1; and what hides, misleads or would lose the money."""
    answer = post(ana, way, **form)

    assert answer.status_code == 200
    assert said in " ".join(errors(answer)[field])
    assert nothing_was_written()
    kept = answer.context["form"]
    assert all(kept[name].value() == value for name, value in form.items())


def test_what_a_form_does_not_ask_for_is_ignored(post, ana, eve):
    """AZ-4: extra fields ignored."""
    post(ana, BITCOIN, address=OTHER, organization=eve.organization_id, added_by="Somebody", approvals_required="0")

    change = ChangeRequest.objects.get(operation="treasury.add_address", state=State.PENDING)
    assert (change.organization_id, change.approvals_required) == (ana.organization_id, 1)


def test_an_account_next_door_cannot_be_chosen(post, world, ana, eve):
    """AZ-3: post another organization's pk."""
    theirs = Account.objects.get(organization=eve.organization)

    answer = post(ana, BITCOIN, account=theirs.pk, address=OTHER)

    assert "account" in errors(answer)
    assert nothing_was_written()


@pytest.mark.parametrize("act", ["rename", "remove"])
def test_an_address_next_door_is_as_unknown_as_none(act, client, sign_in, ana):
    """AZ-2, AZ-3: foreign ids give 404 like unknown ids."""
    theirs = Address.objects.get(key="eve-cold")
    sign_in(client, ana)

    for pk in (theirs.pk, 10**12):
        assert client.get(f"/addresses/{pk}/{act}/").status_code == 404
        assert client.post(f"/addresses/{pk}/{act}/", {"key": "mine", "note": ""}).status_code == 404
    assert nothing_was_written()


def test_who_may_ask_in_one_account_asks_there_only(post, client, sign_in, world, ana):
    """AZ-2: a right on one Account opens that Account."""
    vault = Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())
    Grant.objects.filter(member=ana, workflow=Workflow.MANAGE_ADDRESSES).delete()
    grant(ana, Workflow.MANAGE_ADDRESSES, Right.INITIATE, vault)

    assert "account" in errors(post(ana, BITCOIN, address=OTHER))
    assert post(ana, BITCOIN, account=vault.pk, address=OTHER).status_code == 302
    sign_in(client, ana)
    assert client.get(f"/addresses/{Address.objects.get(key='btc-cold').pk}/rename/").status_code == 404


@pytest.mark.parametrize("path", [NEW, "/addresses/1/rename/", "/addresses/1/remove/"])
def test_who_may_not_ask_is_refused(path, client, sign_in, audit, ben):
    for member in (audit, ben):
        browser = Client()
        sign_in(browser, member)
        assert browser.get(path).status_code == 403
        assert browser.post(path).status_code == 403


def test_a_right_taken_between_looking_and_posting_counts(post, client, sign_in, ana, world):
    """AZ-5: remove grant between GET and POST."""
    sign_in(client, ana)
    query = {"account": world.account.pk, "way": BITCOIN}
    assert client.get(NEW, query).status_code == 200
    Grant.objects.filter(member=ana, workflow=Workflow.MANAGE_ADDRESSES).delete()

    assert client.post(NEW, {"key": "cold-2", "address": OTHER}, query_params=query).status_code == 403
    assert nothing_was_written()


def test_a_look_alike_has_to_be_meant(post, owner):
    twin = "0x5290" + "ab" * 17 + "e7"

    answer = post(owner, ETHER, address=twin)
    assert "This is not eth-cold of Main: it only begins and ends alike." in text(answer)
    assert "compared" in errors(answer)
    assert nothing_was_written()

    assert post(owner, ETHER, address=twin, compared="on").status_code == 302
    assert Address.objects.filter(key="cold-2").exists()


def test_a_stale_session_shows_a_factor_before_it_asks(post, client, sign_in, ana, world, code, time_machine):
    """SU-1: 5:01 later: asked again."""
    time_machine.move_to(timezone.now(), tick=False)
    sign_in(client, ana)
    time_machine.shift(301)
    query = {"account": world.account.pk, "way": BITCOIN}
    form = {"key": "cold-2", "address": OTHER}

    assert "code" in errors(client.post(NEW, form, query_params=query))
    assert nothing_was_written()
    assert client.post(NEW, {**form, "code": code(ana)}, query_params=query).status_code == 302


def test_renaming_and_removing_by_page(client, sign_in, owner, ana):
    address = Address.objects.get(key="btc-cold")
    sign_in(client, ana)
    page = client.get(f"/addresses/{address.pk}/rename/")
    assert BTC_COLD in text(page)
    asked = client.post(f"/addresses/{address.pk}/rename/", {"key": "btc-vault", "note": ""})
    change = ChangeRequest.objects.get(operation="treasury.rename_address")
    assert asked.url == reverse("policies:request", args=[change.reference])

    browser = Client()
    sign_in(browser, owner)
    assert "Rename address btc-cold to btc-vault" in text(browser.get(BOOK)), "what waits stands beside it"
    removed = browser.post(f"/addresses/{address.pk}/remove/", {"note": ""}, follow=True)
    assert "Remove address btc-cold: done." in text(removed)
    assert BTC_COLD not in text(removed)
    assert client.get(f"/addresses/{address.pk}/rename/").status_code == 404


def test_the_book_says_what_waits_to_be_added_and_how_often_money_went_where(
    client, sign_in, audit, ana, world, ask, approve, ben, cleo
):
    propose(add_address, actor=ana, params=AddAddress(world.account.pk, "cold-2", "BTC", "Bitcoin", OTHER))
    approve(ask(), ben, cleo)
    approve(ask("2"), ben, cleo)
    ask("3")
    sign_in(client, audit)

    page = text(client.get(BOOK))

    assert "Add BTC address cold-2" in page
    assert re.search(r"2 times\s+last just now", page)
    assert "never" in page
    assert "Rename" not in page


def test_how_often_is_said_only_to_who_may_view_withdrawals(client, sign_in, audit, ask, approve, ben, cleo):
    """AZ-7: counts filter by permission as lists do."""
    approve(ask(), ben, cleo)
    Grant.objects.filter(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL).delete()
    sign_in(client, audit)

    page = text(client.get(BOOK))

    assert "1 time" not in page
    assert "not yours to view" in page


def test_the_book_takes_as_many_queries_for_many_rows_as_for_one(client, sign_in, owner, ana, world):
    sign_in(client, owner)

    def queries() -> int:
        client.get(BOOK)
        with CaptureQueriesContext(connection) as captured:
            client.get(BOOK)
        return len(captured)

    propose(add_address, actor=ana, params=AddAddress(world.account.pk, "sol", "SOL", "Solana", SOL))
    before = queries()
    for number in range(19):
        Address.objects.create(
            organization=world.organization, account=world.account, key=f"cold-{number}", asset="XXBT",
            method="Bitcoin", network="Bitcoin", address=f"bc1q{number}", added_by="-", added_at=timezone.now(),
        )  # fmt: skip
    assert queries() == before


SOL = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"


def test_adding_is_recorded_with_all_of_it(post, owner):
    post(owner, EURO, iban=IBAN, holder="Müller & Co")

    event = AuditEvent.objects.get(kind="address.added", data__address=f"{IBAN}/Müller & Co")
    assert (event.actor_label, event.workflow) == ("Olive Marsh", "manage_addresses")
