"""The links in the mail, opened in a real browser: its forms must be taken, and nothing of the token stay behind."""

import quopri
import re
import time
from pathlib import Path

import pytest

from tests.browser.conftest import Portal, totp

pytestmark = pytest.mark.browser
NEW = "three lanterns under the bridge"


def link_in_mail(portal: Portal, path: str, to: str) -> str:
    """The newest link of that kind that was mailed to somebody."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        files = sorted((portal.folder / "var" / "mail").glob("*"), key=lambda file: file.stat().st_mtime)
        found = [link for file in files for link in _links(file, path, to)]
        if found:
            return found[-1]
        time.sleep(0.1)
    raise AssertionError(f"No mail to {to} holds a link to {path}.")


def _links(file: Path, path: str, to: str) -> list[str]:
    mails = quopri.decodestring(file.read_bytes()).decode().split("-" * 79)
    return [link for mail in mails if f"To: {to}" in mail for link in re.findall(rf"http://\S+{path}\w+/", mail)]


def test_an_invited_person_comes_in_and_sees_what_they_may_do(person, portal):
    """SI-11: final URL has no token; the form behind it is taken, as is that of the enrolment."""
    owner = person("owner")
    owner.comes_in()
    page = owner.goes_to("/invitations/new/?preset=treasurer")
    page.get_by_label("Name", exact=True).fill("Nora Falk")
    page.get_by_label("Email").fill("nora@new.test")
    page.get_by_role("button", name="Send the invitation").click()
    page.wait_for_url("**/invitations/")

    nora = person("nora")
    page = nora.page
    page.goto(link_in_mail(portal, "/invitations/", "nora@new.test"))
    assert page.url == f"{portal.base_url}/invitations/accept/"
    nora.pictures("accept")
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_label("Password again").fill(NEW)
    page.get_by_role("button", name="Accept").click()
    page.wait_for_url("**/enrol/")
    page = nora.goes_to("/enrol/app/")
    seed = "".join((page.locator(".secret code").text_content() or "").split())
    page.get_by_label("Authentication code").fill(totp(seed, int(time.time()) // 30))
    page.get_by_role("button", name="Verify").click()
    page.wait_for_url("**/security/recovery-codes/")
    page = nora.goes_to("/welcome/")
    page.get_by_role("heading", name="Welcome to Demo Treasury").wait_for()
    page.get_by_text("identity is verified").first.wait_for()
    nora.pictures("welcome")


def test_a_forgotten_password_is_set_by_a_link(person, portal):
    """F-9, SI-11: the form behind the link is taken, and nobody is signed in by it."""
    fay = person("fay")
    page = fay.goes_to("/password/forgotten/")
    page.get_by_label("Email").fill("fay@demo.test")
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()
    page.goto(link_in_mail(portal, "/password/reset/", "fay@demo.test"))
    assert page.url == f"{portal.base_url}/password/reset/"
    again = portal.member("fay")["password"]
    page.get_by_label("New password", exact=True).fill(again)
    page.get_by_label("New password again").fill(again)
    page.get_by_role("button", name="Set password").click()
    page.wait_for_url("**/sign-in/")
    page.get_by_text("Your password is set.").wait_for()
    fay.sign_in()
