"""A group made and changed by keyboard on a telephone: boxes, the way past them, and what is said at every tick."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Person

pytestmark = pytest.mark.browser
NARROW = {"width": 360, "height": 740}


def tick(page: Page, name: str) -> None:
    """As somebody does who has no mouse."""
    page.get_by_label(name).focus()
    page.keyboard.press("Space")


def test_a_group_is_made_and_changed_by_keyboard_at_360_pixels(person: Callable[..., Person]) -> None:
    owner = person("owner", viewport=NARROW)
    owner.comes_in()
    page = owner.goes_to("/groups/new/")
    page.get_by_label("Name").fill("Night watch")
    for name in ("Ben Adeyemi", "Cleo Novak", "Olive Marsh"):
        tick(page, name)
    expect(page.locator("#forecast")).to_contain_text("This will wait for 1 approval.")
    expect(page.locator("#forecast")).to_contain_text("Fay Lindholm can approve it.")
    tick(page, "Olive Marsh")
    expect(page.locator("#forecast")).to_contain_text("This happens at once.")
    page.get_by_role("link", name="Skip the list").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Note")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Create group")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Create the group Night watch: done.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.get_by_role("link", name="Night watch").click()
    tick(page, "Ben Adeyemi")
    page.get_by_role("button", name="Change group").press("Enter")
    expect(page.get_by_text("Change the group Night watch: done.")).to_be_visible()
    expect(page.get_by_text("1 member", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
