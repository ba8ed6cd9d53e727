"""The Enter key alone decides nothing: a browser presses the first button of a form for it."""

import re
from pathlib import Path

from django.urls import reverse

from policies.models import Decision, State
from portal.core.forms import NOTHING_BY_ENTER
from tests.policies.conftest import page

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
BUTTON = re.compile(r"<(?:button|input)\b[^>]*\btype=\"submit\"[^>]*>")


def sends_by_enter(html: str) -> str:
    """The name of what a browser presses for Enter in the form to decide: its first button in the order of the page."""
    form = html[html.index('id="decide"') :]
    pressed = BUTTON.search(form)
    assert pressed is not None
    named = re.search(r'name="([^"]*)"', pressed[0])
    assert named is not None
    return named[1]


def test_enter_in_the_code_or_the_reason_approves_nothing_and_loses_nothing(asked, ben, browser, code):
    """fault pages-A1"""
    client, shown = browser(ben), code(ben)
    pressed = sends_by_enter(page(client, asked))
    values = {"digest": asked.digest, "reason": "Do not send this.", "code": shown, pressed: "1"}
    answer = client.post(reverse("policies:decide", args=[asked.reference]), values)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert NOTHING_BY_ENTER in text
    assert "Do not send this." in text
    assert not Decision.objects.exists()
    # The code is not spent by it.
    values = {"digest": asked.digest, "reason": "Do not send this.", "code": shown, "decision": "reject"}
    assert client.post(reverse("policies:decide", args=[asked.reference]), values).status_code == 302
    asked.refresh_from_db()
    assert asked.state == State.REJECTED


def test_enter_decides_no_batch(asked, ben, browser, code):
    """fault pages-A1"""
    client = browser(ben)
    chosen = f"{asked.reference}:{asked.digest}"
    html = client.get(reverse("policies:batch"), {"change": asked.reference, "decision": "reject"}).content.decode()
    values = {"change": chosen, "decision": "reject", "reason": "Twice.", "code": code(ben), sends_by_enter(html): "1"}
    answer = client.post(reverse("policies:batch"), values)
    assert NOTHING_BY_ENTER in answer.content.decode()
    assert "Twice." in answer.content.decode()
    assert not Decision.objects.exists()


def test_the_notice_says_what_was_decided_and_what_came_of_it(asked, ben, cleo, browser, code):
    """fault pages-A1: it said only that the Decision is recorded."""
    for member, came in ((ben, "It waits for 1 more approval."), (cleo, "it is executed.")):
        client = browser(member)
        values = {"digest": asked.digest, "reason": "", "code": code(member), "decision": "approve"}
        text = client.post(reverse("policies:decide", args=[asked.reference]), values, follow=True).content.decode()
        assert "You approved Send 1.25 USD to the bank." in text
        assert came in text


def test_the_part_with_the_second_factor_brings_the_button_for_enter():
    assert "form.BY_ENTER" in (TEMPLATES / "components/_step_up.html").read_text()


def test_no_form_with_a_second_factor_has_a_button_before_the_one_for_enter():
    """fault pages-A1: the first button is the one that Enter presses, on every page where an act takes a factor."""
    looked_at = 0
    for path in TEMPLATES.rglob("*.html"):
        for part in path.read_text().split("<form")[1:]:
            form = part.partition("</form>")[0]
            if "components/_step_up.html" in form:
                looked_at += 1
                assert 'type="submit"' not in form.partition("components/_step_up.html")[0], path
    assert looked_at > 15
