"""`python -m tests.chaos.players.walk SEED EMAIL`: one person in Chromium, from signing in to a request's page."""

import os
import sys
import time
from typing import Final

from playwright.sync_api import Page, expect, sync_playwright

from tests.chaos.players import codes
from tests.chaos.players.cast import BASE_URL, PASSWORD

PATIENCE: Final = 30_000
PAGES: Final = ("/inbox/?tab=all", "/balances/", "/withdrawals/", "/policies/", "/history/")


def walk(seed: str, email: str) -> None:
    """Sign in with both factors, look at what there is, and open a request. Raises: AssertionError where it stops."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
        # The authority that signed the certificate is one of this run alone.
        page = browser.new_context(ignore_https_errors=True, base_url=BASE_URL).new_page()
        page.set_default_timeout(PATIENCE)
        sign_in(page, seed, email)
        for path in PAGES:
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200, f"{path}: {answer.status}"
            expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.goto("/inbox/?tab=all")
        requests = page.locator("a[href*='/requests/']")
        # Others decide meanwhile, and none may wait for a moment.
        end = time.monotonic() + PATIENCE / 1000
        while not requests.count() and time.monotonic() < end:
            time.sleep(0.5)
            page.reload()
        requests.first.click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        browser.close()


def sign_in(page: Page, seed: str, email: str, password: str = PASSWORD) -> None:
    """With both factors."""
    page.goto("/sign-in/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Authentication code").fill(codes.totp(seed, int(time.time()) // codes.STEP))
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in/" not in url)


if __name__ == "__main__":
    walk(sys.argv[1], sys.argv[2])
