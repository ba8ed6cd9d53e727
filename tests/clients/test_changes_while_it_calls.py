"""A released client in a loop, over a socket, while people change what its key may do: the next call knows."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import ccxt
import krakenex
import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
# What an administrator does, in a process of their own: another node, as far as the server knows.
PROGRAM = """
import secrets
import sys
import time
from dataclasses import replace
import django
django.setup()
from accounts.api_keys import lifecycle
from accounts.emergency_stop.stop import revoke_key, suspend_service_user
from accounts.service_users.key_settings import limits_of
from accounts.models import Account, ApiKey, Member, ServiceUser
from accounts.service_users.create_and_change import (
    ChangeServiceUser, CreateServiceUser, change_service_user, create_service_user,
)
from accounts.service_users.reinstate_and_remove import LiftSuspension, lift_suspension
from django.utils import timezone
from datetime import timedelta
from policies.changes import propose

name = f"looping-{secrets.token_hex(4)}"
owner = Member.objects.get(user__email="owner@demo.test")
account = Account.objects.get(organization=owner.organization, name="Main")
propose(create_service_user, actor=owner, params=CreateServiceUser(
    name=name, account_id=account.pk, permissions=("close-trades",), expires_at=None, query_start=None,
    query_end=None, websocket=False, nonce_window=0, ip_allow_list=(),
))
bot = ServiceUser.objects.get(name=name)
revealed = lifecycle.reveal(bot.keys.get().pk, member=owner)

def change(**fields):
    bot.refresh_from_db()
    before = limits_of(bot)
    params = ChangeServiceUser(bot.pk, bot.account_id, before, replace(before, **fields), acknowledged=True)
    propose(change_service_user, actor=owner, params=params)

def expire():
    end = timezone.now() + timedelta(seconds=1)
    change(expires_at=end)
    while timezone.now() < end:
        time.sleep(0.05)

ACTS = {
    "without cancel": lambda: change(permissions=("query-ledger",)),
    "with cancel": lambda: change(permissions=("close-trades",)),
    "elsewhere only": lambda: change(ip_allow_list=("198.51.100.7",)),
    "from anywhere": lambda: change(ip_allow_list=()),
    "suspended": lambda: suspend_service_user(actor=owner, service_user=bot, reason="It has to stop."),
    "lifted": lambda: propose(lift_suspension, actor=owner, params=LiftSuspension(bot.pk)),
    "expires soon": lambda: expire(),
    "expires": lambda: change(expires_at=timezone.now() + timedelta(days=1)),
    "revoked": lambda: revoke_key(actor=owner, api_key=ApiKey.objects.get(service_user=bot), reason="It has to stop."),
}
print(revealed.public, revealed.secret, flush=True)
for line in sys.stdin:
    ACTS[line.strip()]()
    print("done", flush=True)
"""
# Cancelling costs the call counter nothing, and there is no such order.
ALLOWED = ["EOrder:Unknown order"]
DENIED, INVALID = ["EGeneral:Permission denied"], ["EAPI:Invalid key"]


class Bot:
    """Calls again and again from a thread of its own, and remembers every answer."""

    def __init__(self, portal, public: str, secret: str) -> None:
        self.api = krakenex.API(public, secret)
        self.api.uri = portal.url
        self.over = Event()
        self.answers: list[list[str]] = []
        self.thread = Thread(target=self.loop, daemon=True)

    def loop(self) -> None:
        # Slow enough not to be locked out for failing twenty times in a row.
        while not self.over.wait(0.1):
            self.answers.append(self.api.query_private("CancelOrder", {"txid": "OAAAAA-AAAAA-AAAAAA"})["error"])

    def next_errors(self, calls: int = 3) -> list[list[str]]:
        """What the calls brought that began after now: the one that was under way does not count."""
        start = len(self.answers) + 1
        while len(self.answers) < start + calls:
            assert self.thread.is_alive()
            self.over.wait(0.005)
        return self.answers[start : start + calls]


@dataclass
class Node:
    """The other process, and the key that it made."""

    process: "subprocess.Popen[str]"
    public: str = ""
    secret: str = ""

    def hears(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def act(self, what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        assert self.hears() == "done", what


@pytest.fixture
def node(portal) -> Iterator[Node]:
    environment = {**portal.environment, "DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-c", PROGRAM]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, env=environment, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        other = Node(process)
        other.public, other.secret = other.hears().split()
        yield other


def test_every_change_counts_from_the_next_call(portal, node):
    """K4, AP-9: permissions, allow-list, suspension, expiry and revocation, while the client goes on calling."""
    bot = Bot(portal, node.public, node.secret)
    bot.thread.start()
    steps = [
        ("without cancel", DENIED), ("with cancel", ALLOWED), ("elsewhere only", INVALID), ("from anywhere", ALLOWED),
        ("suspended", INVALID), ("lifted", ALLOWED), ("expires", ALLOWED), ("revoked", INVALID),
    ]  # fmt: skip
    try:
        assert bot.next_errors() == [ALLOWED] * 3
        for what, expected in steps:
            node.act(what)
            assert bot.next_errors() == [expected] * 3, what
    finally:
        bot.over.set()
        bot.thread.join(20)


def test_each_failure_is_the_exception_that_a_real_client_has_for_it(portal, node):
    """AP-15: each failure of AP-7 read by a real client."""

    def client(**given: str) -> "ccxt.kraken":
        exchange = ccxt.kraken({"apiKey": node.public, "secret": node.secret, "enableRateLimit": False, **given})
        exchange.urls["api"]["public"] = exchange.urls["api"]["private"] = portal.url
        return exchange

    def fails(exchange: "ccxt.kraken", error: type[Exception], text: str) -> None:
        with pytest.raises(error) as raised:
            exchange.private_post_cancelorder({"txid": "OAAAAA-AAAAA-AAAAAA"})
        # The whole answer, and nothing beside it that would help a prober.
        assert str(raised.value) == f'kraken {{"error":["{text}"]}}'
        assert raised.type is error

    bot = client()
    fails(bot, ccxt.InvalidOrder, "EOrder:Unknown order")
    fails(client(apiKey="A" * 56), ccxt.AuthenticationError, "EAPI:Invalid key")
    fails(client(secret=base64.b64encode(bytes(64)).decode()), ccxt.ExchangeError, "EAPI:Invalid signature")
    stuck = client()
    stuck.nonce = lambda: 1
    fails(stuck, ccxt.InvalidNonce, "EAPI:Invalid nonce")
    node.act("without cancel")
    fails(bot, ccxt.PermissionDenied, "EGeneral:Permission denied")
    for wrong, right in (("elsewhere only", "from anywhere"), ("suspended", "lifted"), ("expires soon", "expires")):
        node.act(wrong)
        fails(bot, ccxt.AuthenticationError, "EAPI:Invalid key")
        node.act(right)
        fails(bot, ccxt.PermissionDenied, "EGeneral:Permission denied")
    node.act("revoked")
    fails(bot, ccxt.AuthenticationError, "EAPI:Invalid key")
