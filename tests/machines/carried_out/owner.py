"""The Owner at a browser with a passkey: makes it while all is well, and comes in by it when no app counts any more.

A program, for it has to run where the machines can be reached. Told who they are as JSON on a line; a line on standard
output when the passkey is made; after the next line that it reads, it comes in, and tells as JSON the new key of a bot.
"""

import json
import os
import re
import sys
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.devices import plug_in
from tests.machines.visitor import code

PATIENCE = 60_000


def main() -> None:
    """Both halves, in one browser: the passkey lives in it."""
    told = json.loads(sys.stdin.readline())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM"], args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(base_url=told["url"], ignore_https_errors=True)
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page = context.new_page()
        plug_in(context, page).present(True)
        _make_passkey(page, told)
        _say("made")
        sys.stdin.readline()
        context.clear_cookies()
        _come_in(page)
        _remove_app(page)
        _say(json.dumps(_rotate(page, told["bot"])))
        browser.close()


def _make_passkey(page: Page, told: dict[str, Any]) -> None:
    page.goto("/sign-in/")
    page.get_by_label("Email").fill(told["email"])
    page.get_by_label("Password").fill(told["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Authentication code").fill(code(told["secret"]))
    page.get_by_role("button", name="Verify").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    page.goto("/security/")
    page.get_by_role("link", name="Add a second factor").click()
    page.get_by_label("Name").first.fill("Laptop")
    page.get_by_role("button", name="Create a passkey").click()
    page.wait_for_url("**/security/**")


def _come_in(page: Page) -> None:
    page.goto("/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def _remove_app(page: Page) -> None:
    page.goto("/security/")
    page.locator("a[href*='/factors/totp/']").click()
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url("**/security/")


def _rotate(page: Page, bot: str) -> list[str]:
    page.goto(f"/service-users/{bot}/rotate/")
    page.get_by_label("The old key goes on for").select_option("0")
    page.get_by_label("I mean it", exact=False).check()
    page.locator("main").get_by_role("button", name=re.compile("Rotate|Make new key")).click()
    page.get_by_role("button", name="Reveal secret").click()
    page.get_by_role("heading", name="Take the secret with you now").wait_for()
    shown = re.findall(r"<code translate.*?</code>", page.content(), re.DOTALL)
    return ["".join(re.findall(r"<span>([^<]+)</span>", each)) for each in shown]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
