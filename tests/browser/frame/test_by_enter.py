"""The Enter key in a form that decides: nothing is decided, and nothing typed is lost, with scripts and without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from portal.core.forms import NOTHING_BY_ENTER
from tests.browser.conftest import Person, Portal

pytestmark = pytest.mark.browser
REASON = "Do not send this, the invoice is wrong"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_enter_in_the_code_and_in_the_reason_approves_nothing(
    portal: Portal, person: Callable[..., Person], asks: Callable[[str], None], scripts: bool
) -> None:
    """fault pages-A1"""
    asks("0.37" if scripts else "0.38")
    cleo = person("cleo", java_script_enabled=scripts)
    cleo.comes_in()
    page = cleo.goes_to("/inbox/?tab=waiting&about=eth-cold")
    page.get_by_role("link", name="Withdraw to eth-cold").first.click()
    page.get_by_label("Reason").fill(REASON)
    code = portal.code("cleo")
    page.get_by_label("Authentication code").fill(code)
    for label in ("Authentication code", "Reason"):
        page.get_by_label(label).press("Enter")
        expect(page.get_by_text("Your countersignature")).to_be_visible()
    expect(page.get_by_text(NOTHING_BY_ENTER)).to_be_visible()
    expect(page.get_by_text("Cleo Novak approved")).to_have_count(0)
    expect(page.get_by_label("Authentication code")).to_have_value(code)
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_text("You rejected Withdraw")).to_be_visible()
    expect(page.get_by_text(REASON).first).to_be_visible()
