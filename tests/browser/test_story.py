"""The whole story: a bot asks to withdraw, two people approve in their browsers, the bot sees it settle.

Nothing here is pretended: the portal runs as `make run` starts it, every person has a browser profile of their own,
and the bots are the released krakenex and ccxt with no change but the base URL.
"""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from playwright.sync_api import Error, expect

from tests.browser.bots import Program
from tests.browser.conftest import Person, Portal

pytestmark = [pytest.mark.browser, pytest.mark.story]

CLOSED_TO_STRANGERS = ("/", "/inbox/", "/members/", "/service-users/", "/service-users/new/", "/policies/",
                       "/addresses/", "/withdrawals/", "/history/", "/inbox/count/")  # fmt: skip
SETTLES_WITHIN = 10


class Bot(Program):
    """A treasury bot and what it wants to know."""

    def withdraw(self, amount: str, key: str = "btc-cold") -> str:
        reference: str = self.get("Withdraw", asset="XBT", key=key, amount=amount)["refid"]
        return reference

    def row(self, reference: str) -> dict[str, Any]:
        rows = self.get("WithdrawStatus", asset="XBT")
        return next(row for row in rows if row["refid"] == reference)

    def btc(self) -> Decimal:
        return Decimal(self.get("Balance")["XXBT"])

    def stage(self, reference: str) -> tuple[str, str | None]:
        row = self.row(reference)
        return row["status"], row.get("status-prop")

    def settles(self, reference: str) -> dict[str, Any]:
        deadline = time.monotonic() + SETTLES_WITHIN
        while (row := self.row(reference))["status"] != "Success":
            assert time.monotonic() < deadline, row
        return row


def test_the_main_job_from_end_to_end(portal: Portal, person: Callable[[str], Person]) -> None:
    _the_start_says_how_to_get_in(portal)
    owner = person("owner")
    _a_password_alone_opens_nothing(owner)
    owner.sign_in()
    bot = _the_owner_makes_a_bot(owner)
    ana, ben, cleo, fay, eve = (person(name) for name in ("ana", "ben", "cleo", "fay", "eve"))
    for somebody in (ana, ben, cleo, fay, eve):
        somebody.sign_in()
    _ana_asks_for_a_bot_and_ben_approves(ana, ben)
    _krakenex_reads(bot)
    before = bot.btc()
    reference = bot.withdraw("1.25")
    assert bot.stage(reference) == ("Initial", "onhold")
    assert bot.btc() == before - Decimal("1.25")
    path = _it_waits_for_those_who_may_decide(ben, cleo, fay)
    _nobody_else_can_decide(portal, path, owner, ana, eve)
    _two_countersign(ben, cleo, path)
    _it_has_settled(bot, reference, before)
    _every_other_end_gives_the_money_back(bot, owner, fay)
    _without_its_policy_a_withdrawal_goes_at_once(portal, owner)
    _a_revoked_key_takes_its_requests_along(portal, owner, bot)


def _the_start_says_how_to_get_in(portal: Portal) -> None:
    for said in (portal.base_url, "owner@demo.test", "eve@elsewhere.test", "--code"):
        assert said in portal.welcome, portal.welcome


def _a_password_alone_opens_nothing(owner: Person) -> None:
    member = owner.portal.member("owner")
    page = owner.goes_to("/sign-in/")
    owner.pictures("sign-in")
    page.get_by_label("Email").fill(member["email"])
    page.get_by_label("Password").fill(member["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Authentication code")).to_be_visible()
    owner.pictures("sign-in-code")
    for path in CLOSED_TO_STRANGERS:
        answer = owner.context.request.get(f"{owner.portal.base_url}{path}", max_redirects=0)
        assert answer.status == 302, (path, answer.status)
        assert "/sign-in/" in answer.headers["location"], path


