"""From an empty database to a working Organization, as its first people walk it, every page looked at on the way."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import totp
from tests.browser.frame.test_idle import HURRY
from tests.browser.walking import WORDS, Empty, Walker, empty_portal, walkers

pytestmark = [pytest.mark.browser, pytest.mark.story, pytest.mark.long]


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Empty]:
    with empty_portal(tmp_path_factory.mktemp("empty")) as portal:
        yield portal


def test_the_first_people_of_an_organization(empty: Empty, chromium: Browser) -> None:
    """WB-1, WB-2: every console stays empty; axe finds nothing on any page of people, either theme, wide or narrow."""
    with walkers(empty, chromium) as come:
        olive, ben, cleo = (come(name) for name in ("Olive Marsh", "Ben Adeyemi", "Cleo Novak"))
        _set_up(olive)
        _the_terms(olive)
        _invite(olive, ben, look=True)
        _accept_with_an_app(ben)
        _show_who_one_is(ben, olive, look=True)
        _invite(olive, cleo)
        _accept_with_a_passkey(cleo)
        _show_who_one_is(cleo, ben)
        _members(olive, ben)
        _lost_phone(cleo)
        _forgotten_password(cleo)
        _ownership(olive, cleo, ben)
        _reset_factors(olive, ben)
        _operator(empty, olive)
        _several_organizations(empty, olive)
        _own_pages(olive)
        _idle(olive)


def _set_up(olive: Walker) -> None:
    page = olive.to("/")
    assert page.url.endswith("/setup/"), "an empty portal leads to its set-up"
    olive.press("Review")
    expect(page.get_by_role("alert")).to_be_visible()
    olive.sees("setup-empty")
    page.get_by_label("Currency").select_option("CHF")
    olive.fill(organization="Harbour Trust", name=olive.name, email=olive.mail)
    olive.press("Review")
    expect(page.get_by_text("Harbour Trust, in CHF")).to_be_visible()
    olive.sees("setup-review")
    olive.new_password()
    olive.press("Found Harbour Trust")
    olive.sees("enrol-first")
    olive.make_passkey("Laptop")
    olive.sees("recovery-codes")
    olive.take_codes(look="new-recovery-codes")
    expect(page.get_by_role("heading", name="Welcome to Harbour Trust")).to_be_visible()
    olive.sees("welcome-owner")
    assert olive.context.request.get(f"{olive.portal.url}/setup/").status == 404


def _the_terms(olive: Walker) -> None:
    for path in ("organization", "organization/security", "accounts", "accounts/new", "organization/owner"):
        olive.to(f"/{path}/", look=path.replace("/", "-"))
    page = olive.to("/accounts/new/")
    olive.fill(name="Payroll")
    olive.press("Add Account")
    expect(page.get_by_role("rowheader", name="Payroll")).to_be_visible()


def _invite(olive: Walker, who: Walker, *, look: bool = False) -> None:
    page = olive.to("/invitations/new/?preset=admin", look="invite" if look else "")
    olive.fill(name=who.name, email=who.mail)
    olive.press("Send the invitation")
    page.wait_for_url("**/invitations/")
    expect(page.get_by_text(who.mail).first).to_be_visible()
    if look:
        olive.sees("invitations")


def _join(who: Walker, look: str = "") -> None:
    page = who.to(who.portal.link(who.mail, "/invitations/"))
    assert page.url.endswith("/invitations/accept/"), "the token has left the address"
    if look:
        who.sees(look)
    who.new_password()
    who.press("Accept")


def _accept_with_an_app(ben: Walker) -> None:
    _join(ben, look="accept")
    ben.page.get_by_role("link", name="Set up an authenticator app").click()
    ben.sees("enrol-app")
    expect(ben.page.locator(".secret code span").first).to_be_attached()
    secret = "".join(ben.page.locator(".secret code span").all_text_contents())
    ben.fill(name="Phone", code=totp(secret, int(time.time()) // 30))
    ben.press("Verify")
    ben.take_codes()
    expect(ben.page.get_by_role("heading", name="Welcome to Harbour Trust")).to_be_visible()
    ben.sees("welcome")
    ben.to("/enrol/", look="enrol-more")
    ben.make_passkey("Laptop")


def _accept_with_a_passkey(cleo: Walker) -> None:
    _join(cleo)
    cleo.make_passkey("Tablet")
    cleo.take_codes()


def _show_who_one_is(who: Walker, reviewer: Walker, *, look: bool = False) -> None:
    page = who.to("/identity/", look="identity" if look else "")
    soon = (datetime.now(UTC) + timedelta(days=900)).date().isoformat()
    who.fill(full_name=who.name, born_on="1980-02-29", country="Switzerland", number="X1234567", expires_on=soon)
    who.press("Send for review")
    expect(page.get_by_text("is being checked").first).to_be_visible()
    if look:
        who.sees("identity-submitted")
    seen = reviewer.to("/members/")
    seen.get_by_role("link", name=re.compile(who.name)).click()
    seen.get_by_role("link", name="Review the identity").click()
    if look:
        reviewer.sees("review-identity")
    reviewer.press("Verify identity")
    expect(seen.get_by_text("Verified").first).to_be_visible()


def _members(olive: Walker, ben: Walker) -> None:
    page = olive.to("/members/", look="members")
    page.get_by_role("link", name=re.compile(ben.name)).click()
    olive.sees("member")
    page.get_by_role("link", name="Change rights").click()
    olive.sees("change-rights")
    page.get_by_role("checkbox", name="Approve on Initiate Withdrawal", exact=True).check()
    olive.press("Change rights")
    page.wait_for_url("**/members/*/")
    expect(page.get_by_role("row", name=re.compile("Initiate Withdrawal All Accounts .*yes"))).to_be_visible()
    page.get_by_role("link", name="Suspend").click()
    page.get_by_label("Why").fill("A stolen laptop.")
    olive.press("Suspend")
    expect(page.get_by_text("is suspended.").first).to_be_visible()
    olive.sees("member-suspended")
    ben.to("/members/")
    assert "/sign-in/" in ben.page.url, "the session died with the suspension"
    olive.press("Lift suspension")
    expect(page.get_by_text("is suspended.")).to_have_count(0)


def _lost_phone(cleo: Walker) -> None:
    codes = _new_codes(cleo)
    _nothing_comes_back(cleo)
    cleo.sees("sign-in")
    cleo.password_step()
    cleo.sees("second-step")
    cleo.page.get_by_role("link", name="Use a recovery code").click()
    cleo.sees("second-step-recovery")
    cleo.fill(code=codes[0])
    cleo.press("Verify")
    expect(cleo.page.get_by_role("heading", name="Put your second factor right")).to_be_visible()
    cleo.sees("enrol-repair")
    cleo.page.get_by_role("link", name="show it instead").click()
    cleo.sees("prove")
    cleo.press("Use passkey")
    cleo.page.wait_for_url("**/inbox/")


def _nothing_comes_back(cleo: Walker) -> None:
    """WB-6: sign out, back: no content."""
    page = cleo.to("/members/")
    expect(page.get_by_role("link", name="Olive Marsh")).to_be_visible()
    cleo.sign_out()
    page.go_back()
    page.wait_for_load_state()
    expect(page.get_by_text("Olive Marsh")).to_have_count(0)
    cleo.to("/sign-in/")


def _new_codes(who: Walker) -> list[str]:
    who.to("/security/recovery-codes/", look="recovery-codes-again")
    return who.take_codes()


def _forgotten_password(cleo: Walker) -> None:
    cleo.sign_out()
    page = cleo.to("/password/forgotten/", look="forgotten")
    cleo.fill(email=cleo.mail)
    cleo.press("Send the link")
    cleo.sees("forgotten-sent")
    link = cleo.portal.link(cleo.mail, "/password/reset/")
    cleo.to(link, look="reset")
    assert page.url.endswith("/password/reset/")
    cleo.fill(password=WORDS + " again", again=WORDS + " again")
    cleo.press("Set password")
    expect(page.get_by_text("Your password is set.")).to_be_visible()
    expect(cleo.to(link).get_by_role("heading", name="This link is over")).to_be_visible()
    cleo.sees("link-used")
    cleo.sign_in()


def _reset_factors(olive: Walker, ben: Walker) -> None:
    page = olive.to("/members/")
    page.get_by_role("link", name=re.compile(ben.name)).click()
    page.get_by_text("Reset the second factors of").click()
    olive.press("Reset factors")
    expect(page.get_by_role("paragraph").filter(has_text="Ben Adeyemi approves nothing")).to_be_visible()
    olive.sees("member-resting")
    ben.to(ben.portal.link(ben.mail, "/enrol/link/"), look="enrol-start")
    ben.fill(password=WORDS)
    ben.press("Go on")
    ben.page.get_by_label("Name").fill("New laptop")
    ben.press("Create a passkey")
    ben.take_codes()
    ben.to("/profile/", look="profile-resting")


def _operator(empty: Empty, olive: Walker) -> None:
    assert "is being told" in empty.manage("recoverowner", "ben@harbour.test")
    page = olive.to("/recoveries/", look="recoveries")
    olive.press("Cancel this recovery")
    expect(page.get_by_text("is cancelled.")).to_be_visible()
    olive.sees("recoveries-none")


def _ownership(olive: Walker, cleo: Walker, ben: Walker) -> None:
    page = olive.to("/organization/owner/")
    page.get_by_label("New Owner").select_option(label=cleo.name)
    olive.press("Ask for the transfer")
    page.wait_for_url("**/requests/*/")
    ben.sign_in()
    ben.to(page.url)
    ben.press("Approve")
    expect(ben.page.get_by_text("Yours was the last approval: it is executed.")).to_be_visible()
    cleo.to("/organization/owner/offer/", look="offer")
    cleo.press("Accept")
    expect(cleo.page.get_by_text("You are the Owner of Harbour Trust.")).to_be_visible()
    cleo.to("/organization/", look="organization-new-owner")


def _several_organizations(empty: Empty, olive: Walker) -> None:
    empty.manage("createorganization", "--name", "Quay Fund", "--currency", "EUR", "--owner-email", olive.mail,
                 "--owner-name", olive.name, "--yes")  # fmt: skip
    page = olive.to("/invitations/accept/", look="accept-more-none")
    page.get_by_text("Harbour Trust").first.click()
    olive.sees("switch")
    olive.press("Quay Fund")
    expect(page.locator(".switch summary")).to_contain_text("Quay Fund")
    olive.to("/members/")
    expect(page.get_by_role("table").get_by_text("Ben Adeyemi")).to_have_count(0)


def _own_pages(olive: Walker) -> None:
    page = olive.to("/security/", look="security")
    page.get_by_role("link", name="Laptop").click()
    olive.sees("factor")
    olive.press("Remove")
    expect(page.get_by_text("This is your last passkey")).to_be_visible()
    olive.to("/profile/", look="profile")
    olive.to("/security/password/", look="change-password")
    olive.to("/security/confirm/", look="prove-own")


def _idle(olive: Walker) -> None:
    """The dialog over the page takes a passkey too."""
    page = olive.to("/profile/")
    olive.fill(name="Olive M. Marsh")
    olive.context.clear_cookies(name="session")
    page.evaluate(HURRY)
    page.get_by_role("heading", name="Your session has ended").wait_for()
    olive.sees("idle-over")
    page.locator("dialog[data-idle]").get_by_role("button", name="Sign in with a passkey").click()
    page.locator("dialog[data-idle]").wait_for(state="hidden")
    assert page.locator("main [name=name]").input_value() == "Olive M. Marsh"
    olive.press("Save")
    expect(page.get_by_text("Your profile is changed.")).to_be_visible()
