"""The red line on every page of whoever may view what is frozen (DESIGN §4)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.access import grant
from policies.models import Freeze, Grant
from policies.workflows import Right
from tests.policies.views.freezes.conftest import ACCESS, LIST, MONEY, WHY, frozen, text_of
from tests.routes import routes

pytestmark = pytest.mark.django_db


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
