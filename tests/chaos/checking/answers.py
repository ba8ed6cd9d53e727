"""`python -m tests.chaos.checking.answers RECORDS HEARD`: each answer against the database; prints what is wrong.

It runs beside the portal, with its settings, once all is quiet. What it prints is JSON.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import django

django.setup()

from accounts.models import Account  # noqa: E402
from policies.models import Decision  # noqa: E402
from portal.core.money import to_units  # noqa: E402
from portal.treasury.models import Withdrawal  # noqa: E402
from portal.venues.paper import catalogue  # noqa: E402
from portal.venues.paper import models as paper  # noqa: E402
from portal.venues.paper.orders.models import Order  # noqa: E402
from tests.chaos.checking import hearing, kept_journal  # noqa: E402
from tests.chaos.players.cast import ORGANIZATION  # noqa: E402
from tests.chaos.players.record import Asked, Outcome, read  # noqa: E402

# Of volumes of XBT/USD, and of bitcoin itself.
VOLUME_DECIMALS: Final = 8
BITCOIN_DECIMALS: Final = catalogue.BTC.decimals
MARKS: Final = ("cl_ord_id", "userref")


def wrong(records: Path, heard: Path) -> Iterator[str]:
    """Whatever is not as it was answered."""
    asked = list(read(records))
    names = dict(Account.objects.filter(organization__name=ORGANIZATION).values_list("name", "pk"))
    by_account: dict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        by_account[each.who].append(each)
    for who, own in by_account.items():
        if who in names:
            yield from _orders(names[who], [each for each in own if each.what == "AddOrder"])
            yield from _cancellations(names[who], [each for each in own if each.what == "CancelOrder"])
            yield from _withdrawals(names[who], [each for each in own if each.what == "Withdraw"])
    yield from _decisions([each for each in asked if each.what == "decide"])
    yield from hearing.wrong(heard)


def _orders(account_id: int, asked: Sequence[Asked]) -> Iterator[str]:
    there: dict[str, list[Order]] = defaultdict(list)
    for order in Order.objects.filter(account_id=account_id):
        there[str(order.cl_ord_id or order.userref)].append(order)
    for each in asked:
        mark = next(str(each.fields[name]) for name in MARKS if name in each.fields)
        found = there.pop(mark, [])
        yield from _counted(each, f"order {mark}", len(found))
        if each.outcome == Outcome.DONE and found:
            said = (each.answer, each.fields["side"], to_units(Decimal(each.fields["volume"]), VOLUME_DECIMALS))
            held = (found[0].txid, found[0].side, found[0].volume_units)
            if said != held:
                yield f"order {mark} was answered as {said} and stands as {held}"
    for mark, orders in there.items():
        yield f"nobody asked for the order {mark} of Account {account_id}: {[order.txid for order in orders]}"


def _cancellations(account_id: int, asked: Sequence[Asked]) -> Iterator[str]:
    outcomes: dict[str, set[Outcome]] = defaultdict(set)
    for each in asked:
        outcomes[each.fields["txid"]].add(each.outcome)
    status = dict(Order.objects.filter(account_id=account_id).values_list("txid", "status"))
    for txid, outcome in outcomes.items():
        if Outcome.DONE in outcome and status.get(txid) != "canceled":
            yield f"order {txid} was cancelled, and is {status.get(txid)}"
    for txid, state in status.items():
        if state == "canceled" and not outcomes[txid] & {Outcome.DONE, Outcome.UNKNOWN}:
            yield f"order {txid} is cancelled, and no such call was carried out"


def _withdrawals(account_id: int, asked: Sequence[Asked]) -> Iterator[str]:
    there: dict[int, list[str]] = defaultdict(list)
    for units, reference in Withdrawal.objects.filter(account_id=account_id).values_list("amount_units", "reference"):
        there[units].append(reference)
    at_venue = Counter(paper.Withdrawal.objects.filter(account_id=account_id).values_list("reference", flat=True))
    for each in asked:
        amount = each.fields["amount"]
        found = there.pop(to_units(Decimal(amount), BITCOIN_DECIMALS), [])
        yield from _counted(each, f"withdrawal of {amount}", len(found))
        if each.outcome == Outcome.DONE and found and found[0] != each.answer:
            yield f"withdrawal of {amount} was answered as {each.answer} and is {found[0]}"
        if any(at_venue[reference] != 1 for reference in found):
            yield f"withdrawal of {amount} is at the venue {[at_venue[reference] for reference in found]} times"
    for units, references in there.items():
        yield f"nobody asked for a withdrawal of {units} units of Account {account_id}: {references}"


def _counted(each: Asked, what: str, found: int) -> Iterator[str]:
    right = {Outcome.DONE: {1}, Outcome.REFUSED: {0}, Outcome.UNKNOWN: {0, 1}}[each.outcome]
    if found not in right:
        yield f"{what}, asked by {each.who} at {each.began:.3f}: {each.outcome} {each.words}, and there {found} times"


def _decisions(asked: Sequence[Asked]) -> Iterator[str]:
    outcomes: dict[tuple[str, str, bool], set[Outcome]] = defaultdict(set)
    for each in asked:
        key = (each.fields["reference"], each.who, each.fields["decision"] == "approve")
        outcomes[key].add(each.outcome)
    rows = Decision.objects.filter(change__organization__name=ORGANIZATION)
    decided = rows.values_list("change__reference", "person__email", "approved")
    there = Counter((reference, email, approved) for reference, email, approved in decided)
    for key, outcome in outcomes.items():
        if Outcome.DONE in outcome and there[key] != 1:
            yield f"decision {key} was taken, and is there {there[key]} times"
        if outcome == {Outcome.REFUSED} and there[key]:
            yield f"decision {key} was refused, and is there"
    for key in there:
        if not outcomes[key] & {Outcome.DONE, Outcome.UNKNOWN}:
            yield f"nobody took the decision {key}"


def counted(records: Path) -> dict[str, int]:
    """How many calls there were of each kind, by what came of them."""
    return dict(Counter(f"{each.what} {each.outcome}" for each in read(records)))


if __name__ == "__main__":
    there, told = Path(sys.argv[1]), Path(sys.argv[2])
    kept_journal.put_back()
    found: dict[str, Any] = {"wrong": list(wrong(there, told)), "counts": counted(there)}
    sys.stdout.write(json.dumps(found | {"heard": hearing.counted(told)}))
