"""An exchange that lists what a test says, page by page, and the rounds of the watcher."""

import json
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account
from portal.venues.kraken.models import Connection, Credential, Purpose
from portal.venues.kraken.watch_models import Watch
from portal.venues.kraken.watching import ledger, rounds, withdrawals
from portal.venues.kraken.withdrawal_rows import Step, Withdrawal
from tests.venues.kraken.conftest import answering

ADDRESS = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"


class Book:
    """What the exchange has: each list newest first, `page_size` rows of it in an answer."""

    def __init__(self, exchange: Any) -> None:
        self.exchange = exchange
        self.withdrawals: list[dict[str, Any]] = []
        self.ledger: list[dict[str, Any]] = []
        self.page_size = 500
        self.error = ""
        exchange.says = self.say

    def left(self, refid: str, *, at: Any = None, key: str = "cold", amount: str = "1", **more: Any) -> None:
        """A withdrawal, in the list and in the ledger."""
        self.listed(refid, at=at, key=key, amount=amount, **more)
        self.booked(refid, at=at, amount=f"-{amount}")

    def listed(self, refid: str, *, at: Any = None, key: str = "cold", amount: str = "1", **more: Any) -> None:
        row = {
            "method": "Bitcoin", "network": "Bitcoin", "aclass": "currency", "asset": "XXBT", "refid": refid,
            "txid": None, "info": ADDRESS, "amount": amount, "fee": "0.0001",
            "time": int((at or timezone.now()).timestamp()), "status": "Success", "key": key, **more,
        }  # fmt: skip
        self.withdrawals.append(row)

    def booked(self, refid: str, *, at: Any = None, amount: str = "-1") -> None:
        entry = {
            "refid": refid, "time": (at or timezone.now()).timestamp(), "type": "withdrawal", "subtype": "",
            "aclass": "currency", "asset": "XXBT", "amount": amount, "fee": "0.0001", "balance": "0",
        }  # fmt: skip
        self.ledger.append(entry)

    def say(self, handler: BaseHTTPRequestHandler) -> None:
        path, fields = self.exchange.asked[-1]
        method = path.rpartition("/")[2]
        if self.error:
            answering(json.dumps({"error": [self.error]}).encode())(handler)
            return
        answer = {"WithdrawStatus": self._withdrawals, "Ledgers": self._ledger}.get(method, lambda fields: [])(fields)
        answering(json.dumps({"error": [], "result": answer}).encode())(handler)

    def _withdrawals(self, fields: dict[str, str]) -> Any:
        rows = sorted(self.withdrawals, key=lambda row: -row["time"])
        rows = [row for row in rows if row["time"] >= int(fields["start"])]
        offset = int(fields["cursor"].removeprefix("at ")) if fields["cursor"] != "true" else 0
        end = offset + self.page_size
        return {"withdrawals": rows[offset:end], "next_cursor": f"at {end}" if rows[end:] else None}

    def _ledger(self, fields: dict[str, str]) -> Any:
        rows = sorted(self.ledger, key=lambda row: -row["time"])
        rows = [row for row in rows if int(fields["start"]) < row["time"] <= int(fields["end"])]
        offset = int(fields["ofs"])
        return {"ledger": {f"L{offset + place}": row for place, row in enumerate(rows[offset : offset + 50])}}


@pytest.fixture
def book(exchange, connected) -> Book:
    return Book(exchange)


@pytest.fixture
def connection(connected, book) -> Connection:
    """Connected an hour ago."""
    Connection.objects.update(connected_at=timezone.now() - timedelta(hours=1))
    return Connection.objects.select_related("account").get()


@pytest.fixture
def look(connection) -> Callable[[str], None]:
    """One look at a part, as the next round has it."""
    parts = {withdrawals.PART: withdrawals.look, ledger.PART: ledger.look}

    def once(part: str) -> None:
        watch, _ = Watch.objects.get_or_create(account_id=connection.account_id, part=part)
        parts[part](connection, watch)

    return once


@pytest.fixture
def later(time_machine) -> Callable[[float], None]:
    """So many seconds go by."""
    time_machine.move_to(timezone.now(), tick=False)

    def on(seconds: float) -> None:
        time_machine.shift(timedelta(seconds=seconds))

    return on


def ours(account: Account, step: Step, **given: Any) -> Withdrawal:
    """A withdrawal that was asked for here, one bitcoin to `cold`."""
    now = timezone.now()
    sent = step in (Step.SENDING, Step.LOST, Step.UNKNOWN)
    fields = {
        "account": account, "reference": f"OURS-{Withdrawal.objects.count()}", "asset": "XXBT", "decimals": 10,
        "amount_units": 10**10, "max_fee_units": 10**6, "fee_units": 10**6, "key": "cold", "address": ADDRESS,
        "method": "Bitcoin", "network": "Bitcoin", "held_at": now, "step": step, "intended_at": now,
    }  # fmt: skip
    if sent:
        credential = Credential.objects.get(account=account, purpose=Purpose.WITHDRAW)
        fields |= {"credential": credential, "nonce": 1, "sent_at": now, "attempts": 1}
    return Withdrawal.objects.create(**{**fields, **given})


__all__ = ["Book", "ours", "rounds"]
