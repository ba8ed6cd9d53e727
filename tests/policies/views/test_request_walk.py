"""From one request to the next without going back, and nothing typed lost on the way (DESIGN R9)."""

import re

import pytest
from django.urls import reverse

from policies.changes import cancel
from policies.models import ChangeRequest, Decision
from portal.audit.models import AuditEvent
from portal.core.errors import Invalid
from tests.policies.conftest import again, ask_tidy, no, yes
from tests.policies.views.test_request_page import post

INBOX = reverse("policies:inbox")


def link(text, rel):
    found = re.search(rf'href="([^"]+)"\s+rel="{rel}"', text)
    return found and found[1].replace("&amp;", "&")


def first_row(text):
    (first, *_) = re.findall(r'class="row__what">\s*<a href="([^"]+)"', text)
    return first.replace("&amp;", "&")


@pytest.fixture
def three(ana):
    return [ask_tidy(ana, what) for what in ("the shelf", "the attic", "the cellar")]


def test_a_list_is_read_request_by_request_without_going_back(three, ben, browser):
    client = browser(ben)
    address, seen = first_row(client.get(INBOX + "?tab=waiting&about=the").content.decode()), []
    while address:
        assert "tab=waiting&about=the" in address
        text = client.get(address).content.decode()
        seen.append(next(change for change in three if change.reference in address))
        assert bool(link(text, "prev")) is (len(seen) > 1)
        address = link(text, "next")
    assert seen == three


def test_after_a_decision_the_next_one_waiting_is_a_click_away(three, ben, browser):
    client = browser(ben)
    page = reverse("policies:decide", args=[three[1].reference]) + "?tab=waiting&about=the"
    answer = client.post(page, {"digest": three[1].digest, "decision": "approve", "reason": ""})
    assert answer.url == reverse("policies:request", args=[three[1].reference]) + "?tab=waiting&about=the"
    text = client.get(answer.url).content.decode()
    assert "Next, waiting for you" in text
    onward = text[text.index("Next, waiting for you") :]
    assert f"{reverse('policies:request', args=[three[2].reference])}?tab=waiting" in onward


def test_where_nothing_is_left_in_the_list_what_waits_elsewhere_is_next(three, ben, browser):
    yes(three[1], ben)
    text = browser(ben).get(reverse("policies:request", args=[three[1].reference]) + "?tab=waiting&about=attic")
    assert f"{reverse('policies:request', args=[three[0].reference])}?tab=waiting" in text.content.decode()


def test_who_can_still_decide_is_not_sent_away(three, ben, audit, browser):
    address = reverse("policies:request", args=[three[0].reference])
    assert "Next, waiting for you" not in browser(ben).get(address).content.decode()
    assert "Next, waiting for you" not in browser(audit).get(address).content.decode()


def test_a_foreign_list_in_the_address_leads_nowhere_foreign(asked, eve, ben, browser):
    """AZ-2: what stands beside a request is limited as the lists are."""
    text = browser(ben).get(reverse("policies:request", args=[asked.reference]) + f"?tab=all&initiator=member-{eve.pk}")
    assert link(text.content.decode(), "next") is None


def test_a_version_that_was_refused_is_shown_anew_and_can_be_decided(asked, ben, browser, code):
    """CR-6: a stale version is refused with the new page shown."""
    client = browser(ben)
    text = post(client, asked, decision="approve", digest="0" * 64, code=code(ben)).content.decode()
    assert "Read it again" in text
    assert not Decision.objects.exists()
    (shown,) = re.findall(r'name="digest" value="([0-9a-f]+)"', text)
    assert shown == asked.digest
    assert post(client, asked, decision="approve", digest=shown, code=code(ben)).status_code == 302
    assert Decision.objects.get().digest == asked.digest


@pytest.mark.parametrize("how", ["cancelled", "rejected", "decided"])
def test_a_request_that_ended_meanwhile_says_so_and_gives_the_reason_back(three, how, ana, ben, cleo, browser):
    client, change = browser(ben), three[0]
    if how == "cancelled":
        cancel(change.reference, actor=ana)
    elif how == "rejected":
        no(change, cleo)
    else:
        yes(change, ben)
    answer = post(client, change, decision="reject", reason="The amount is wrong.")
    assert answer.status_code == 302
    text = client.get(answer.url).content.decode()
    assert "The amount is wrong." in text
    assert 'value="reject"' not in text
    assert change.decisions.filter(person=ben.user, approved=False).count() == 0


def test_going_back_after_deciding_shows_what_is_decided(three, ben, browser):
    client, change = browser(ben), three[0]
    post(client, change, decision="approve")
    answer = client.get(reverse("policies:request", args=[change.reference]))
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Approve</button>" not in answer.content.decode()


def test_every_link_of_these_pages_followed_decides_nothing(asked, three, ben, browser):
    """CR-16: prefetch all links in the page: no change."""
    client = browser(ben)
    pages = [INBOX, INBOX + "?tab=viewable", reverse("policies:request", args=[asked.reference]) + "?tab=waiting"]
    pages.append(reverse("policies:batch") + f"?decision=approve&change={asked.reference}&change={three[0].reference}")
    links = {link for page in pages for link in re.findall(r'href="([^"#]+)', client.get(page).content.decode())}
    before = set(AuditEvent.objects.values_list("pk", flat=True))
    for address in sorted(links):
        if address.startswith("/static/"):
            continue
        where = address.replace("&amp;", "&")
        answer = client.get(where if where.startswith("/") else INBOX + where)
        assert answer.status_code in (200, 302), where
    assert not Decision.objects.exists()
    assert {again(change).state for change in (asked, *three)} == {"pending"}
    assert set(AuditEvent.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("sign", ["\u202e", "\u200b", "\u2066"])
def test_a_note_that_hides_or_turns_is_refused_and_one_that_got_in_is_shown_visibly(asked, ana, ben, browser, sign):
    """CR-15: U+202E in the note."""
    with pytest.raises(Invalid):
        ask_tidy(ana, note=f"pay {sign}now")
    ChangeRequest.objects.filter(pk=asked.pk).update(note=f"pay {sign}now")
    for address in (INBOX, reverse("policies:request", args=[asked.reference])):
        text = browser(ben).get(address).content.decode()
        assert f"[U+{ord(sign):04X}]" in text
        assert sign not in text


def test_a_note_is_marked_as_the_words_of_who_asked(ana, ben, browser):
    """CR-15: the initiator's note escaped and marked as theirs."""
    change = ask_tidy(ana, note="<i>trust me</i>")
    text = browser(ben).get(reverse("policies:request", args=[change.reference])).content.decode()
    assert "<q>&lt;i&gt;trust me&lt;/i&gt;</q>" in text
    assert "Ana Ruiz’s words" in text
