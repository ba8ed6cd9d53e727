"""Somebody writes the rules of a policy by keyboard alone, on a narrow screen, in a browser that runs no script."""

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import Portal

pytestmark = pytest.mark.browser
NARROW: ViewportSize = {"width": 360, "height": 740}
MONEY = "/policies/initiate_withdrawal/rules/"


@pytest.fixture
def page(portal: Portal, chromium: Browser):
    """Ana's, who asks and has to wait for others."""
    context = chromium.new_context(base_url=portal.base_url, viewport=NARROW, java_script_enabled=False)
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_label("Email").fill("ana@demo.test")
    page.get_by_label("Password").fill(portal.member("ana")["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Authentication code").fill(portal.code("ana"))
    page.get_by_role("button", name="Verify").click()
    page.wait_for_url("**/inbox/**")
    yield page
    context.close()


def reach(page: Page, name: str) -> None:
    """Go on by Tab until the control of that name has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.locator(":focus").get_attribute("name") == name:
            return
    raise AssertionError(f"{name} is not reached by Tab")


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    widest = page.locator("html").bounding_box()
    assert widest is not None
    assert widest["width"] <= NARROW["width"]


def test_a_tier_is_written_and_reviewed_by_keyboard_at_360_pixels_without_script(page):
    page.goto(f"{MONEY}new/")
    reach(page, "amount")
    page.keyboard.type("100000")
    reach(page, "of0_count")
    page.keyboard.press("Control+A")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{MONEY}")
    said = "When 100,000 USD or more leaves, alone or together with everything of the last 24 hours: 3 approvals"
    expect(page.get_by_text(said).first).to_be_visible()
    fits(page)
    page.get_by_role("link", name="See what would change").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What your draft would change")).to_be_visible()
    expect(page.get_by_text("Below 100,000 USD within 24 hours leaves without 3 approvals.")).to_be_visible()
    fits(page)
    page.go_back()
    page.get_by_role("button", name="Discard the draft").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your draft is gone. What is in force stays.")).to_be_visible()


def test_what_is_wrong_is_said_beside_it_and_going_back_loses_nothing(page):
    page.goto(f"{MONEY}new/")
    reach(page, "amount")
    page.keyboard.type("9" * 30)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("An amount is below a thousand million millions.")
    expect(page.locator("[name=amount]")).to_have_value("9" * 30)
    fits(page)
    page.goto(f"{MONEY}new/")
    page.locator("summary", has_text="Any asset").focus()
    page.keyboard.press("Enter")
    reach(page, "assets_how")
    page.keyboard.press("ArrowDown")
    reach(page, "assets")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_text("When money leaves in BTC: 1 approval")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="A new rule")).to_be_visible()
    page.go_forward()
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.get_by_text("You have none.")).to_be_visible()
