"""Small things that pages of requests say and show."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from policies.changes import cancel
from policies.models import ChangeRequest, State
from policies.views.rows import _day
from portal.core.display import markup
from portal.core.display.phrases import dated
from tests.policies.conftest import page

pytestmark = pytest.mark.django_db


def test_money_says_at_its_box_that_it_is_approved_alone(asked, ben, browser):
    """fault pages-B3: it could be ticked, and the answer was `Approve 0 requests`."""
    client = browser(ben)
    inbox = client.get(reverse("policies:inbox")).content.decode()
    assert f'aria-describedby="alone-{asked.number}"' in inbox
    assert f'id="alone-{asked.number}"' in inbox
    chosen = {"change": asked.reference, "decision": "approve"}
    text = client.get(reverse("policies:batch"), chosen).content.decode()
    assert "0 request" not in text
    assert "All that you chose moves money." in text
    assert "They ended meanwhile" not in text


def test_who_cannot_decide_is_counted_behind_a_fold(asked, ben, fay, browser):
    """fault pages-B12: 200 people who cannot decide made a page of 8856 px."""
    text = page(browser(ben), asked)
    people = text[text.index("Who can still approve") :]
    assert " who cannot" in people
    assert people.index("Ben Adeyemi") < people.index("<details") < people.index("cannot:")


def test_a_day_of_closing_says_that_it_closes():
    """fault pages-C1: `Tuesday 1 December` over things that were asked today."""
    assert _day(timezone.now() + timedelta(days=3), "Closing").startswith("Closing ")


def test_an_hour_that_has_just_begun_is_whole_and_one_approval_is_one():
    """fault pages-C9, C10"""
    now = timezone.now()
    opened = now - timedelta(seconds=1)
    assert "72 h left of 72 h" in markup.fuse(opened + timedelta(hours=72), opened, now, total=True)
    assert "</b> approval<" in markup.quorum(0, 1, size="large")
    assert "</b> approvals<" in markup.quorum(0, 2, size="large")


def test_what_is_over_without_blame_has_no_red_mark(asked, ben, browser, treasury_bot):
    """fault pages-C7: stale, expired and cancelled were marked as stopped."""
    cancel(asked.reference, actor=treasury_bot.service_user)
    timeline = page(browser(ben), asked).partition('class="timeline"')[2].partition("</ol>")[0]
    assert "Cancelled" in timeline
    assert "is-stop" not in timeline
    assert ChangeRequest.objects.get(pk=asked.pk).state == State.CANCELLED


def test_an_error_begins_the_title_and_the_page_can_take_the_focus(asked, ben, browser):
    """fault pages-C18, C20"""
    client = browser(ben)
    assert "<title>Error: " not in page(client, asked)
    assert 'id="main" tabindex="-1"' in page(client, asked)
    values = {"digest": asked.digest, "decision": "reject", "reason": "", "code": ""}
    answer = client.post(reverse("policies:decide", args=[asked.reference]), values)
    assert "<title>Error: " in answer.content.decode()


def test_the_printed_foot_comes_last(asked, ben, browser):
    """fault pages-C14: it stood before the last panel."""
    text = page(browser(ben), asked)
    assert text.index('id="decide"') < text.index('class="printed small"')


def test_mails_and_pages_write_a_day_alike():
    """fault pages-C22: `01 Dec` in mails, `1 Dec` on pages."""
    at = datetime(2026, 12, 1, 9, 5, tzinfo=UTC)
    with timezone.override(UTC):
        assert f">{dated(at)}<" in markup.instant(at)
    assert dated(at) == "1 Dec 2026, 09:05"
