"""`python -m tests.machines.rehearsal.onlooker`: somebody who reads in Chromium while the database is lost.

Told as JSON on standard input who they are; prints as JSON after how many seconds the notice came, and after how many
it had gone, from when they were ready, which is a line of its own.
"""

import json
import sys
import time
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tests.chaos.players import walk
from tests.chaos.players.cast import BASE_URL

NOTICE: Final = "The database takes no changes just now"
WITHIN: Final = 120
READ: Final = "/history/"
PAUSE: Final = 0.5


def main() -> None:
    told = json.loads(sys.stdin.readline())
    pictures = Path(told["pictures"])
    pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=told["chromium"], args=["--no-sandbox"])
        page = browser.new_context(ignore_https_errors=True, base_url=BASE_URL).new_page()
        page.set_default_timeout(walk.PATIENCE)
        walk.sign_in(page, told["seed"], told["email"], told["password"])
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        began = time.monotonic()
        came = _until(page, began, is_there=True)
        page.screenshot(path=pictures / "read-only.png", full_page=True)
        gone = _until(page, began, is_there=False)
        page.screenshot(path=pictures / "takes-changes-again.png", full_page=True)
        browser.close()
    sys.stdout.write(json.dumps({"came": came[0], "gone": gone[0], "others": came[1] + gone[1]}))


def _until(page: Page, began: float, *, is_there: bool) -> tuple[float, list[int]]:
    """Seconds until the page that is read has the notice, or has it no more; and every other status than 200."""
    others: list[int] = []
    while time.monotonic() < began + WITHIN:
        answer = page.goto(READ)
        status = answer.status if answer else 0
        if status != 200:
            others.append(status)
        elif page.get_by_text(NOTICE).first.is_visible() == is_there:
            return time.monotonic() - began, others
        time.sleep(PAUSE)
    raise AssertionError(f"the notice is {'not there' if is_there else 'there'} after {WITHIN} s: {others}")


if __name__ == "__main__":
    main()
