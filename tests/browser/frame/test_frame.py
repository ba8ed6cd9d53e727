"""What only a browser knows about the frame of the pages."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LATE = """
seconds => {
  const line = document.createElement("span");
  const figure = document.createElement("span");
  line.dataset.nextCode = seconds;
  line.hidden = true;
  line.append("Next code in ", figure, " s.");
  document.querySelector("main").append(line);
}
"""


def test_a_request_of_htmx_carries_the_token_of_the_page(person):
    """WB-3: by header `X-CSRFToken` read from the page at request time."""
    ana = person("ana")
    ana.comes_in()
    page = ana.goes_to("/history/")
    token = page.locator('meta[name="csrf-token"]').get_attribute("content")
    with page.expect_request("**/sign-out/") as sent:
        page.evaluate('htmx.ajax("POST", "/sign-out/", {swap: "none"})')
    assert sent.value.headers["x-csrftoken"] == token
    assert sent.value.response().ok


def test_the_seconds_to_the_next_code_run_down_also_on_a_line_that_came_late(person):
    """SU-2: with TOTP the page counts down to the next code."""
    ana = person("ana")
    page = ana.goes_to("/sign-in/")
    page.evaluate(LATE, "2")
    # Past the end of the step it begins again at thirty, and goes on falling.
    figure = page.locator("[data-next-code] > span")
    expect(figure).to_have_text(re.compile("^(30|2[0-9])$"))
    first = figure.inner_text()
    expect(figure).not_to_have_text(first)
    assert int(figure.inner_text()) < int(first)


def test_the_rail_is_always_there_when_wide_and_behind_a_button_when_narrow(person):
    ana = person("ana")
    ana.comes_in()
    page = ana.goes_to("/history/")
    assert page.get_by_role("link", name="Withdrawals").is_visible()
    page.set_viewport_size({"width": 360, "height": 800})
    assert not page.get_by_role("link", name="Withdrawals").is_visible()
    page.get_by_role("button", name="Menu").click()
    assert page.get_by_role("link", name="Withdrawals").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="Withdrawals").is_visible()


def test_the_history_fits_every_screen_in_both_themes(person):
    audit = person("audit")
    audit.comes_in()
    audit.goes_to("/history/")
    audit.pictures("history")
