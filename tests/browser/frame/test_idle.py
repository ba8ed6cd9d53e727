"""What only a browser shows of sessions: the warning, staying, and going on where one was after it has ended."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.devices import plug_in

pytestmark = pytest.mark.browser
FORM = "/service-users/new/"
# As if almost all of the idle limit had passed since the page came.
HURRY = """
async () => {
  const dialog = document.querySelector("dialog[data-idle]").cloneNode(true);
  dialog.dataset.idle = "3";
  document.querySelector("dialog[data-idle]").replaceWith(dialog);
  await import(`/static/js/idle.js?again=${Math.random()}`);
}
"""


def test_after_the_session_has_ended_one_goes_on_where_one_was(person):
    """SI-7, SI-8: a sign-in over the page; what was typed is still there, and the page can be sent."""
    owner = person("owner")
    owner.comes_in()
    page = owner.goes_to(FORM)
    page.get_by_label("Name").fill("half-written-bot")
    _end_all_others(person("owner"))
    page.evaluate(HURRY)
    page.get_by_role("heading", name="Your session has ended").wait_for()
    assert page.locator(".shell").evaluate("node => getComputedStyle(node).visibility") == "hidden"
    member = owner.portal.member("owner")
    page.get_by_label("Email").fill(member["email"])
    page.get_by_label("Password").fill(member["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Authentication code").last.fill(owner.portal.code("owner"))
    page.get_by_role("button", name="Verify").click()
    page.locator("dialog[data-idle]").wait_for(state="hidden")
    assert page.url.endswith(FORM)
    assert page.get_by_label("Name").input_value() == "half-written-bot"
    with page.expect_response(lambda answer: answer.url.endswith(FORM)) as sent:
        page.get_by_role("button", name="Create service user").click()
    assert sent.value.status == 200  # taken as far as what is missing in it; not refused for its token


def test_who_is_still_signed_in_is_not_disturbed(person):
    """SI-7: another tab kept the session alive; the page asks before it warns."""
    ana = person("ana")
    ana.comes_in()
    page = ana.goes_to("/history/")
    with page.expect_response("**/session/left/") as asked:
        page.evaluate(HURRY)
    assert asked.value.json()["left"] > 1700
    page.wait_for_timeout(300)
    assert not page.locator("dialog[data-idle]").is_visible()


def test_the_warning_counts_down_and_one_click_stays(person):
    """SI-7: a member is warned before the idle limit and can stay with one click."""
    ana = person("ana")
    ana.comes_in()
    page = ana.goes_to("/history/")
    page.route("**/session/left/", lambda route: route.fulfill(json={"left": 90}))
    page.evaluate(HURRY)
    page.get_by_text("1 min 29 s").wait_for()
    assert page.get_by_role("dialog", name="Are you still there?").is_visible()
    with page.expect_response("**/session/stay/") as stayed:
        page.get_by_role("button", name="Stay signed in").click()
    assert stayed.value.json()["left"] >= 1795
    page.locator("dialog[data-idle]").wait_for(state="hidden")


def test_a_session_dies_in_both_directions(person):
    """SI-8, SI-9: two browsers of one person; each ends the other's session, whose next click leads to sign-in."""
    here, there = person("fay"), person("fay")
    for one, other in ((here, there), (there, here)):
        one.comes_in()
        if one is here:
            other.comes_in()
        _end_all_others(one, is_in=True)
        other.goes_to("/history/")
        assert "/sign-in/" in other.page.url
        one.goes_to("/history/")
        assert one.page.url.endswith("/history/")


def _end_all_others(somebody, *, is_in=False):
    if not is_in:
        somebody.comes_in()
    page = somebody.goes_to("/security/")
    page.get_by_role("button", name="End all other sessions").click()
    page.get_by_text(re.compile(r"^\d+ other sessions? ended\.")).wait_for()


def test_a_passkey_opens_the_dialog_over_the_page(person):
    """SI-7, F-12: after the session has ended, one touch goes on where one was."""
    ben = person("ben")
    ben.comes_in()
    page = ben.goes_to("/enrol/")
    plug_in(ben.context, page).present(True)
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Create a passkey").click()
    page.get_by_text("“Laptop” is a second factor of yours now.").wait_for()
    page = ben.goes_to("/profile/")
    page.get_by_label("Name").fill("Ben A. Adeyemi")
    ben.context.clear_cookies(name="session")
    page.evaluate(HURRY)
    page.get_by_role("heading", name="Your session has ended").wait_for()
    page.locator("dialog[data-idle]").get_by_role("button", name="Sign in with a passkey").click()
    page.locator("dialog[data-idle]").wait_for(state="hidden")
    assert page.get_by_label("Name").input_value() == "Ben A. Adeyemi"
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Your profile is changed.").wait_for()
    # As everybody else knows him.
    page.get_by_label("Name").fill("Ben Adeyemi")
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()


AGED = """
from accounts.models import Session
from accounts.authentication.session_store import SessionStore
for row in Session.objects.filter(user__email="{email}"):
    store = SessionStore(row.session_key)
    store["active_at"] -= 60 * row.member.organization.idle_minutes - 4
    store.save()
"""


def test_an_untouched_page_does_not_revive_its_session(person):
    """fault pages-A2: in its last second the page asked for the sign-in, and that counted as activity: 8 of 8 times."""
    audit = person("audit")
    audit.comes_in()
    page = audit.goes_to("/history/")
    portal = audit.portal
    portal.shell(AGED.format(email=portal.member("audit")["email"]))
    page.evaluate(HURRY)
    page.get_by_role("heading", name="Your session has ended").wait_for(timeout=15_000)
    page.wait_for_timeout(1500)
    assert page.get_by_role("heading", name="Your session has ended").is_visible()
    audit.goes_to("/history/")
    assert "/sign-in/" in page.url


def test_a_reason_typed_for_nothing_is_there_again_after_signing_in(person, asks):
    """fault pages-B8: one landed in the inbox, and the typed reason was gone."""
    ben = person("ben")
    asks("0.25")
    ben.comes_in()
    page = ben.goes_to("/inbox/?tab=waiting&about=eth-cold")
    page.locator(".row__what a").first.click()
    page.locator("form[data-kept]").wait_for()
    request = page.url.partition("#")[0].partition("?")[0]
    page.get_by_label("Reason").fill("This invoice is wrong.")
    page.get_by_label("Authentication code").fill("123456")
    ben.context.clear_cookies(name="session")
    page.get_by_role("button", name="Reject", exact=True).click()
    page.get_by_text("Your session had ended.").wait_for()
    member = ben.portal.member("ben")
    page.get_by_label("Email").fill(member["email"])
    page.get_by_label("Password").fill(member["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Authentication code").fill(ben.portal.code("ben"))
    page.get_by_role("button", name="Verify").click()
    page.locator("form[data-kept]").wait_for()
    assert page.url.startswith(request)
    expect(page.get_by_label("Reason")).to_have_value("This invoice is wrong.")
    assert page.get_by_label("Authentication code").input_value() == ""
    assert page.evaluate("sessionStorage.getItem('kept')") is None
