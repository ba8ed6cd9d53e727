"""A portal whose sending process is killed: one act for each line that is read, each in a process of its own.

A line is `{"act": …, and what it takes}`, the answer what the act gives. `live` may be killed before it is done.
"""

import json
import os
import signal
import sys
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import django

django.setup()

import time_machine  # noqa: E402
from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Account  # noqa: E402
from policies.changes import propose  # noqa: E402
from policies.changes.cancel_and_expire import ask_unknown_again  # noqa: E402
from policies.models import ChangeRequest, Policy  # noqa: E402
from policies.operations import RemovePolicy, remove_policy  # noqa: E402
from policies.workflows import Workflow  # noqa: E402
from portal.treasury.withdrawals import request_withdrawal  # noqa: E402
from portal.venues.kraken.models import Alarm, Connection, Purpose, Withdrawal  # noqa: E402
from portal.venues.kraken.withdrawals import tending  # noqa: E402
from tests.factories import world as cast  # noqa: E402
from tests.factories.world import make_bot  # noqa: E402
from tests.gateway.connected import credential  # noqa: E402

MONEY = Workflow.INITIATE_WITHDRAWAL
# As many requests as one key may have open.
EACH = 40


def prepare(keys: dict[str, tuple[str, str]], bots: int) -> None:
    """The cast, with its Account at the exchange, and so many bots that send at once."""
    world = cast.build()
    Account.objects.filter(pk=world.account.pk).update(venue="kraken")
    Connection.objects.create(account=world.account, exchange="Test", connected_at=timezone.now())
    credential(world.account, Purpose.WITHDRAW, keys["withdraw"])
    credential(world.account, Purpose.REST, keys["rest"], permissions=["query-funds", "query-ledger"])
    owner = world.members["owner"]
    Policy.objects.filter(organization=world.organization, workflow=MONEY).update(always=False)
    propose(remove_policy, actor=owner, params=RemovePolicy(MONEY))
    account = Account.objects.get(pk=world.account.pk)
    for number in range(bots):
        make_bot(owner, account, f"bot-{number}", cast.EVERY_PERMISSION)


def ask(amounts: list[str]) -> None:
    """One withdrawal for each amount, agreed to when this returns."""
    world = cast.load()
    for number, amount in enumerate(amounts):
        bot = world.bot(f"bot-{number // EACH}")
        request_withdrawal(
            actor=bot.service_user, api_key=bot.key, account=bot.service_user.account, key="btc-cold", asset="XBT",
            amount=Decimal(amount),
        )  # fmt: skip


def live(later: float, at_a_time: int) -> None:
    """One round of whoever sends, so many seconds from now."""
    tending.AT_A_TIME = at_a_time  # type: ignore[misc]
    with time_machine.travel(timezone.now() + timedelta(seconds=later), tick=True):
        tending.tend()


def settle() -> None:
    """What `manage.py work` does every half a minute."""
    ask_unknown_again()


def account_for() -> list[dict[str, Any]]:
    """Each request with its withdrawal, as people see them."""
    rows = {row.request: row for row in Withdrawal.objects.all()}
    alarmed = set(Alarm.objects.values_list("subject", flat=True))
    return [
        {
            "amount": change.params["amount"],
            "state": change.state,
            "step": rows[change.reference].step,
            "refid": rows[change.reference].refid,
            "attempts": rows[change.reference].attempts,
            "is_alarmed": rows[change.reference].reference in alarmed,
        }
        for change in ChangeRequest.objects.filter(operation="treasury.withdraw").order_by("pk")
    ]


ACTS = {act.__name__: act for act in (prepare, ask, live, settle, account_for)}


def apart(act: str, taken: dict[str, Any], dies_after: float | None) -> Any:
    """Do it in a process of its own, killed after so many seconds if it is not done by then."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as out:
            json.dump(ACTS[act](**taken), out)
        os._exit(0)
    os.close(writing)
    began, is_killed = time.monotonic(), False
    if dies_after is not None:
        while not _has_ended(pid) and time.monotonic() < began + dies_after:
            time.sleep(0.001)
        if not _has_ended(pid):
            os.kill(pid, signal.SIGKILL)
            is_killed = True
    with os.fdopen(reading) as said:
        text = said.read()
    _, status = os.waitpid(pid, 0)
    if dies_after is not None:
        return {"is_killed": is_killed, "seconds": time.monotonic() - began}
    assert status == 0, f"{act} ended with {status}"
    return json.loads(text)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


if __name__ == "__main__":
    assert settings.DEBUG
    for line in sys.stdin:
        wanted = json.loads(line)
        answer = apart(wanted.pop("act"), wanted, wanted.pop("dies_after", None))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
