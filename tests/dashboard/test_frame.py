"""The frame around every page: head, rail and messages."""

import html
import json
import re

import pytest
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from policies.models import Grant
from policies.workflows import Right, Workflow
from tests.release import release

PAGE = "dashboard:history"
CONFIG = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
    "historyRestoreAsHxRequest": False,
}
EVERYWHERE = [
    "Inbox",
    "Members",
    "Service Users",
    "Accounts",
    "Organization",
    "Manage Policies",
    "Manage Addresses",
    "Withdrawals",
    "Balances",
    "History",
]


def page(client, member, sign_in):
    sign_in(client, member)
    return client.get(reverse(PAGE)).content.decode()


def places(text):
    rail = text[text.index('<nav class="nav"') : text.index("</nav>")]
    return re.findall(r"<a [^>]*>\s*([A-Z][A-Za-z ]+?)\s*<", rail)


def test_htmx_is_told_to_evaluate_nothing_and_to_keep_nothing(client, db):
    """WB-2: htmx config in `<meta>`."""
    text = client.get(reverse("accounts:sign_in")).content.decode()
    (config,) = re.findall(r'name="htmx-config" content="([^"]+)"', text)
    assert json.loads(html.unescape(config)) == CONFIG


def test_every_script_and_style_is_a_file_of_ours(client, ana, sign_in):
    """WB-1: no inline script or style, and nothing from elsewhere."""
    text = page(client, ana, sign_in)
    addresses = re.findall(r'(?:src|rel="(?:stylesheet|icon)" href)="([^"]+)"', text)
    assert len(addresses) >= 6
    assert all(address.startswith("/static/") for address in addresses)
    assert "<style" not in text


def test_a_place_shows_only_to_those_who_may_view_it(client, ana, sign_in):
    """AZ-7: filter by permission as lists do."""
    assert places(page(client, ana, sign_in)) == EVERYWHERE
    ana.grants.exclude(workflow=Workflow.MANAGE_ADDRESSES).delete()
    assert places(client.get(reverse(PAGE)).content.decode()) == ["Inbox", "Manage Addresses", "History"]
    ana.grants.all().delete()
    assert places(client.get(reverse(PAGE)).content.decode()) == ["Inbox", "History"]


def test_a_right_on_one_account_is_enough_to_look(client, ana, account, sign_in):
    ana.grants.all().delete()
    Grant.objects.create(member=ana, workflow=Workflow.INITIATE_WITHDRAWAL, right=Right.INITIATE, account=account)
    assert places(page(client, ana, sign_in)) == ["Inbox", "Withdrawals", "Balances", "History"]


def test_the_rail_says_where_one_is(client, ana, sign_in):
    text = page(client, ana, sign_in)
    assert text.count("aria-current") == 1
    assert re.search(r'href="/history/"\s+aria-current="page"', text)


def test_the_switch_shows_only_with_several_memberships(client, ana, world, sign_in):
    assert 'action="/switch/"' not in page(client, ana, sign_in)
    Member.objects.create(organization=world.elsewhere, user=ana.user, joined_at=timezone.now())
    text = client.get(reverse(PAGE)).content.decode()
    assert 'action="/switch/"' in text
    assert f'name="organization" value="{world.elsewhere.pk}"' in " ".join(text.split())


def test_a_former_membership_is_no_place_to_switch_to(client, ana, world, sign_in):
    now = timezone.now()
    Member.objects.create(organization=world.elsewhere, user=ana.user, joined_at=now, removed_at=now)
    assert 'action="/switch/"' not in page(client, ana, sign_in)


def test_a_message_is_a_notice_whose_first_line_says_it():
    text = render_to_string(
        "components/_messages.html",
        {
            "messages": [
                Message(messages.SUCCESS, "It waits for two approvals.\nBen and Cleo can give them."),
                Message(messages.ERROR, "<b>no</b>"),
            ]
        },
    )
    assert 'class="notice notice--done"' in text
    assert text.count("<p>") == 3
    assert 'class="notice notice--stop"' in text
    assert 'role="alert"' in text
    assert "&lt;b&gt;no" in text


def test_a_page_says_at_its_foot_which_version_it_is_of(client, ana, sign_in):
    """So that whoever reports a fault can name it, without asking who runs the portal."""
    assert foot(client.get(reverse("accounts:sign_in")).content.decode()) == f"Version {release()}"
    assert foot(page(client, ana, sign_in)) == f"Version {release()}"


@pytest.mark.parametrize("template", ["404.html", "500.html", "503.html"])
def test_a_page_about_an_error_says_its_version_without_a_request(template):
    assert foot(render_to_string(template, {"request_id": "0" * 32})) == f"Version {release()}"


def foot(text):
    (said,) = re.findall(r'class="foot">([^<]+)<', text)
    return said
