"""The page of the recovery codes in a real browser: masked in time, saved by button, gone when it is left."""

from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

pytestmark = pytest.mark.browser


def test_the_codes_are_masked_saved_and_gone_when_the_page_is_left(person):
    """SE-3: masked after 60 s with Show, storage empty, nothing on the way back; F-7: shown once."""
    cleo = person("cleo")
    cleo.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cleo.comes_in()
    page = cleo.goes_to("/security/recovery-codes/")
    page.clock.install()
    page.get_by_role("button", name="Show ten new codes").click()
    shown = page.locator(".codes code")
    expect(shown).to_have_count(10)
    codes = shown.all_text_contents()
    assert len(set(codes)) == 10
    cleo.pictures("new-recovery-codes")
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()").split("\n") == codes
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as text").click()
    assert saved.value.suggested_filename == "countersign-recovery-codes.txt"
    text = Path(saved.value.path()).read_text()
    assert text.splitlines()[2:] == codes
    assert "cleo@demo.test" in text.splitlines()[0]

    page.clock.run_for(61_000)
    expect(page.locator(".codes")).to_have_count(0)
    cleo.pictures("new-recovery-codes-masked")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(shown).to_have_text(codes)
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]

    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    expect(page.locator("main")).not_to_contain_text(codes[0])
    page.get_by_role("link", name="I have stored them").click()
    page.wait_for_url("**/inbox/")
    for way_back in (page.go_back, page.reload):
        with suppress(Error):
            way_back()
        page.wait_for_load_state()
        expect(page.locator("html")).not_to_contain_text(codes[0])