def _the_owner_makes_a_bot(owner: Person) -> Bot:
    page = owner.goes_to("/service-users/new/")
    page.get_by_label("Name", exact=True).fill("story-bot")
    for permission in ("query-funds", "withdraw-funds", "query-ledger"):
        page.locator(f"input[name=permissions][value={permission}]").check()
    owner.pictures("new-service-user")
    page.get_by_role("button", name="Create").click()
    # A key that may withdraw for ever and from anywhere has to be meant.
    expect(page.get_by_role("alert").first).to_be_visible()
    assert page.get_by_label("Name", exact=True).input_value() == "story-bot"
    owner.pictures("new-service-user-error")
    page.locator("input[name=acknowledged]").check()
    page.get_by_role("button", name="Create").click()
    owner.goes_to("/service-users/story-bot/")
    owner.pictures("service-user")
    key, secret = _reveal(owner)
    return Bot(owner.portal.base_url, key, secret)


def _reveal(somebody: Person) -> tuple[str, str]:
    """Press *Reveal secret*, read both halves, and see that nothing brings the secret back."""
    page = somebody.page
    address = page.url
    page.get_by_role("button", name="Reveal secret").click()
    key = page.locator("[data-copied=key]").text_content() or ""
    secret = page.locator("[data-copied=secret]").text_content() or ""
    assert len(key) == 56, key
    assert len(secret) == 88
    somebody.pictures("reveal")
    for way_back in (lambda: page.goto(address), page.reload, page.go_back, page.go_forward):
        # What answered a POST was not kept: going back to it, the browser itself refuses to show it again.
        with suppress(Error):
            way_back()
        page.wait_for_load_state()
        expect(page.locator("html")).not_to_contain_text(secret)
    page.goto(address)
    expect(page.get_by_role("button", name="Reveal secret")).to_have_count(0)
    return key, secret


def _ana_asks_for_a_bot_and_ben_approves(ana: Person, ben: Person) -> None:
    page = ana.goes_to("/service-users/new/")
    page.get_by_label("Name", exact=True).fill("ana-bot")
    page.locator("input[name=permissions][value=query-funds]").check()
    page.get_by_role("button", name="Ask").click()
    ana.goes_to("/service-users/")
    expect(page.get_by_role("link", name="ana-bot", exact=True)).to_have_count(0)
    _decide(ben, "ana-bot", "Approve")
    ana.goes_to("/service-users/ana-bot/")
    key, secret = _reveal(ana)
    reader = Bot(ana.portal.base_url, key, secret)
    assert reader.btc() > 0
    assert reader.ask("Ledgers")["error"] == ["EGeneral:Permission denied"]


def _decide(somebody: Person, title: str, word: str, reason: str = "") -> None:
    """Find a request in the inbox by what its row says, and decide it."""
    page = somebody.goes_to("/inbox/")
    page.locator(".row", has_text=title).locator(".row__what a").first.click()
    _press(somebody, word, reason)


def _press(somebody: Person, word: str, reason: str = "") -> None:
    page = somebody.page
    _show_the_factor(somebody)
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=word, exact=True).click()
    page.wait_for_load_state()


def _krakenex_reads(bot: Bot) -> None:
    public = bot.api.query_public
    assert public("Time")["result"]["unixtime"] > 0
    assert public("SystemStatus")["result"]["status"] == "online"
    assert "XXBT" in public("Assets")["result"]
    assert "XXBTZUSD" in public("AssetPairs")["result"]
    assert bot.get("GetApiKeyInfo")["apiKeyName"] == "story-bot"
    extended = bot.get("BalanceEx")["XXBT"]
    assert Decimal(extended["balance"]) == bot.btc()
    assert bot.get("Ledgers")["count"] > 0
    assert bot.get("WithdrawMethods", asset="XBT")
    assert {row["key"] for row in bot.get("WithdrawAddresses")} == {"btc-cold", "eth-cold", "usd-bank"}
    assert Decimal(bot.get("WithdrawInfo", asset="XBT", key="btc-cold", amount="1")["fee"]) > 0
    assert bot.ask("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="1")["error"] == [
        "EGeneral:Permission denied"
    ]


