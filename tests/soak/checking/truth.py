"""What really happened to each Account, by its ledger, its orders and its journal, which have to agree."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from portal.core.money import from_units
from portal.venues.journal import reading
from portal.venues.journal.models import JournalEntry, JournalHead
from portal.venues.paper import catalogue
from portal.venues.paper.ledger.models import Posting
from portal.venues.paper.orders.models import Order, Trade
from portal.venues.registry import venue
from portal.venues.types import LedgerEvent, OrderChange, OrderEvent, OrderStatus
from tests.soak.checking.sessions import Row
from tests.soak.checking.verification import Channel, Expected

PAGE: Final = 500
ENDED: Final = {OrderChange.CANCELED: OrderStatus.CANCELED, OrderChange.EXPIRED: OrderStatus.EXPIRED}


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of an Account's journal, and when it was written."""

    number: int
    written_at: float
    event: LedgerEvent | OrderEvent


@dataclass(frozen=True)
class Truth:
    """An Account's life as its sockets have to tell it; `wrong` is where journal and books differ."""

    account_id: int
    journal: tuple[Happened, ...]
    balances: Channel
    executions: Channel
    wrong: tuple[str, ...]

    @property
    def channels(self) -> tuple[Channel, Channel]:
        """Both."""
        return self.balances, self.executions


def read(account_id: int, venue_name: str = "paper") -> Truth:
    """The Account's life up to now; nothing may happen to it meanwhile."""
    journal = tuple(_journal(account_id, venue_name))
    wrong = (*_against_ledger(account_id, journal), *_against_orders(account_id, journal))
    return Truth(account_id, journal, _balances(journal), _executions(journal), wrong)


def _journal(account_id: int, venue_name: str) -> Iterator[Happened]:
    written = dict(JournalEntry.objects.filter(account_id=account_id).values_list("number", "written_at"))
    last = JournalHead.objects.filter(account_id=account_id).values_list("last", flat=True).first() or 0
    assert sorted(written) == list(range(1, last + 1)), f"the journal of Account {account_id} has gaps"
    after = 0
    while page := reading.events(account_id, after, venue(venue_name), PAGE):
        for row in page:
            yield Happened(row.number, written[row.number].timestamp(), row.event)
        after = page[-1].number


def _against_ledger(account_id: int, journal: Sequence[Happened]) -> Iterator[str]:
    """Row for row, in the order in which they were booked."""
    told = [
        (each.event.ledger_id, each.event.amount - each.event.fee, each.event.fee, each.event.balance)
        for each in journal
        if isinstance(each.event, LedgerEvent)
    ]
    booked = []
    for posting in Posting.objects.filter(account_id=account_id).order_by("pk"):
        decimals = catalogue.by_id(posting.asset).decimals
        amounts = (posting.units, posting.fee_units, posting.balance_units or 0)
        booked.append((posting.ledger_id, *(from_units(units, decimals) for units in amounts)))
    if told != booked:
        beside = [pair for pair in zip(told, booked, strict=False) if pair[0] != pair[1]][:1]
        yield f"Account {account_id}: the journal tells {len(told)} movements, {len(booked)} were booked: {beside}"


def _against_orders(account_id: int, journal: Sequence[Happened]) -> Iterator[str]:
    """Each order begins once and ends as it ended, and in between it has its trades, in their order."""
    told: dict[str, list[str]] = defaultdict(list)
    for each in journal:
        if isinstance(each.event, OrderEvent):
            name = each.event.trade.id if each.event.trade else each.event.change.value
            told[each.event.order.id].append(name)
    trades: dict[int, list[str]] = defaultdict(list)
    for order_pk, txid in Trade.objects.filter(account_id=account_id).order_by("pk").values_list("order_id", "txid"):
        trades[order_pk].append(txid)
    orders = {order.txid: order for order in Order.objects.filter(account_id=account_id)}
    for txid, order in orders.items():
        ends = [change.value for change, status in ENDED.items() if order.status == status]
        life = [OrderChange.NEW.value, *trades[order.pk], *ends]
        if told[txid] != life:
            yield f"Account {account_id}: the journal tells {told[txid]} of order {txid}, whose life was {life}"
    for unknown in told.keys() - orders.keys():
        yield f"Account {account_id}: the journal tells of order {unknown}, which there is not"


def _balances(journal: Sequence[Happened]) -> Channel:
    rows: list[Expected] = []
    states: list[dict[str, Decimal]] = [{}]
    for each in journal:
        event = each.event
        if isinstance(event, LedgerEvent):
            asset = event.asset.code
            fields = {
                "ledger_id": event.ledger_id,
                "ref_id": event.reference,
                "asset": asset,
                "amount": event.amount,
                "fee": event.fee,
                "balance": event.balance,
            }
            rows.append(Expected(event.ledger_id, each.written_at, fields))
            states.append(states[-1] | {asset: states[-1].get(asset, Decimal(0)) + event.amount - event.fee})
            assert states[-1][asset] == event.balance, f"{event.ledger_id} does not add up"
    return Channel(
        "balances",
        rows,
        # An asset of which nothing is left may be told or not.
        state=lambda place: {asset: balance for asset, balance in states[place].items() if balance},
        key=lambda row: str(row.get("ledger_id")),
        read_snapshot=lambda told: {row["asset"]: row["balance"] for row in told if row["balance"]},
    )


def _executions(journal: Sequence[Happened]) -> Channel:
    rows: list[Expected] = []
    begins: set[int] = set()
    states: list[dict[str, Any]] = [{}]
    for each in journal:
        event = each.event
        if isinstance(event, OrderEvent):
            begins.add(len(rows))
            is_open = event.order.status == OrderStatus.OPEN
            state = {txid: filled for txid, filled in states[-1].items() if txid != event.order.id}
            state |= {event.order.id: event.order.filled_volume} if is_open else {}
            for fields in _told(event):
                rows.append(Expected(_key(fields), each.written_at, fields))
                states.append(state)
    begins.add(len(rows))
    return Channel(
        "executions",
        rows,
        state=lambda place: states[place],
        key=_key,
        read_snapshot=lambda told: {row["order_id"]: row.get("cum_qty") for row in told},
        begins=begins.__contains__,
    )


def _key(row: Row) -> str:
    """An order is told of each way once; of each of its trades once."""
    return " ".join(str(row[name]) for name in ("exec_type", "order_id", "exec_id") if row.get(name))


def _told(event: OrderEvent) -> Iterator[dict[str, Any]]:
    """The rows that tell of one event, in their order (reference §13)."""
    order, trade = event.order, event.trade
    always = {"order_id": order.id}
    so_far = {"cum_qty": order.filled_volume, "cum_cost": order.cost}
    match event.change:
        case OrderChange.NEW:
            yield {"exec_type": "pending_new", **always, "order_qty": order.volume}
            yield {"exec_type": "new", **always}
        case OrderChange.TRADE:
            assert trade is not None
            what = {"exec_id": trade.id, "last_qty": trade.volume, "last_price": trade.price, "cost": trade.cost}
            yield {"exec_type": "trade", **always, **what, **so_far}
            if order.status == OrderStatus.CLOSED:
                yield {"exec_type": "filled", **always, **so_far}
        case OrderChange.CANCELED | OrderChange.EXPIRED:
            yield {"exec_type": event.change.value, **always}
