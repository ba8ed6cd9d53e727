"""One failover after the other under a bot that does not stop, and what has to be true of it afterwards."""

import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any, Final

from tests.machines import installation, networks
from tests.machines.failovers.cluster import Cluster, until
from tests.machines.installation import DOMAIN
from tests.machines.machine import Machine
from tests.machines.networks import Network
from tests.operating.wheels import ROOT
from tests.serving import surroundings

# As many answers as show that all goes well again.
STEADY: Final = 10
BITCOIN_DECIMALS: Final = 8
UNAVAILABLE: Final = "EService:Unavailable"

# Money for the bot, and an address it may send to.
FUNDED: Final = """
from decimal import Decimal
from accounts.models import Account, Member
from policies.changes import propose
from portal.treasury.operations import AddAddress, add_address
from portal.venues.paper import funding
owner = Member.objects.get(user__email="{email}")
account = Account.objects.get(organization=owner.organization, name="Main")
for asset, amount in (("BTC", "400"), ("USD", "9000000")):
    funding.deposit(account.pk, asset, Decimal(amount), reference="opening-" + asset)
propose(add_address, actor=owner, params=AddAddress(account_id=account.pk, key="btc-cold", asset="XXBT",
    method="Bitcoin", address="bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", memo=""))
"""
# What there is of the bot's: how often each order by the bot's own number, and each withdrawal by its reference.
FOUND: Final = """
import json
from django.db.models import Count
from portal.treasury.models import Withdrawal
from portal.venues.paper.orders.models import Order
print(json.dumps({
    "orders": dict(Order.objects.exclude(cl_ord_id=None).values_list("cl_ord_id").annotate(Count("pk"))),
    "withdrawals": list(Withdrawal.objects.values_list("reference", flat=True)),
    "amounts": dict(Withdrawal.objects.values_list("amount_units").annotate(Count("pk"))),
}))
"""


@dataclass
class Bot:
    """The bot's program, and what it has been answered so far."""

    process: "subprocess.Popen[str]"
    lines: list[dict[str, Any]] = field(default_factory=list)

    def acknowledged(self, since: float = 0.0) -> list[dict[str, Any]]:
        """Calls begun after `since` that brought a result."""
        return [line for line in list(self.lines) if line["began"] >= since and _is_done(line["answer"])]

    def errors(self) -> Counter[str]:
        """What else it was answered, or `TimeoutError` and the like where nothing came back."""
        others = [line["answer"] for line in self.lines if not _is_done(line["answer"])]
        return Counter(answer if isinstance(answer, str) else answer["error"][0] for answer in others)


def _is_done(answer: object) -> bool:
    return isinstance(answer, dict) and not answer["error"]


@contextlib.contextmanager
def trading(cluster: Cluster, folder: Path) -> Iterator[Bot]:
    """A bot with money that has begun; it ends with the block."""
    owner = installation.found(cluster.node)
    cluster.node.run("countersign", "shell", given=FUNDED.format(email=owner.email))
    key, secret = installation.make_key(cluster.node, owner)
    certificate = folder / "certificate.pem"
    certificate.write_text(cluster.node.shell("cat /etc/countersign/tls/certificate.pem"))
    # It calls as fast as it is answered.
    cluster.node.shell("echo PORTAL_API_LIMITS=0 >> /etc/countersign/environment && systemctl restart countersign-web")
    network = cluster.node.network
    told = {"url": f"https://{DOMAIN}", "certificate": str(certificate), "key": key, "secret": secret}
    with networks.named(network, {DOMAIN: cluster.node.address}), calling(network, told) as bot:
        yield bot


@contextlib.contextmanager
def calling(network: Network, told: Mapping[str, str]) -> Iterator[Bot]:
    """The bot's program, where the machines can be reached, told where it calls and with which key."""
    process = subprocess.Popen(
        [*network.inside, sys.executable, "-m", "tests.machines.failovers.bot"], cwd=ROOT, env=surroundings(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    bot = Bot(process)
    reader = Thread(target=lambda: bot.lines.extend(map(json.loads, process.stdout or ())), daemon=True)
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    reader.start()
    try:
        yield bot
    finally:
        process.stdin.close()
        process.wait(60)
        reader.join(10)
        process.stdout.close()


@dataclass(frozen=True)
class Failover:
    """`seconds` from the loss of the primary to the first write that was acknowledged after it."""

    how: str
    seconds: float
    whole_after: float

    def __str__(self) -> str:
        return f"{self.how:12} {self.seconds:6.1f} s to the first write, {self.whole_after:6.1f} s to a replica again"


def fail_over(cluster: Cluster, bot: Bot, how: str) -> Failover:
    """Lose the primary by `how` (its plug is pulled, or it is cut off), go on at the other, and let it come back."""
    until(cluster.is_whole, "a primary and its synchronous replica")
    before = len(bot.acknowledged())
    until(lambda: len(bot.acknowledged()) >= before + STEADY, f"a bot that is answered: {bot.errors()}")
    lost = cluster.primary()
    assert lost is not None
    began = time.time()
    cluster.lost = lost
    _lose(lost, how)
    until(lambda: bot.acknowledged(began + 1), f"a write after the primary was lost: {bot.errors()}")
    first = bot.acknowledged(began + 1)[0]
    until(lambda: len(bot.acknowledged(first["ended"])) >= STEADY, "a bot that goes on")
    until(lambda: cluster.primary() not in (None, lost), "Patroni names the other one")
    back = time.time()
    cluster.lost = None
    if how == "cut off":
        lost.join_again()
    else:
        lost.start()
    try:
        until(cluster.is_whole, f"{lost.name} follows")
    except AssertionError as error:
        error.add_note(lost.shell("journalctl --unit patroni --no-pager --lines 400 | grep -v 'patroni.[0-9]*.:  '"))
        raise
    return Failover(how, first["ended"] - began, time.time() - back)


def _lose(machine: Machine, how: str) -> None:
    if how == "cut off":
        machine.cut_off()
    else:
        machine.kill()


def what_is_wrong(cluster: Cluster, bot: Bot) -> list[str]:
    """Acknowledged writes that are not there, whatever is there twice, and what the portal's own checks find."""
    found = json.loads(cluster.node.run("countersign", "shell", given=FOUND).stdout.splitlines()[-1])
    wrong = [f"order {own} is there {count} times" for own, count in found["orders"].items() if count != 1]
    asked = {str(int(Decimal(line["what"]) * 10**BITCOIN_DECIMALS)) for line in bot.lines if "-" not in line["what"]}
    wrong += [
        f"a withdrawal is there {count} times"
        for units, count in found["amounts"].items()
        if units in asked and count != 1
    ]
    for line in bot.acknowledged():
        result = line["answer"]["result"]
        own, there = (result["refid"], "withdrawals") if "refid" in result else (line["what"], "orders")
        if own not in found[there]:
            wrong.append(f"{line['what']} was acknowledged and is not there")
    for command in ("verifyaudit", "checkledger"):
        done = cluster.node.run("countersign", command, check=False)
        if done.returncode:
            wrong.append(f"{command}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return wrong
