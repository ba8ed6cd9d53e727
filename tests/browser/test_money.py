"""Addresses, withdrawals and balances in a browser: what is typed is answered at once, and asked once."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.devices import violations

pytestmark = pytest.mark.browser


def is_accessible(page: Page) -> None:
    assert violations(page) == []


def test_a_member_withdraws_and_a_double_click_asks_once(person):
    """AP-14: by double click and back button. The pages hold in both themes, narrow and wide, and for all readers."""
    ana = person("ana")
    ana.comes_in()
    for path, name in (("/addresses/", "addresses"), ("/balances/", "balances"),
                       ("/addresses/new/", "address-bank")):  # fmt: skip
        page = ana.goes_to(path)
        if name == "address-bank":
            page.get_by_label("Asset and network").select_option(label="USD · Bank transfer")
            page.get_by_role("button", name="Go on").click()
        is_accessible(page)
        ana.pictures(name)

    page = ana.goes_to("/withdrawals/new/")
    page.get_by_label("To", exact=True).select_option(index=2)
    page.get_by_label("Amount").fill("0.0071")
    expect(page.locator("main")).to_contain_text("0.0065 ETH arrives")
    page.get_by_label("Amount").fill("7e1")
    expect(page.locator("main")).to_contain_text("Write the amount in digits")
    page.get_by_label("Amount").fill("0.0072")
    expect(page.locator("main")).to_contain_text("0.0066 ETH arrives")
    is_accessible(page)
    page.get_by_role("button", name="Review").click()
    expect(page.locator("main")).to_contain_text("You ask to send 0.0072 ETH from Main to the address eth-cold.")
    is_accessible(page)
    ana.pictures("withdrawal-review")
    page.get_by_role("button", name="Ask for approval").dblclick()
    expect(page.locator("main")).to_contain_text("0.0072")
    page.wait_for_url(re.compile("/(requests|withdrawals)/[A-Z0-9-]+/$"))
    page.go_back()
    expect(page.locator("main")).to_contain_text("This was asked already, as request")

    page = ana.goes_to("/withdrawals/?state=pending")
    expect(page.locator(".row", has_text="0.0072")).to_have_count(1)
    is_accessible(page)
    page.locator(".row", has_text="0.0072").locator(".row__what a").click()
    expect(page.locator("main")).to_contain_text("The amount is off the free balance and waits for people.")
    is_accessible(page)
    ana.pictures("withdrawal")
    page.get_by_role("link", name=re.compile("^Request ")).click()
    page.get_by_role("button", name="Cancel request").click()
    expect(page.locator("main")).to_contain_text("Cancelled")
