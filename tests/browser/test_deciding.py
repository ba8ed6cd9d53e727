"""The pages on which people decide, by keyboard alone, on a telephone and in the dark, and looked over by axe."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Person, Portal
from tests.browser.devices import violations

pytestmark = pytest.mark.browser
MINE = "/inbox/?tab=waiting&about=eth-cold"


def looked_over(page: Page) -> None:
    """Wide and light, then narrow and dark: axe finds nothing, and nothing scrolls sideways."""
    for scheme, width in (("light", 1280), ("dark", 360)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        # As high as the page, so that the bars that stick to its edges lie where they belong and not upon a row.
        page.set_viewport_size({"width": width, "height": page.evaluate("document.documentElement.scrollHeight")})
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    page.set_viewport_size({"width": 1280, "height": 900})


def press_until(page: Page, key: str, selector: str, most: int = 80) -> None:
    """Go on with one key until what has the focus fits."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{key} never came to {selector}")


def test_requests_are_walked_through_and_rejected_together_by_keyboard(
    portal: Portal, person: Callable[[str], Person], asks: Callable[[str], None]
) -> None:
    for amount in ("0.5", "0.75"):
        asks(amount)
    ben = person("ben")
    ben.comes_in()
    page = ben.goes_to(MINE)
    looked_over(page)

    press_until(page, "Tab", ".row__what a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Withdraw 0.5 ETH to eth-cold")
    looked_over(page)
    ben.pictures("request")
    press_until(page, "Tab", 'a[rel="next"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Withdraw 0.75 ETH to eth-cold")
    page.go_back()
    page.go_back()

    expect(page.get_by_role("button", name="Reject together")).to_be_hidden()
    for _ in range(2):
        press_until(page, "Tab", "input[name=change]")
        page.keyboard.press("Space")
    expect(page.locator("[data-chosen]")).to_have_text("2 chosen")
    looked_over(page)
    ben.pictures("inbox-chosen")
    press_until(page, "Tab", 'button[value="reject"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reject 2 requests")
    looked_over(page)
    ben.pictures("batch")

    page.get_by_label("Authentication code").fill(portal.code("ben"))
    page.get_by_label("Reason").fill("Twice is once too often.")
    press_until(page, "Tab", ".decide button.button--stop")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="2 requests rejected.")).to_be_visible()
    expect(page.get_by_text("No request fits this filter.")).to_be_visible()
    ben.goes_to("/inbox/?tab=done&about=eth-cold")
    page.get_by_role("link", name="Withdraw to eth-cold").first.click()
    expect(page.get_by_text("Twice is once too often.").first).to_be_visible()
    looked_over(page)
    ben.pictures("request-rejected")
    ben.goes_to("/history/")
    page.get_by_text("Details").first.click()
    looked_over(page)


def test_a_second_click_sends_nothing_twice(person: Callable[[str], Person]) -> None:
    """CR-4: double click."""
    ana = person("ana")
    ana.comes_in()
    page = ana.goes_to("/profile/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    with page.expect_navigation():
        page.evaluate(
            """() => {
              const button = document.querySelector('main form[method="post"] button');
              button.click();
              button.click();
            }"""
        )
    assert len(sent) == 1
