"""Passkeys in a real browser: Chromium with a virtual authenticator, against a portal on localhost."""

from collections.abc import Callable

import krakenex
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Person, Portal
from tests.browser.devices import Device, plug_in

pytestmark = pytest.mark.browser

REFUSED = "Nothing was confirmed"


@pytest.fixture
def device() -> Callable[[Person], Device]:
    return lambda person: plug_in(person.context, person.page)


def add_passkey(page: Page, base_url: str, name: str) -> None:
    page.goto(f"{base_url}/security/")
    page.get_by_role("link", name="Add a second factor").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create a passkey").click()


def sign_in_with_passkey(page: Page, base_url: str) -> None:
    page.goto(f"{base_url}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/")


def money(portal: Portal, amount: str) -> None:
    """A withdrawal that a bot asks for."""
    known = next(bot for bot in portal.demo["service_users"] if bot["name"] == "treasury-bot")
    api = krakenex.API(known["api_key"], known["api_secret"])
    api.uri = portal.base_url
    answer = api.query_private("Withdraw", {"asset": "XBT", "key": "btc-cold", "amount": amount})
    assert answer["error"] == [], answer


def test_a_passkey_is_made_signs_in_and_approves_money(portal, person, device):
    """F-5, F-12, SU-2: the whole way of one person with a passkey, nothing pretended but the finger."""
    ben = person("ben")
    ben.comes_in()
    own, page = device(ben), ben.page
    own.present(True)
    add_passkey(page, portal.base_url, "Laptop")
    expect(page.get_by_text("“Laptop” is a second factor of yours now.")).to_be_visible()
    assert own.holds() == 1
    ben.pictures("recovery-codes")
    page.get_by_role("button", name="Use passkey").click()
    expect(page.get_by_role("heading", name="Take these codes with you now")).to_be_visible()
    assert page.locator(".codes li").count() == 10
    ben.pictures("new-recovery-codes")
    page.get_by_role("link", name="I have stored them").click()

    sign_out(page)
    own.present(False)
    page.goto(f"{portal.base_url}/sign-in/")
    page.wait_for_timeout(500)
    assert page.url.endswith("/sign-in/"), "nothing is asked of the passkey before a click"
    own.present(True)
    sign_in_with_passkey(page, portal.base_url)
    page.wait_for_url("**/inbox/")

    money(portal, "0.31")
    page.goto(f"{portal.base_url}/inbox/")
    page.locator("main .row", has_text="0.31").locator("a").first.click()
    expect(page.locator("#decide")).to_contain_text("0.31")
    expect(page.get_by_role("button", name="Use passkey")).to_be_visible()
    ben.pictures("request-with-passkey")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("You approved Withdraw 0.31 BTC")).to_be_visible()
    expect(page.get_by_text("Passkey · same digest")).to_be_visible()

    page.goto(f"{portal.base_url}/security/")
    expect(page.get_by_role("rowheader", name="Laptop", exact=True).first).to_be_visible()
    ben.pictures("security")


def test_without_a_verified_person_all_three_ceremonies_fail(portal, person, device):
    """F-5: virtual authenticator with `isUserVerified=false` fails all three."""
    cleo = person("cleo")
    cleo.comes_in()
    own, page = device(cleo), cleo.page
    own.present(True)
    own.verifies(False)
    add_passkey(page, portal.base_url, "Laptop")
    expect(page.get_by_text(REFUSED)).to_be_visible()
    assert own.holds() == 0

    own.verifies(True)
    add_passkey(page, portal.base_url, "Laptop")
    expect(page.get_by_text("“Laptop” is a second factor of yours now.")).to_be_visible()
    own.verifies(False)
    page.goto(f"{portal.base_url}/security/confirm/")
    page.get_by_role("button", name="Use passkey").click()
    expect(page.get_by_text(REFUSED)).to_be_visible()

    page.goto(f"{portal.base_url}/security/")
    sign_out(page)
    sign_in_with_passkey(page, portal.base_url)
    expect(page.get_by_text(REFUSED)).to_be_visible()
    assert page.url.endswith("/sign-in/")
    own.verifies(True)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/inbox/")


def test_after_the_password_a_passkey_is_the_first_offer(portal, person, device):
    """F-12: on the second step too, and the code stays beside it."""
    fay = person("fay")
    fay.comes_in()
    own, page = device(fay), fay.page
    own.present(True)
    add_passkey(page, portal.base_url, "Key")
    expect(page.get_by_text("“Key” is a second factor of yours now.")).to_be_visible()
    page.goto(f"{portal.base_url}/security/")
    sign_out(page)
    known = portal.member("fay")
    page.get_by_label("Email").fill(known["email"])
    page.get_by_label("Password").fill(known["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Authentication code")).to_be_visible()
    fay.pictures("second-step-with-passkey")
    page.get_by_role("button", name="Use passkey").click()
    page.wait_for_url("**/inbox/")


def test_an_app_is_enrolled_from_its_qr_code(portal, person):
    """F-4: the code shows under the strict policy, and fits a narrow screen."""
    audit = person("audit")
    audit.comes_in()
    page = audit.goes_to("/enrol/")
    audit.pictures("enrol")
    page.get_by_role("link", name="Set up an authenticator app").click()
    expect(page.get_by_role("img", name="QR code with the key below")).to_be_visible()
    box = page.locator("svg.qr").bounding_box()
    assert box is not None
    assert 150 <= box["width"] <= 260
    audit.pictures("enrol-app")