def _it_waits_for_those_who_may_decide(*approvers: Person) -> str:
    path = ""
    for approver in approvers:
        page = approver.goes_to("/inbox/")
        row = page.locator(".row", has_text="story-bot").first
        expect(row).to_contain_text("btc-cold")
        expect(row).to_contain_text("1.25")
        expect(row).to_contain_text("story-bot")
        # Without the list that it was opened from.
        path = (row.locator("a").first.get_attribute("href") or "").partition("?")[0]
    approvers[0].pictures("inbox")
    page = approvers[0].goes_to(path)
    main = page.locator("main")
    for said in ("story-bot", "1.25", "BTC", "Main", "btc-cold", "Olive Marsh", "Digest"):
        expect(main).to_contain_text(said)
    approvers[0].pictures("request")
    return path


def _nobody_else_can_decide(portal: Portal, path: str, owner: Person, ana: Person, eve: Person) -> None:
    digest = "0" * 64
    for somebody in (owner, ana):
        page = somebody.goes_to(path)
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        expect(page.get_by_role("button", name="Reject")).to_have_count(0)
        shown = page.locator("main").inner_html()
        digest = _digest(shown) or digest
    for somebody in (owner, ana):
        forged = {"decision": "approve", "digest": digest, "code": portal.code(somebody.name)}
        somebody.posts(f"{path}decide/", forged)
    expect(eve.goes_to(path).get_by_role("heading", level=1)).to_have_text("There is no such page")
    expect(eve.page.locator("body")).not_to_contain_text("btc-cold")
    eve.goes_to("/inbox/")
    assert eve.posts(f"{path}decide/", {"decision": "approve", "digest": digest, "code": portal.code("eve")}) == 404
    page = owner.goes_to(path)
    expect(page.locator(".quorum").first).to_contain_text("0 of 2")
    owner.pictures("request-custodian")


def _digest(html: str) -> str:
    """The digest as the page shows it, put together again."""
    shown = re.sub(r"<[^>]*>", " ", html.rpartition("SHA-256")[2][:600])
    return "".join(re.findall(r"\b[0-9a-f]{4}\b", shown))[:64]


def _two_countersign(ben: Person, cleo: Person, path: str) -> None:
    ben.goes_to(path)
    _press(ben, "Approve")
    expect(ben.page.locator(".quorum").first).to_contain_text("1 of 2")
    expect(ben.page.get_by_role("button", name="Approve")).to_have_count(0)
    page = cleo.goes_to(path)
    # A wrong code costs nothing but the try, and loses nothing that was typed.
    page.get_by_label("Reason").fill("seen the invoice")
    page.get_by_label("Authentication code").fill("000000")
    with page.expect_navigation():
        page.get_by_role("button", name="Approve", exact=True).click()
    assert page.get_by_label("Reason").input_value() == "seen the invoice"
    cleo.pictures("request-wrong-code")
    time.sleep(2)
    _press(cleo, "Approve")
    expect(page.locator("main")).to_contain_text("Executed")
    cleo.pictures("request-executed")


def _it_has_settled(bot: Bot, reference: str, before: Decimal) -> None:
    row = bot.settles(reference)
    assert row["txid"]
    assert "status-prop" not in row
    assert Decimal(row["amount"]) + Decimal(row["fee"]) == Decimal("1.25")
    assert bot.btc() == before - Decimal("1.25")
    entry, earlier = list(bot.get("Ledgers", asset="XBT")["ledger"].values())[:2]
    assert (entry["refid"], entry["type"]) == (reference, "withdrawal")
    assert Decimal(entry["amount"]) - Decimal(entry["fee"]) == Decimal("-1.25")
    # What others have on hold is on the books and not free.
    held_by_others = Decimal(earlier["balance"]) - before
    assert Decimal(entry["balance"]) - held_by_others == bot.btc()


