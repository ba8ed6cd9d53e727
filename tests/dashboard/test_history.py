"""The history page."""

import re

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from policies.models import ChangeRequest, Grant
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import record
from portal.core.actors import Outsider
from portal.dashboard.history.filters import actors_for

URL = "/history/"


@pytest.fixture
def remember(world):
    """Record events of the Organization, or of another one."""

    def remembered(kind, *, count=1, organization=world.organization, label="somebody", **data):
        with transaction.atomic():
            for _ in range(count):
                record(kind, actor=Outsider("stranger", label, organization.pk), **data)

    return remembered


def shown(client, query=""):
    return client.get(URL + query).content.decode()


def rows(text):
    return text.count('<li class="row">')


def test_a_stranger_is_led_to_the_sign_in(client, db):
    assert client.get(URL).url.startswith(reverse("accounts:sign_in"))


def test_events_of_what_one_may_not_view_are_not_there(client, audit, sign_in, remember):
    """AU-7: events are readable by who may View their workflow."""
    remember(EventKind.POLICY_REMOVED, label="one")
    remember(EventKind.SIGN_IN_FAILED, label="two")
    sign_in(client, audit)
    assert "one" in shown(client)
    audit.grants.exclude(workflow=Workflow.MANAGE_ACCESS).delete()
    text = shown(client)
    assert "failed to sign in" in text
    assert "removed the policy" not in text
    assert "configured the policy" not in text


def test_sign_ins_are_read_by_those_who_view_manage_access(client, audit, sign_in_by_code):
    """AU-7: sign-in and security events by View on Manage Access."""
    sign_in_by_code(client, audit)
    assert ">signed in" in shown(client)
    audit.grants.filter(workflow=Workflow.MANAGE_ACCESS).delete()
    assert ">signed in" not in shown(client)


def test_without_rights_there_is_nothing_and_the_page_says_so(client, audit, sign_in):
    """AZ-7: number 0 for the stranger."""
    sign_in(client, audit)
    audit.grants.all().delete()
    text = shown(client)
    assert rows(text) == 0
    assert "Nothing to show." in text
    # Where there can be nothing to read everybody was offered, and only the page left them out.
    assert actors_for(audit) == []


def test_a_right_on_one_account_opens_the_events_of_that_account(client, audit, account, world, sign_in, remember):
    """AU-7: each."""
    reserve = Account.objects.create(organization=world.organization, name="Reserve", created_at=account.created_at)
    remember(EventKind.WITHDRAWAL_HELD, account_id=account.pk, label="from main")
    remember(EventKind.WITHDRAWAL_HELD, account_id=reserve.pk, label="from reserve")
    audit.grants.all().delete()
    Grant.objects.create(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL, right=Right.VIEW, account=account)
    sign_in(client, audit)
    assert "from main" in shown(client)
    assert "from reserve" not in shown(client)


def test_the_history_of_another_organization_stays_there(client, audit, world, sign_in, remember):
    """AZ-2: every query starts from `request.organization`."""
    remember(EventKind.POLICY_REMOVED, organization=world.elsewhere, label="over there")
    sign_in(client, audit)
    assert "over there" not in shown(client)


def test_one_workflow_can_be_chosen_and_nothing_else(client, audit, sign_in_by_code):
    """IN-3: filters are closed sets."""
    sign_in_by_code(client, audit)
    chosen = shown(client, "?workflow=manage_policies")
    assert "configured the policy of" in chosen
    assert ">signed in" not in chosen
    assert ">signed in" in shown(client, "?workflow=id%3B--&after=%FF")


def test_a_long_history_is_read_page_by_page(client, audit, sign_in, remember):
    remember(EventKind.POLICY_REMOVED, count=60)
    sign_in(client, audit)
    first = shown(client, "?workflow=manage_policies")
    assert rows(first) == 50
    (address,) = re.findall(r'href="([^"]+)"\s+rel="next"', first)
    address = address.replace("&amp;", "&")
    assert "workflow=manage_policies" in address
    assert rows(shown(client, address)) >= 10


def test_the_page_takes_the_same_queries_for_one_row_and_for_forty(client, audit, sign_in, remember):
    sign_in(client, audit)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            shown(client, "?workflow=manage_policies")
        return len(captured)

    remember(EventKind.POLICY_REMOVED, change="unknown")
    few = queries()
    remember(EventKind.POLICY_REMOVED, count=40, change="unknown")
    assert queries() == few


def test_a_request_in_the_history_leads_to_its_page(client, audit, sign_in):
    change = ChangeRequest.objects.filter(organization=audit.organization).latest("id")
    sign_in(client, audit)
    assert reverse("policies:request", args=[change.reference]) in shown(client)


def test_text_from_outside_is_shown_and_never_run(client, audit, sign_in, remember):
    """AU-6: `<script>`."""
    remember(EventKind.POLICY_REMOVED, label="<script>x", note="<script>y")
    sign_in(client, audit)
    assert "&lt;script&gt;x" in shown(client)
    assert "&lt;script&gt;y" in shown(client)
    assert "<script>" not in shown(client)
