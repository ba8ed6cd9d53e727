"""Freezing by keyboard alone, what everybody then sees, and lifting it again, looked over by axe."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Person
from tests.browser.test_deciding import looked_over, press_until

pytestmark = pytest.mark.browser
WHY = "Nobody knows yet who has the laptop."


def test_a_workflow_is_frozen_by_keyboard_seen_by_everybody_and_lifted(person: Callable[[str], Person]) -> None:
    ana = person("ana")
    ana.comes_in()
    page = ana.goes_to("/policies/")
    looked_over(page)
    press_until(page, "Tab", 'a[href$="/policies/freezes/new/?where=manage_access"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Freeze")
    expect(page.get_by_label("Freeze", exact=True)).to_have_value("manage_access")
    looked_over(page)
    press_until(page, "Tab", "input[name=hours]")
    page.keyboard.type("0")
    press_until(page, "Tab", "input[name=reason]")
    page.keyboard.type(WHY)
    press_until(page, "Tab", "form button.button--stop")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Please look at what is marked below.")).to_be_visible()
    expect(page.get_by_label("Why")).to_have_value(WHY)
    looked_over(page)
    page.get_by_label("Hours").fill("2")
    page.get_by_role("button", name="Freeze", exact=True).click()
    expect(page.get_by_role("heading", name="Manage Access", exact=True)).to_be_visible()
    looked_over(page)

    owner = person("owner")
    owner.comes_in()
    page = owner.goes_to("/inbox/")
    line = page.get_by_role("region", name="Frozen now")
    expect(line).to_contain_text(WHY)
    looked_over(page)
    line.get_by_role("link", name="See what is frozen").click()
    page.get_by_role("link", name="Lift the freeze of Manage Access").click()
    looked_over(page)
    page.get_by_role("button", name="Lift the freeze").click()
    expect(page.get_by_text("Lift the freeze of Manage Access: done.")).to_be_visible()
    expect(page.get_by_text("Nothing is frozen.")).to_be_visible()
    expect(page.get_by_text("lifted by a request of Olive Marsh")).to_be_visible()
    looked_over(page)