def _every_other_end_gives_the_money_back(bot: Bot, owner: Person, fay: Person) -> None:
    before = bot.btc()
    rejected = bot.withdraw("0.5")
    _decide(fay, "story-bot", "Reject", reason="Not this week.")
    expect(fay.page.locator("main")).to_contain_text("Rejected")
    fay.pictures("request-rejected")
    cancelled_by_bot = bot.withdraw("0.6")
    assert bot.get("WithdrawCancel", asset="XBT", refid=cancelled_by_bot) is True
    cancelled_by_owner = bot.withdraw("0.7")
    page = owner.goes_to("/withdrawals/")
    owner.pictures("withdrawals")
    page.goto(f"{owner.portal.base_url}/inbox/?tab=all")
    page.locator(".row", has_text="story-bot").locator(".row__what a").first.click()
    page.get_by_role("button", name="Cancel request").click()
    expect(page.locator("main")).to_contain_text("Cancelled")
    for reference in (rejected, cancelled_by_bot, cancelled_by_owner):
        assert bot.stage(reference) == ("Failure", "canceled")
    assert bot.btc() == before


def _without_its_policy_a_withdrawal_goes_at_once(portal: Portal, owner: Person) -> None:
    page = owner.goes_to("/policies/")
    owner.pictures("policies")
    page.get_by_role("link", name="Remove Initiate Withdrawal").click()
    _show_the_factor(owner)
    owner.pictures("remove-policy")
    page.get_by_role("button", name="Remove policy").click()
    expect(page.get_by_role("article", name="Initiate Withdrawal")).to_contain_text("Bootstrap")
    treasury = next(bot for bot in portal.demo["service_users"] if bot["name"] == "treasury-bot")
    exchange = ccxt.kraken({"apiKey": treasury["api_key"], "secret": treasury["api_secret"]})
    exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = portal.base_url
    # Whom this machine trusts is in the environment.
    exchange.session.trust_env = True
    exchange.load_markets()
    assert exchange.fetch_time() > 0
    assert exchange.fetch_status()["status"] == "ok"
    free = exchange.fetch_balance()["BTC"]["free"]
    asked = exchange.withdraw("BTC", 0.25, "", params={"key": "btc-cold"})
    deadline = time.monotonic() + SETTLES_WITHIN
    while True:
        rows = exchange.fetch_withdrawals("BTC")
        row = next(row for row in rows if row["id"] == asked["id"])
        if row["status"] == "ok":
            break
        assert time.monotonic() < deadline, row
    assert exchange.fetch_balance()["BTC"]["free"] == pytest.approx(free - 0.25)
    assert any(entry["referenceId"] == asked["id"] for entry in exchange.fetch_ledger("BTC"))


def _a_revoked_key_takes_its_requests_along(portal: Portal, owner: Person, bot: Bot) -> None:
    page = owner.goes_to("/policies/initiate_withdrawal/")
    page.get_by_label("Approvals").fill("2")
    page.get_by_label("Always require approval").check()
    _show_the_factor(owner)
    owner.pictures("policy")
    page.get_by_role("button", name="Save policy").click()
    # Weaker than it says, while the Owner alone can remove it: the page wants that said.
    page.get_by_label("I know this").check()
    page.get_by_role("button", name="Save policy").click()
    expect(page.get_by_role("article", name="Initiate Withdrawal")).to_contain_text("Enforced")
    before = bot.btc()
    reference = bot.withdraw("0.8")
    assert bot.stage(reference) == ("Initial", "onhold")
    owner.goes_to("/service-users/story-bot/")
    page.get_by_role("link", name="Revoke").click()
    page.get_by_label("Why").fill("The story ends it.")
    page.get_by_role("button", name="Revoke key").click()
    page.wait_for_load_state()
    assert bot.ask("Balance")["error"] == ["EAPI:Invalid key"]
    treasury = next(row for row in portal.demo["service_users"] if row["name"] == "treasury-bot")
    other = Bot(portal.base_url, treasury["api_key"], treasury["api_secret"])
    assert other.stage(reference) == ("Failure", "canceled")
    assert other.btc() == before
    owner.goes_to("/history/")
    owner.pictures("history")
    for path, name in (("/members/", "members"), ("/addresses/", "addresses"), ("/service-users/", "service-users")):
        owner.goes_to(path)
        owner.pictures(name)


def _show_the_factor(somebody: Person) -> None:
    """Fill in a code where the page asks for one: it does once the sign-in is five minutes old."""
    field = somebody.page.get_by_label("Authentication code")
    if field.count():
        field.fill(somebody.portal.code(somebody.name))
