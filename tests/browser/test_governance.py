"""An administrator rolls policies out, runs into what is refused, and finds out what becomes of requests."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, Person, Portal, _free_port, _wait_until_ready
from tests.browser.devices import PICTURES, Eyes
from tests.browser.test_story import _show_the_factor
from tests.browser.walking import empty_portal
from tests.database import kept_demo

pytestmark = [pytest.mark.browser, pytest.mark.story, pytest.mark.long]
HOURS_LATER = 80
# The same portal and the same data, and a clock that is ahead.
LATER = """
import sys
from datetime import UTC, datetime, timedelta

import time_machine
from django.core.management import execute_from_command_line

time_machine.travel(datetime.now(UTC) + timedelta(hours=int(sys.argv[1])), tick=True).start()
execute_from_command_line(["manage.py", "runserver", "--noreload", sys.argv[2]])
"""


@pytest.fixture(scope="module")
def governed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A demo of its own: what is locked here would be in everybody else's way."""
    folder = tmp_path_factory.mktemp("governed")
    with empty_portal(folder / "var", begun=kept_demo.begun) as empty:
        demo = json.loads((folder / "var" / "demo.json").read_text())
        yield Portal(base_url=empty.url, folder=folder, welcome="", demo=demo)


class Company:
    """Those who take part, each at a browser of their own, and what was seen on the way."""

    def __init__(self, portal: Portal, chromium: Browser) -> None:
        self.portal, self.chromium = portal, chromium
        self.eyes = Eyes()
        self.people: dict[str, Person] = {}

    def __getitem__(self, name: str) -> Person:
        if name not in self.people:
            self.people[name] = self.arrives(name)
            self.people[name].comes_in()
        return self.people[name]

    def arrives(self, name: str, portal: Portal | None = None) -> Person:
        portal = portal or self.portal
        context = self.chromium.new_context(base_url=portal.base_url, timezone_id="Europe/Zurich", locale="en-GB")
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: self.eyes.trouble.append(f"{name}: {error}"))
        return Person(name, portal, context, page)

    def comes_back(self, name: str, portal: Portal) -> Person:
        """Somebody signs in anew at another portal."""
        self.leaves(name)
        self.people[name] = self.arrives(name, portal)
        self.people[name].comes_in()
        return self.people[name]

    def leaves(self, *names: str) -> None:
        for name in names or list(self.people):
            self.people.pop(name).context.close()

    def sees(self, name: str, picture: str, *, for_all_readers: bool = False) -> None:
        """A picture where pictures are wanted; axe looks at one page of each kind."""
        if PICTURES or for_all_readers:
            self.eyes.look(self.people[name].page, f"governance-{picture}")

    def approves(self, name: str, path: str) -> Page:
        page = self[name].goes_to(path)
        _show_the_factor(self[name])
        page.get_by_role("button", name="Approve", exact=True).click()
        expect(page.get_by_role("heading", name="Your countersignature")).to_have_count(0)
        return page


def test_an_administrator_rolls_out_and_locks(governed: Portal, chromium: Browser) -> None:
    company = Company(governed, chromium)
    _it_says_where_it_is_weak(company)
    again = _a_stale_request_is_asked_again(company)
    _manage_policies_is_rolled_out(company)
    _what_nobody_could_finish_is_refused(company)
    _withdrawals_are_locked(company)
    _who_locked_it_does_not_unlock_it_alone(company)
    _one_suspends_and_asks_to_keep_them_out(company)
    with later(governed) as portal:
        _nobody_answered(company, portal, again)
    company.leaves()
    assert not company.eyes.trouble, "\n".join(company.eyes.trouble)


def _it_says_where_it_is_weak(company: Company) -> None:
    page = company["owner"].goes_to("/policies/")
    weak = page.get_by_role("note").filter(has_text="Initiate Withdrawal is weaker than its policy says.")
    expect(weak).to_contain_text("Olive Marsh alone can get there:")
    expect(weak.get_by_role("listitem").first).to_contain_text("asks to remove the policy of Initiate Withdrawal")
    company.sees("owner", "01-weak", for_all_readers=True)


