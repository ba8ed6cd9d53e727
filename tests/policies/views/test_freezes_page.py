"""The pages of freezes, the red line on every other, and what is said where something is frozen (DESIGN §4)."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.access import grant
from policies.freezes.freeze import freeze
from policies.freezes.places import Place
from policies.models import ChangeRequest, Freeze, Grant, State
from policies.workflows import Right, Workflow
from portal.treasury.models import Address
from tests.policies.conftest import ask_tidy
from tests.routes import routes

pytestmark = pytest.mark.django_db
LIST, NEW = "/policies/freezes/", "/policies/freezes/new/"
ACCESS, MONEY = Workflow.MANAGE_ACCESS, Workflow.INITIATE_WITHDRAWAL
WHY = "A laptop is gone."


def text_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def frozen(member, workflow=ACCESS, account=None, hours=5) -> Freeze:
    place = Place(workflow, account.pk, account.name) if account else Place(workflow)
    return freeze(actor=member, place=place, hours=hours, reason=WHY)


@pytest.fixture
def reader(sign_in):
    """A browser of its own for each."""

    def of(member) -> Client:
        client = Client()
        sign_in(client, member)
        return client

    return of


def typed(**fields) -> dict[str, str]:
    return {"where": "manage_access", "address": "", "hours": "72", "reason": WHY, **fields}


def test_freezing_by_the_form(reader, ana, code):
    answer = reader(ana).post(NEW, typed(hours="3"), follow=True)
    assert answer.redirect_chain[0][0] == LIST
    made = Freeze.objects.get()
    assert (made.label, made.made_by, made.reason) == ("Manage Access", ana, WHY)
    assert made.ends_at - made.started_at == timedelta(hours=3)
    assert "Manage Access is frozen." in text_of(answer)


def test_freezing_asks_for_a_second_factor_that_was_shown_lately(reader, ana, code, time_machine):
    client = reader(ana)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    assert "Authentication code" in text_of(client.get(NEW))
    client.post(NEW, typed())
    assert not Freeze.objects.exists()
    client.post(NEW, typed(code=code(ana)))
    assert Freeze.objects.exists()


def test_a_link_has_chosen_what_is_frozen(reader, ana, world):
    account = world.account.pk
    page = reader(ana).get(f"{NEW}?where=initiate_withdrawal:{account}&address=btc-cold").content.decode()
    assert re.search(rf'value="initiate_withdrawal:{account}"\s+selected', page)
    assert 'value="btc-cold"' in page


def test_one_address_is_frozen_by_its_name(reader, ana, world):
    reader(ana).post(NEW, typed(where=f"initiate_withdrawal:{world.account.pk}", address="BTC-cold"))
    made = Freeze.objects.get()
    assert (made.label, made.account, len(made.destination)) == (
        "Initiate Withdrawal from Main to BTC-cold", world.account, 64,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"where": ""}, "where", "Choose what is frozen."),
        ({"where": "manage_time"}, "where", "manage_time"),
        ({"where": "initiate_withdrawal:999999"}, "where", "999999"),
        ({"hours": "73"}, "hours", "72"),
        ({"hours": "0"}, "hours", "1"),
        ({"hours": "many"}, "hours", "whole number"),
        ({"reason": ""}, "reason", "Say why"),
        ({"reason": "a" * 201}, "reason", "200"),
        ({"reason": "un\u202eseen"}, "reason", "invisible"),
        ({"where": "manage_access", "address": "btc-cold"}, "address", "from one Account"),
        ({"address": "a" * 65}, "address", "64"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_lost(reader, ana, fields, field, said):
    answer = reader(ana).post(NEW, typed(**fields))
    form = answer.context["form"]
    assert said in " ".join(form.errors[field]), form.errors
    assert not Freeze.objects.exists()
    if field != "reason":
        assert WHY in answer.content.decode()


def test_an_address_that_the_book_does_not_have_spends_no_code(reader, ana, world, code, time_machine):
    client = reader(ana)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    where, now = f"initiate_withdrawal:{world.account.pk}", code(ana)
    answer = client.post(NEW, typed(where=where, address="nowhere", code=now))
    assert answer.context["form"].errors["address"] == ["Main has no address of that name."]
    client.post(NEW, typed(where=where, address="btc-cold", code=now))
    assert Freeze.objects.exists()


def test_a_second_one_of_the_same_member_is_refused_with_the_reason(reader, ana):
    frozen(ana)
    answer = reader(ana).post(NEW, typed(where="manage_policies"))
    assert "nobody has two at a time" in text_of(answer)
    assert Freeze.objects.count() == 1


@pytest.mark.parametrize("name", ["ben", "audit"])
def test_without_initiate_there_is_no_form(reader, world, name):
    client = reader(world.members[name])
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, typed()).status_code == 403
    assert not Freeze.objects.exists()
    assert "Freezing takes Initiate on a workflow." in text_of(client.get(LIST))


def test_only_what_one_may_ask_for_is_offered(reader, audit, world):
    grant(audit, MONEY, Right.INITIATE, world.account)
    client = reader(audit)
    choices = dict(client.get(NEW).context["form"].fields["where"].choices)
    assert choices == {"": "Choose", f"initiate_withdrawal:{world.account.pk}": "Initiate Withdrawal from Main"}
    answer = client.post(NEW, typed(where="initiate_withdrawal"))
    assert "where" in answer.context["form"].errors


def test_the_list_shows_what_runs_with_who_why_and_until_when_and_what_has_ended(reader, ana, owner, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    frozen(ana, hours=1)
    lifted = frozen(owner, Workflow.MANAGE_POLICIES)
    Freeze.objects.filter(pk=lifted.pk).update(ended_at=now, ended_by="Ben Okafor")
    text = text_of(reader(ana).get(LIST))
    assert "Manage Access By" in text
    assert WHY in text
    assert "lifted by a request of Ben Okafor" in text
    places = [text.index(words) for words in ("Frozen now", "Manage Access By", "Ended", "lifted by a request")]
    assert places == sorted(places)
    time_machine.move_to(now + timedelta(hours=1), tick=False)
    text = text_of(reader(ana).get(LIST))
    assert "Nothing is frozen." in text
    assert "by itself" in text


def test_lifting_and_freezing_for_longer_are_asked_on_their_pages(reader, ana, world):
    made = frozen(world.members["owner"])
    client = reader(ana)
    page = text_of(client.get(f"{LIST}{made.pk}/lift/"))
    assert "Lift the freeze of Manage Access" in page
    assert "This will wait for 1 approval." in page
    for road, fields in (("lift", {"note": "It is found."}), ("longer", {"hours": "100", "note": "Not yet."})):
        answer = client.post(f"{LIST}{made.pk}/{road}/", fields)
        change = ChangeRequest.objects.latest("pk")
        assert answer.url == reverse("policies:request", args=[change.reference])
        assert (change.state, change.note, change.subject) == (State.PENDING, fields["note"], f"freeze:{made.pk}")
    listed = text_of(client.get(LIST))
    assert "Lift the freeze of Manage Access waits as request" in listed
    assert "Freeze Manage Access for longer waits as request" in listed


@pytest.mark.parametrize("hours", ["0", "721", "4", "x"])
def test_longer_is_refused_beside_the_hours(reader, ana, world, hours):
    made = frozen(world.members["owner"])
    answer = reader(ana).post(f"{LIST}{made.pk}/longer/", {"hours": hours, "note": "Not yet."})
    assert answer.context["form"].errors["hours"]
    assert "Not yet." in answer.content.decode()
    assert not ChangeRequest.objects.filter(subject=f"freeze:{made.pk}").exists()


def test_who_approves_lifts_and_who_views_does_neither(reader, ben, audit, ana):
    made = frozen(ana)
    client = reader(ben)
    assert client.get(f"{LIST}{made.pk}/lift/").status_code == 200
    assert client.get(f"{LIST}{made.pk}/longer/").status_code == 404
    client = reader(audit)
    for road in ("lift", "longer"):
        assert client.get(f"{LIST}{made.pk}/{road}/").status_code == 404
        assert client.post(f"{LIST}{made.pk}/{road}/", {"hours": "100"}).status_code == 404
    assert f"{LIST}{made.pk}/lift/" not in client.get(LIST).content.decode()


def test_what_has_ended_has_no_pages_any_more(reader, ana):
    made = frozen(ana)
    Freeze.objects.filter(pk=made.pk).update(ended_at=timezone.now())
    for road in ("lift", "longer"):
        assert reader(ana).get(f"{LIST}{made.pk}/{road}/").status_code == 404


@pytest.mark.parametrize(
    ("workflow", "account", "rights", "sees"),
    [
        (ACCESS, None, [(ACCESS, Right.VIEW, None)], True),
        (ACCESS, None, [(MONEY, Right.EXECUTE, None)], False),
        (MONEY, None, [(MONEY, Right.VIEW, "Main")], True),
        (MONEY, "Main", [(MONEY, Right.APPROVE, None)], True),
        (MONEY, "Main", [(MONEY, Right.VIEW, "Cold")], False),
        (MONEY, "Main", [(ACCESS, Right.EXECUTE, None)], False),
    ],
)
def test_who_may_view_there_sees_it_on_every_page(workflow, account, rights, sees, reader, world, ana):
    named = {None: None, "Main": world.account}
    named["Cold"] = Account.objects.create(organization=world.organization, name="Cold", created_at=timezone.now())
    frozen(ana, workflow, named[account])
    member = world.members["audit"]
    Grant.objects.filter(member=member).delete()
    for each, right, where in rights:
        grant(member, each, right, named[where])
    client = reader(member)
    for page in ("policies:inbox", "accounts:profile", "dashboard:history", "policies:freezes"):
        assert (WHY in client.get(reverse(page)).content.decode()) is sees, page


def test_every_page_has_the_line_for_no_statement_more(reader, owner, ana):
    client = reader(owner)
    pages = [reverse("policies:inbox"), reverse("accounts:profile"), reverse("policies:policies")]

    def counted() -> dict[str, int]:
        found = {}
        for page in pages:
            with CaptureQueriesContext(connection) as statements:
                client.get(page)
            found[page] = len(statements)
        return found

    counted()
    before = counted()
    frozen(ana)
    assert counted() == before
    for page in pages:
        text = text_of(client.get(page))
        assert "Manage Access is frozen until" in text, page
        assert "Nothing is asked, approved or carried out there." in text


def test_no_page_of_the_organization_is_without_it(reader, owner, ana):
    frozen(ana)
    client = reader(owner)
    without = []
    for route in routes():
        if route.parameters or route.name in {"policies:freezes", "accounts:sign_out"}:
            continue
        answer = client.get(reverse(route.name))
        page = answer.content.decode() if not answer.streaming and answer.status_code == 200 else ""
        if 'class="rail"' in page and WHY not in page:
            without.append(route.name)
    assert without == []


def test_the_line_goes_with_the_freeze(reader, owner, ana, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    frozen(ana, hours=1)
    client = reader(owner)
    time_machine.move_to(now + timedelta(hours=1), tick=False)
    assert WHY not in client.get(reverse("accounts:profile")).content.decode()


def test_the_list_makes_as_many_statements_for_many(reader, owner, ana, world):
    client = reader(owner)

    def counted() -> int:
        with CaptureQueriesContext(connection) as statements:
            client.get(LIST)
        return len(statements)

    def add(number, **more):
        now = timezone.now()
        Freeze.objects.bulk_create(
            Freeze(
                organization=world.organization, workflow="manage_access", label=f"Number {place}", made_by=ana,
                reason=WHY, started_at=now, ends_at=now + timedelta(hours=1), extended_at=now, **more,
            )
            for place in range(number)
        )  # fmt: skip

    add(1)
    add(1, ended_at=timezone.now())
    counted()
    few = counted()
    add(30)
    add(60, ended_at=timezone.now())
    assert counted() == few
    page = client.get(LIST)
    assert len(page.context["page"].rows) == 20
    rest = client.get(f"{LIST}?after={page.context['page'].next}")
    assert len(rest.context["page"].rows) == 20
    assert not {row.pk for row in rest.context["page"].rows} & {row.pk for row in page.context["page"].rows}


def test_where_something_is_frozen_the_request_says_so_and_approve_is_disabled(reader, ana, ben, owner):
    change = ask_tidy(ana)
    frozen(owner)
    client = reader(ben)
    page = client.get(reverse("policies:request", args=[change.reference])).content.decode()
    assert "Nobody can approve this meanwhile." in page
    assert re.search(r"<button[^>]*disabled[^>]*>Approve</button>", page)
    assert not re.search(r'value="approve"[^>]*>Approve</button>', page)
    assert re.search(r'value="reject"[^>]*>Reject</button>', page)
    client.post(
        reverse("policies:decide", args=[change.reference]),
        {"digest": change.digest, "decision": "reject", "reason": "Not now."},
    )
    change.refresh_from_db()
    assert change.state == State.REJECTED


def test_an_approval_that_is_posted_all_the_same_is_refused_with_the_reason(reader, ana, ben, owner):
    change = ask_tidy(ana)
    client = reader(ben)
    frozen(owner)
    answer = client.post(
        reverse("policies:decide", args=[change.reference]),
        {"digest": change.digest, "decision": "approve", "reason": ""},
        follow=True,
    )
    assert "is frozen until" in text_of(answer)
    change.refresh_from_db()
    assert (change.state, change.decisions.count()) == (State.PENDING, 0)


def test_the_inbox_says_what_is_frozen_and_decides_none_of_it_together(reader, ana, ben, owner):
    change = ask_tidy(ana)
    frozen(owner)
    client = reader(ben)
    assert "nobody can approve it meanwhile" in text_of(client.get(reverse("policies:inbox")))
    chosen = {"change": change.reference, "decision": "approve"}
    assert "Nobody can approve this now." in text_of(client.get(reverse("policies:batch"), chosen))


def test_what_is_asked_on_a_page_while_it_is_frozen_is_refused_with_the_reason(reader, ana, owner, world):
    frozen(owner)
    answer = reader(ana).post(reverse("accounts:new_account"), {"name": "Reserve", "note": ""})
    assert "Manage Access is frozen until" in text_of(answer)
    assert "Reserve" in answer.content.decode()
    assert not ChangeRequest.objects.filter(operation="accounts.add_account").exists()


def test_a_form_says_beforehand_that_it_is_frozen(reader, ana, owner, world):
    frozen(owner, MONEY, world.account)
    client = reader(ana)
    page = reverse("treasury:rename_address", args=[Address.objects.get(key="btc-cold").pk])
    told = client.get(page)
    assert "This is frozen now" not in text_of(told)
    frozen(ana, Workflow.MANAGE_ADDRESSES)
    told = client.get(page)
    assert "This is frozen now, and cannot be asked." in text_of(told)
    assert "Manage Addresses is frozen until" in text_of(told)


@pytest.mark.parametrize("page", ["policies:policies", "treasury:addresses", "treasury:balances"])
def test_where_one_may_freeze_there_is_a_link(reader, ana, page):
    assert f"{NEW}?where=" in reader(ana).get(reverse(page)).content.decode()


@pytest.mark.parametrize("page", ["policies:policies", "treasury:addresses", "treasury:balances"])
def test_where_one_may_not_there_is_none(reader, audit, page):
    assert f"{NEW}?where=" not in reader(audit).get(reverse(page)).content.decode()


def test_the_page_of_an_account_leads_there(reader, ana, audit, world):
    page = reverse("kraken:account", args=[world.account.pk])
    assert f"{NEW}?where=initiate_withdrawal:{world.account.pk}" in reader(ana).get(page).content.decode()
    assert NEW not in reader(audit).get(page).content.decode()
