"""The key of a bot that is in use has leaked: it is stopped on the pages, and looked into, as the runbook has it."""

import re

import pytest

from tests.machines import installation, runbooks
from tests.machines.carried_out import hands
from tests.machines.installation import DOMAIN, PACKAGES
from tests.machines.machine import machines

pytestmark = pytest.mark.drill

BOT = "/service-users/treasury-bot/"
ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "1000", "volume": "0.01"}


@pytest.fixture(scope="module")
def portal(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("machines")
    with (
        machines(network, folder, ["node"], PACKAGES) as (node,),
        hands.installed(network, node, tmp_path_factory.mktemp("portal")) as portal,
    ):
        yield portal


def words(page: str) -> str:
    """What a page says, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_key_that_leaked_is_stopped_and_looked_into(portal):
    steps = runbooks.steps("leaked-key")
    assert {number: len(blocks) for number, blocks in steps.items()} == {5: 1, 6: 2}
    node, visitor = portal.node, portal.visitor
    installation.fund(node)
    leaked = installation.make_key(node, portal.owner)
    other = installation.make_key(node, portal.owner, "other-bot")
    assert visitor.call(*leaked, "AddOrder", **ORDER)["error"] == []
    cookies = portal.signed_in()

    # 1: the Owner had it made, and so is a custodian.
    (revoke,) = re.findall(rf'href="({BOT}keys/[^"]+/revoke/)"', visitor.get(BOT, cookies)[1])
    visitor.submit(revoke, cookies, reason="It was in a repository")
    assert visitor.call(*leaked, "Balance")["error"] == ["EAPI:Invalid key"]
    # 2.
    where = {"where": "initiate_withdrawal:1", "hours": "72", "reason": "A key has leaked"}
    assert "Initiate Withdrawal from Main" in visitor.submit("/policies/freezes/new/", cookies, **where)[1]
    # 3.
    page = words(visitor.get(BOT, cookies)[1])
    assert re.search(r"Revoked Last used .* from \S+ for AddOrder", page)
    assert "1 × EAPI:Invalid key" in page
    history = words(visitor.get("/history/", cookies)[1])
    assert "It was in a repository" in history
    assert "A key has leaked" in history
    # 4.
    assert visitor.call(*other, "CancelAll") == {"error": [], "result": {"count": 1}}
    # 5.
    said = node.shell(steps[5][0])
    assert "EAPI:Invalid key" in said
    assert re.search(r"^organization-1 \d+ [0-9a-f]{64} Example Ltd$", said, re.MULTILINE)
    assert leaked[1][:8] not in said
    # 6: it may move money, for ever and from anywhere, which somebody has to mean.
    visitor.submit(f"{BOT}rotate/", cookies, expires_at="", acknowledged="on")
    (reveal,) = re.findall(rf'action="({BOT}keys/[^"]+/reveal/)#reveal"', visitor.get(BOT, cookies)[1])
    shown = visitor.submit(BOT, cookies, action=reveal)[1]
    key, secret = ("".join(re.findall(r"<span>([^<]+)</span>", part)) for part in
                   re.findall(r"<code translate.*?</code>", shown, re.DOTALL))  # fmt: skip
    assert visitor.call(key, secret, "Balance")["error"] == []
    assert visitor.call(*leaked, "Balance")["error"] == ["EAPI:Invalid key"]


def test_an_operator_alone_stops_the_api_and_opens_it_again(portal):
    close, reopen = runbooks.steps("leaked-key")[6]
    node, visitor = portal.node, portal.visitor
    before = node.shell("cat /etc/nginx/sites-available/countersign.conf")
    node.shell(close)
    answers = [visitor.get(path)[0] for path in ("/0/public/Time", "/v2", "/sign-in/")]
    assert answers == [503, 503, 200]
    assert visitor.get("/0/public/Time", url=f"http://{DOMAIN}")[0] == 503
    node.shell(reopen)
    assert visitor.get("/0/public/Time")[0] == 200
    assert visitor.get("/v2")[0] == 426
    assert node.shell("cat /etc/nginx/sites-available/countersign.conf") == before