def _a_stale_request_is_asked_again(company: Company) -> str:
    """R6: the first carried out makes the other stale, with both versions shown."""
    page = company["ana"].goes_to("/policies/manage_addresses/")
    page.get_by_label("Approvals").fill("2")
    page.get_by_label("Note").fill("Two of us should look at addresses.")
    company.sees("ana", "02-configure")
    _sends(page, "Ask for approval")
    path = page.url.removeprefix(company.portal.base_url)

    meanwhile = company["owner"].goes_to("/policies/manage_addresses/")
    meanwhile.get_by_label("Always require approval").check()
    _sends(meanwhile, "Save policy")
    # It would be weaker than it says: who asks has to say that they know.
    expect(meanwhile.get_by_text("Look at what follows from this, and say that you know.", exact=True)).to_be_visible()
    company.sees("owner", "02-acknowledge", for_all_readers=True)
    _sends(meanwhile, "Save policy")

    page = company["ana"].goes_to(path)
    expect(page.get_by_role("heading", name="What changed meanwhile")).to_be_visible()
    company.sees("ana", "03-stale", for_all_readers=True)
    page.get_by_role("link", name="Ask again").click()
    company.sees("ana", "04-ask-again", for_all_readers=True)
    _sends(page, "Ask again")
    expect(page.locator("main")).to_contain_text("This asks again for")
    company.sees("ana", "05-asked-again")
    return page.url.removeprefix(company.portal.base_url)


def _manage_policies_is_rolled_out(company: Company) -> None:
    page = company["owner"].goes_to("/policies/")
    page.get_by_role("link", name="Roll out Manage Policies").click()
    page.get_by_label("Approvals to reach").fill("9")
    page.get_by_role("button", name="Plan for this many").click()
    expect(page.locator("main")).to_contain_text("Invite another approver for Manage Policies")
    company.sees("owner", "06-roll-out-too-many", for_all_readers=True)
    page.get_by_label("Approvals to reach").fill("2")
    page.get_by_role("button", name="Plan for this many").click()
    company.sees("owner", "07-roll-out", for_all_readers=True)
    for name in ("08-step-1", "09-step-2"):
        page.get_by_role("link", name="Take this step").click()
        company.sees("owner", name)
        _sends(page, "Save policy")
    company.sees("owner", "10-roll-out-last-step")
    expect(page.get_by_role("link", name="Lock the policy", exact=True)).to_have_count(0)
    _everybody_answers_a_rehearsal(company)
    page = company["owner"].goes_to("/policies/manage_policies/roll-out/?approvals=2")
    page.get_by_role("link", name="Lock the policy").click()
    company.sees("owner", "11-lock", for_all_readers=True)
    _sends(page, "Ask to lock policy")
    company.sees("owner", "12-lock-asked")
    path = page.url.removeprefix(company.portal.base_url)
    company["owner"].goes_to("/policies/manage_policies/roll-out/?approvals=2")
    expect(page.locator("main")).to_contain_text("Lock the policy of Manage Policies waits as request")
    expect(page.get_by_role("link", name="Lock the policy", exact=True)).to_have_count(0)
    company.sees("owner", "13-roll-out-waits")
    company["ben"].goes_to(path)
    company.sees("ben", "14-lock-to-decide", for_all_readers=True)
    company.approves("ben", path)
    page = company.approves("cleo", path)
    expect(page.get_by_role("heading", name="Executed")).to_be_visible()
    page = company["owner"].goes_to("/policies/")
    expect(page.get_by_role("article", name="Manage Policies")).to_contain_text("Locked")
    company.sees("owner", "15-locked", for_all_readers=True)


def _everybody_answers_a_rehearsal(company: Company) -> None:
    page = company["owner"].page
    expect(page.locator("main")).to_contain_text("0 of 4 who may approve have answered")
    page.get_by_role("link", name="Rehearse", exact=True).click()
    company.sees("owner", "10-rehearse", for_all_readers=True)
    _sends(page, "Ask for answers")
    path = page.url.removeprefix(company.portal.base_url)
    company["ben"].goes_to(path)
    company.sees("ben", "10-rehearsal-to-answer", for_all_readers=True)
    for name in ("ben", "cleo", "fay"):
        page = company.approves(name, path)
    expect(page.get_by_role("heading", name="Executed")).to_be_visible()


