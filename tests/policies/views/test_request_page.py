"""One request on its page: reading it, deciding, taking it back (DESIGN R7)."""

import pytest
from django.test import Client
from django.urls import reverse

from policies.changes import propose
from policies.models import ChangeRequest, Decision, Grant, State
from policies.workflows import Workflow
from portal.audit.models import AuditEvent
from tests.policies.conftest import ask_tidy, page
from tests.policies.operations import Send, send


def post(client, change, **data):
    values = {"digest": change.digest, "reason": "", "code": "", **data}
    return client.post(reverse("policies:decide", args=[change.reference]), values)


def test_two_people_decide_with_codes_of_their_own(asked, ben, cleo, browser, code):
    for member in (ben, cleo):
        client = browser(member)
        assert 'value="approve">Approve' in page(client, asked)
        answer = post(client, asked, decision="approve", code=code(member))
        assert answer.status_code == 302
    asked.refresh_from_db()
    assert asked.state == State.EXECUTED
    assert "Executed" in page(browser(ben), asked)


def test_the_page_repeats_what_is_agreed_to_beside_the_buttons(asked, ben, browser):
    """SU-3: operation, amount, asset, initiator and short digest, from the stored request and not the query."""
    client = browser(ben)
    text = client.get(reverse("policies:request", args=[asked.reference]) + "?amount=9&title=Other").content.decode()
    panel = text[text.index('id="decide"') :]
    for part in ("Send to the bank", "treasury-bot", asked.digest[:4], "Approve", "Reject", "Authentication code"):
        assert part in panel
    assert "1.25" in text
    assert "weekly sweep 47" in text
    assert "written by the bot, not checked" in text
    assert "Other" not in text


def test_a_code_used_to_sign_in_does_not_decide(asked, ben, browser, code):
    """SU-5: the same code twice."""
    client = Client()
    email, used = ben.user.email, code(ben)
    client.post(reverse("accounts:sign_in"), {"email": email, "password": "a long walk by the harbour"})
    client.post(reverse("accounts:verify"), {"code": used})
    answer = post(client, asked, decision="approve", code=used)
    assert answer.status_code == 200
    assert not Decision.objects.exists()


@pytest.mark.parametrize("typed", ["", "12345", "123 456", "\uff11\uff12\uff13\uff14\uff15\uff16", "000000"])
def test_a_wrong_code_stands_beside_its_field_and_loses_nothing(asked, ben, browser, typed):
    client = browser(ben)
    answer = post(client, asked, decision="reject", reason="The amount is wrong.", code=typed)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in text
    assert "The amount is wrong." in text
    assert not Decision.objects.exists()


def test_a_rejection_without_a_reason_spends_no_code(asked, ben, browser, code):
    client, shown = browser(ben), code(ben)
    text = post(client, asked, decision="reject", code=shown).content.decode()
    assert "Say why" in text
    answer = post(client, asked, decision="reject", reason="Too much.", code=shown)
    assert answer.status_code == 302
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == (State.REJECTED, "Too much.")


def test_a_reason_that_turns_around_is_refused(asked, ben, browser, code):
    """CR-15: U+202E in the reason."""
    text = post(browser(ben), asked, decision="reject", reason="no\u202eeson", code=code(ben)).content.decode()
    assert "U+202E" in text
    assert not Decision.objects.exists()


def test_another_version_is_refused_before_the_code_is_spent(asked, ben, browser, code):
    """CR-6: a stale version."""
    client, shown = browser(ben), code(ben)
    assert "Read it again" in post(client, asked, decision="approve", digest="0" * 64, code=shown).content.decode()
    assert post(client, asked, decision="approve", code=shown).status_code == 302
    assert Decision.objects.count() == 1


