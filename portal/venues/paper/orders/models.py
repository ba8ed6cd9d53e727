"""Order and Trade; what an Account traded by day; the trading counter of an Account and pair."""

from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar, Final

from django.db import models
from django.db.models import F, Q

from portal.venues.paper.ledger.models import Entry
from portal.venues.types import PLACED, OrderStatus, Side, TimeInForce

# An order here is open or over; only other exchanges let one wait before it is open.
STATUSES: Final = tuple(status for status in OrderStatus if status is not OrderStatus.PENDING)


def _values(words: Iterable[StrEnum]) -> list[str]:
    return [word.value for word in words]


class Order(models.Model):
    """Prices, volumes and costs are whole units of the pair's last places; costs and fees of the quote asset's.

    While it is open, `held_units` of what it spends are held, `looked_step` is the last step of the price path
    (`path`) that it has been through, and at `due_at` it has to be looked at again: something happens then, or the
    path was not searched further.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    txid = models.CharField(max_length=20, unique=True)
    pair = models.CharField(max_length=16)
    side = models.CharField(max_length=4)
    kind = models.CharField(max_length=8)
    status = models.CharField(max_length=8, default=OrderStatus.OPEN.value)
    reason = models.CharField(max_length=60, blank=True)
    time_in_force = models.CharField(max_length=3)
    is_post_only = models.BooleanField(default=False)
    userref = models.IntegerField(null=True)
    cl_ord_id = models.CharField(max_length=36, null=True)  # noqa: DJ001  (unique among those that have one)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    price_units = models.BigIntegerField(null=True)
    volume_units = models.BigIntegerField()
    filled_units = models.BigIntegerField(default=0)
    cost_units = models.BigIntegerField(default=0)
    fee_units = models.BigIntegerField(default=0)
    held_units = models.BigIntegerField(default=0)
    maker_rate = models.PositiveIntegerField()
    path = models.CharField(max_length=100, blank=True)
    looked_step = models.BigIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    # Of all its trades, price times volume, once somebody has looked it up: no column, since it may leave 64 bits.
    turnover: int | None = None

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    side__in=_values(Side),
                    kind__in=_values(PLACED),
                    status__in=_values(STATUSES),
                    time_in_force__in=_values(TimeInForce),
                ),
                name="order_words_known",
            ),
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None, due_at__isnull=False)
                | (~Q(status="open") & Q(closed_at__isnull=False, due_at=None, held_units=0)),
                name="order_open_or_ended",
            ),
            models.CheckConstraint(
                condition=Q(volume_units__gt=0, filled_units__gte=0, filled_units__lte=F("volume_units")),
                name="order_filled_within_volume",
            ),
            models.CheckConstraint(
                condition=Q(cost_units__gte=0, fee_units__gte=0, held_units__gte=0), name="order_amounts_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(kind="market", price_units=None)
                | Q(kind="limit", price_units__isnull=False, price_units__gt=0),
                name="order_limit_has_price",
            ),
            models.CheckConstraint(
                condition=Q(time_in_force="GTD", expires_at__isnull=False)
                | (~Q(time_in_force="GTD") & Q(expires_at=None)),
                name="order_expires_when_gtd",
            ),
            models.CheckConstraint(condition=Q(userref=None) | Q(cl_ord_id=None), name="order_userref_or_client_id"),
            models.UniqueConstraint(
                fields=["account", "cl_ord_id"], condition=Q(status="open"), name="order_client_id_once_while_open"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-opened_at", "-id"], name="order_by_account"),
            models.Index(fields=["account", "-closed_at", "-id"], name="order_closed_by_account"),
            models.Index(fields=["account", "due_at"], condition=Q(status="open"), name="order_due_of_account"),
            models.Index(fields=["path", "due_at"], condition=Q(status="open"), name="order_due"),
        ]

    def __str__(self) -> str:
        return self.txid

    @property
    def is_open(self) -> bool:
        """Whether it can still be filled or cancelled."""
        return self.status == OrderStatus.OPEN

    @property
    def remaining_units(self) -> int:
        """What of its volume is not filled, in whole units of the pair's last place."""
        return self.volume_units - self.filled_units


class Trade(models.Model):
    """One fill of an Order."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="trades")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="trade")
    txid = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField()
    price_units = models.BigIntegerField()
    volume_units = models.BigIntegerField()
    cost_units = models.BigIntegerField()
    fee_units = models.BigIntegerField()
    value_units = models.BigIntegerField()
    is_maker = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(price_units__gt=0, volume_units__gt=0, cost_units__gte=0, fee_units__gte=0),
                name="trade_amounts_sensible",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-at", "-id"], name="trade_by_account")]

    def __str__(self) -> str:
        return self.txid


class TradedDay(models.Model):
    """What an Account's trades of one day, in UTC, were worth in dollars' smallest unit."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    on = models.DateField()
    value_units = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "on"], name="traded_day_once_per_account"),
        ]

    def __str__(self) -> str:
        return f"{self.on}: {self.value_units}"


class TradingCounter(models.Model):
    """Where the trading counter of an Account and pair stood at `at`, in thousandths (reference §5)."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    pair = models.CharField(max_length=16)
    thousandths = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "pair"], name="trading_counter_one_per_account_and_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.pair}: {self.thousandths}"