def _what_nobody_could_finish_is_refused(company: Company) -> None:
    page = company["owner"].goes_to("/policies/initiate_withdrawal/")
    # It has rules, so its page leads to them.
    page.get_by_role("button", name="Begin a draft").click()
    page.get_by_role("link", name="Change rule 3").last.click()
    page.get_by_role("spinbutton", name="Approvals").first.fill("5")
    page.get_by_role("button", name="Save rule").last.click()
    page.get_by_role("link", name="See what would change").click()
    expect(page.locator("main")).to_contain_text("Nothing is asked yet.")
    company.sees("owner", "16-dead-end-preview")
    _sends(page, "Ask for approval")
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("Initiate Withdrawal from Main of 500,000 or more, asked by Ana Ruiz, would need 5")
    expect(refused).to_contain_text("First add 3 more members with Approve on Initiate Withdrawal to Board, then ask")
    company.sees("owner", "17-dead-end-refused", for_all_readers=True)


def _withdrawals_are_locked(company: Company) -> None:
    page = company["ana"].goes_to("/policies/initiate_withdrawal/lock/")
    expect(page.locator("main")).to_contain_text("Not everybody has shown that they can approve.")
    page.get_by_label("I know this, and want it all the same").check()
    _sends(page, "Ask to lock policy")
    path = page.url.removeprefix(company.portal.base_url)
    # As many as the locked rules ask for afterwards: two of the board.
    company.approves("fay", path)
    company.approves("cleo", path)
    page = company["owner"].goes_to("/policies/")
    expect(page.get_by_role("article", name="Initiate Withdrawal")).to_contain_text("Locked")
    company.sees("owner", "18-both-locked")


def _who_locked_it_does_not_unlock_it_alone(company: Company) -> None:
    page = company["owner"].goes_to("/policies/")
    page.get_by_role("link", name="Unlock Initiate Withdrawal").click()
    expect(page.locator("main")).to_contain_text("This will wait for 2 approvals of Board.")
    company.sees("owner", "19-unlock", for_all_readers=True)
    _sends(page, "Ask to unlock policy")
    expect(page.locator(".quorum").first).to_contain_text("0 of 2")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    company.sees("owner", "20-unlock-asked")
    page.get_by_role("button", name="Cancel request").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    company.sees("owner", "21-unlock-cancelled")


def _one_suspends_and_asks_to_keep_them_out(company: Company) -> None:
    page = company["ana"].goes_to("/members/")
    page.get_by_role("link", name="Otto Berg").click()
    page.get_by_role("link", name="Suspend").click()
    page.get_by_label("Why").fill("A stolen laptop.")
    company.sees("ana", "22-suspend")
    page.get_by_role("button", name="Suspend").click()
    expect(page.locator("main")).to_contain_text("Otto Berg is suspended.")
    company.sees("ana", "22-suspended", for_all_readers=True)
    page.get_by_text("Keep Otto Berg out").click()
    page.get_by_role("button", name="Keep out").click()
    expect(page.locator("main")).to_contain_text("asks to keep Otto Berg out")
    company.sees("ana", "23-keep-out-asked")


def _nobody_answered(company: Company, portal: Portal, path: str) -> None:
    ana = company.comes_back("ana", portal)
    page = ana.goes_to(path)
    expect(page.get_by_role("heading", name="Expired")).to_be_visible()
    company.sees("ana", "25-expired", for_all_readers=True)
    page.get_by_role("link", name="Ask again").click()
    company.sees("ana", "26-expired-ask-again")


def _sends(page: Page, name: str) -> None:
    known = page.get_by_label("I know this, and want it all the same")
    if known.count():
        known.check()
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


@contextmanager
def later(portal: Portal) -> Iterator[Portal]:
    """The same portal after some days in which nobody came."""
    port = _free_port()
    url = f"http://localhost:{port}"
    environment = {**os.environ, "PORTAL_DEBUG": "1", "PORTAL_VAR": str(portal.folder / "var"), "PORTAL_BASE_URL": url}
    environment.pop("DATABASE_URL", None)
    output = portal.folder / "later.txt"
    with output.open("w") as file:
        command = [sys.executable, "-c", LATER, str(HOURS_LATER), str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        _wait_until_ready(url, server, output)
        yield Portal(base_url=url, folder=portal.folder, welcome="", demo=portal.demo, ahead=HOURS_LATER * 3600)
    finally:
        server.terminate()
        server.wait(20)