def test_a_step_up_for_one_request_does_not_serve_another(world, asked, ben, browser, code, treasury_bot):
    """SU-2: step up for A, post a Decision for B."""
    other = propose(send, actor=treasury_bot.service_user, params=Send(world.account.pk, "2"), api_key=treasury_bot.key)
    client = browser(ben)
    assert post(client, asked, decision="approve", code=code(ben)).status_code == 302
    answer = post(client, other, decision="approve")
    assert answer.status_code == 200
    assert not other.decisions.exists()


def test_where_no_money_moves_the_sign_in_serves_for_five_minutes(ana, ben, browser):
    """SU-1: where no money moves the sign-in itself serves."""
    change = ask_tidy(ana)
    client = browser(ben)
    assert "Authentication code" not in page(client, change)
    assert post(client, change, decision="approve").status_code == 302
    change.refresh_from_db()
    assert change.state == State.EXECUTED


@pytest.mark.parametrize("name", ["owner", "ana", "audit"])
def test_who_may_not_decide_has_no_button_and_no_way_around(asked, world, name, browser, code):
    member = world.members[name]
    client = browser(member)
    text = page(client, asked)
    assert "You cannot decide this" in text
    assert 'value="approve"' not in text
    answer = post(client, asked, decision="approve", code=code(member))
    assert answer.status_code == 302
    assert not Decision.objects.exists()
    denied = AuditEvent.objects.get(kind="access.denied")
    assert (denied.actor_id, denied.subject_id, denied.outcome) == (member.pk, asked.pk, "refused")
    assert denied.data["reason"].startswith("You cannot decide this: you ")


def test_another_organization_finds_no_request(asked, eve, browser):
    """AZ-2: a foreign reference is as unknown as one that never was."""
    client = browser(eve)
    for name in ("request", "decide", "cancel"):
        for reference in (asked.reference, "UNKNOWN", "x" * 300):
            url = reverse(f"policies:{name}", args=[reference])
            assert (client.get if name == "request" else client.post)(url).status_code == 404


def test_who_may_not_view_finds_no_request(asked, audit, browser):
    Grant.objects.filter(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL).delete()
    client = browser(audit)
    assert client.get(reverse("policies:request", args=[asked.reference])).status_code == 404
    assert "Send to the bank" not in client.get(reverse("policies:inbox") + "?tab=viewable").content.decode()


def test_reading_never_decides(asked, ben, browser):
    """CR-16: every link of the page followed: nothing changes."""
    client = browser(ben)
    before = AuditEvent.objects.count()
    for name in ("request", "decide", "cancel"):
        client.get(reverse(f"policies:{name}", args=[asked.reference]) + "?decision=approve")
    asked.refresh_from_db()
    assert (asked.state, AuditEvent.objects.count()) == (State.PENDING, before)


def test_the_custodian_takes_the_bots_request_back(asked, owner, ben, browser):
    assert "Cancel request" not in page(browser(ben), asked)
    client = browser(owner)
    assert "Cancel request" in page(client, asked)
    url = reverse("policies:cancel", args=[asked.reference])
    assert client.post(url, {"reason": "Not today."}).status_code == 302
    assert client.post(url, {"reason": "Again."}).status_code == 302
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == (State.CANCELLED, "Not today.")
    assert "Not today." in page(client, asked)


def test_a_second_click_changes_nothing(asked, ben, browser, code):
    client, shown = browser(ben), code(ben)
    for _ in range(2):
        assert post(client, asked, decision="approve", code=shown).status_code == 302
    assert "You cannot decide this: you have already decided." in page(client, asked)
    assert Decision.objects.count() == 1


def test_a_note_is_shown_as_words_and_never_as_markup(ana, ben, browser):
    change = ask_tidy(ana, note="<script>alert(1)</script>")
    text = page(browser(ben), change)
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert(1)" not in text


def test_an_altered_request_says_so_and_offers_no_button(asked, ben, browser):
    ChangeRequest.objects.filter(pk=asked.pk).update(params={"amount": 1})
    text = page(browser(ben), asked)
    assert "was altered" in text
    assert 'value="approve"' not in text
