"""What to beware of about a destination or an amount: said to whoever asks, and again to whoever approves."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol

from django.db.models import Exists, QuerySet
from django.db.models.expressions import BaseExpression
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from accounts.models import Organization
from policies.models import ChangeRequest, State
from portal.core.database.one_reading import is_kept, keep, once
from portal.core.database.rows import Rows, instant
from portal.core.display.descriptions import Notice
from portal.treasury import address_names, destinations
from portal.treasury.models import Address, Withdrawal

ALIKE_WITHIN: Final = timedelta(hours=24)
NAMED: Final = 3
LOOKED_AT: Final = 200
REMOVED: Final = (
    "Nobody can approve it while the address is out of the book. "
    "Reject it, have it cancelled, or have the address added again."
)
COMPARE: Final = "Compare the address, letter by letter, with a source outside this portal."


class Question(Hashable, Protocol):
    """Something to beware of: what it asks of the database, and what it says to the answer."""

    def columns(self) -> tuple[BaseExpression, ...]:
        """What is asked, as columns of a statement about the Organization."""

    def said(self, *answer: Any) -> tuple[Notice, ...]:
        """The words; none where there is nothing to beware of."""


def told(organization_id: int, *questions: Question) -> tuple[Notice, ...]:
    """What there is to beware of, in this order, in one statement for all that this page has not asked before."""
    answers = _asked(organization_id, questions)
    said = (question.said(*once(question, partial(answers.__getitem__, question))) for question in questions)
    return tuple(notice for notices in said for notice in notices)


def ask_ahead(organization_id: int, questions: Iterable[Question]) -> None:
    """Ask all of it in one statement, for the page that is going to tell it thing by thing."""
    for question, answer in _asked(organization_id, tuple(dict.fromkeys(questions))).items():
        keep(question, answer)


def _asked(organization_id: int, questions: Sequence[Question]) -> dict[Question, tuple[Any, ...]]:
    fresh = [(question, question.columns()) for question in questions if not is_kept(question)]
    if not fresh:
        return {}
    every: list[Any] = [column for _, columns in fresh for column in columns]
    answers = list(Organization.objects.filter(pk=organization_id).values_list(*every).get())
    return {question: tuple(answers.pop(0) for _ in columns) for question, columns in fresh}


@dataclass(frozen=True, slots=True)
class FirstUse:
    """Whether nothing was ever sent there from this Organization, under whatever name; and who added it."""

    organization_id: int
    address: str
    memo: str
    added_at: datetime
    added_by: str

    def columns(self) -> tuple[BaseExpression, ...]:
        """Whether anything was."""
        to_it = Withdrawal.objects.filter(
            organization=self.organization_id, address__address=self.address, address__memo=self.memo
        )
        return (Exists(to_it.filter(change__state=State.EXECUTED)),)

    def said(self, is_used: bool) -> tuple[Notice, ...]:
        """To compare it then."""
        if is_used:
            return ()
        day = timezone.localtime(self.added_at)
        added = f"It was added on {day.day} {day:%b %Y} by {self.added_by}."
        text = f"{added} Compare it with a source outside this portal."
        return (Notice("wait", "Nothing has been sent to this address before.", text),)


def first_use(row: Address, address: str, memo: str) -> FirstUse:
    """The question of a destination; `row` of the book knows who added it."""
    return FirstUse(row.organization_id, address, memo, row.added_at, row.added_by)


def is_out_of_the_book(row: Address) -> bool:
    """Whether the address was taken out of the book, and is not there under another name either.

    A renaming makes a new row for the same destination: that one stays in the book.
    """
    return row.removed_at is not None and not _named_now(row).exists()


@dataclass(frozen=True, slots=True)
class SinceAsked:
    """What became of an address, asked for as `key`, and of its name, after it was asked for."""

    row: Address
    key: str

    def columns(self) -> tuple[BaseExpression, ...]:
        """What it is called now, and whether its name leads elsewhere."""
        row = self.row
        others = Address.objects.filter(account=row.account_id, key__iexact=self.key, removed_at=None)
        elsewhere = others.exclude(asset=row.asset, address=row.address, memo=row.memo)
        return Rows(_named_now(row).order_by("key")[:NAMED], "key"), Exists(elsewhere)

    def said(self, names: list[list[str]], is_of_another: bool) -> tuple[Notice, ...]:
        """That nobody can approve it any more, or under which name it is found."""
        said, row, now = [], self.row, sorted(name for (name,) in names)
        if row.removed_at is not None and not now:
            day = timezone.localtime(row.removed_at)
            at = f"{day.day} {day:%b %Y, %H:%M}"
            title = f"{self.key} was removed from the address book on {at}, after this was asked."
            said.append(Notice("stop", title, REMOVED))
        elif now and self.key not in now:
            title = f"The address is called {' or '.join(now)} now, and not {self.key} any more."
            said.append(Notice("wait", title, "Where it leads is the same."))
        if is_of_another:
            text = "This request goes to the address that is shown here, not to that one."
            said.append(Notice("wait", f"The name {self.key} stands for another address by now.", text))
        return tuple(said)


def _named_now(row: Address) -> QuerySet[Address]:
    book = Address.objects.filter(account=row.account_id, asset=row.asset, method=row.method, removed_at=None)
    return book.filter(network=row.network, address=row.address, memo=row.memo)


@dataclass(frozen=True, slots=True)
class LookAlike:
    """Which other addresses, in the book now or once, begin and end as this one does.

    People compare the first and the last letters; who wants to be mistaken for an address makes one that shares them.
    """

    organization_id: int
    network: str
    address: str

    def columns(self) -> tuple[BaseExpression, ...]:
        """Those that could be: where the letters stand is looked at afterwards."""
        begins, ends = self._ends(self.address)
        rows = Address.objects.filter(organization=self.organization_id, network=self.network)
        rows = rows.exclude(address__iexact=self.address)
        rows = rows.filter(address__icontains=begins).filter(address__icontains=ends)
        return (Rows(rows.order_by("-pk")[:LOOKED_AT], "pk", "address", "key", "account__name"),)

    def said(self, rows: list[tuple[int, str, str, str]]) -> tuple[Notice, ...]:
        """By name and in full."""
        mine = self._ends(self.address)
        twins: dict[str, tuple[str, str]] = {}
        for _, address, key, account in sorted(rows, reverse=True):
            if self._ends(address) == mine:
                twins.setdefault(address, (key, account))
        found = list(twins.items())[:NAMED]
        if not found:
            return ()
        names = " or ".join(f"{key} of {account}" for _, (key, account) in found)
        theirs = " ".join(f"{key} is {address}." for address, (key, _) in found)
        return (Notice("wait", f"This is not {names}: it only begins and ends alike.", f"{theirs} {COMPARE}"),)

    def _ends(self, address: str) -> tuple[str, str]:
        begins, ends = destinations.ends(self.network, address)
        return begins.lower(), ends.lower()


@dataclass(frozen=True, slots=True)
class KnownElsewhere:
    """Under which names the Organization knows this destination already, other than in the Account `but`."""

    organization_id: int
    address: str
    memo: str
    but: int

    def columns(self) -> tuple[BaseExpression, ...]:
        """The names, each with its Account."""
        rows = Address.objects.filter(
            organization=self.organization_id, address=self.address, memo=self.memo, removed_at=None
        )
        return (Rows(rows.exclude(account=self.but).order_by("pk")[:NAMED], "pk", "key", "account__name"),)

    def said(self, rows: list[tuple[int, str, str]]) -> tuple[Notice, ...]:
        """That it was agreed to before."""
        found = [f"{key} of {account}" for _, key, account in sorted(rows)]
        if not found:
            return ()
        return (Notice("pen", f"It is the same address as {' and '.join(found)}.", "That one was agreed to before."),)


@dataclass(frozen=True, slots=True)
class NameUsedBefore:
    """Whether the name stood for another address: bots send to names."""

    account_id: int
    key: str
    address: str
    memo: str

    def columns(self) -> tuple[BaseExpression, ...]:
        """Whether it ever did."""
        return (Exists(address_names.others_called(self.account_id, self.key, self.address, self.memo)),)

    def said(self, has_led_elsewhere: bool) -> tuple[Notice, ...]:
        """What it takes therefore."""
        if not has_led_elsewhere:
            return ()
        text = (
            "Bots ask by name. One that still asks for it would send to the new address, so this never runs at once. "
            "Another name takes no more than its policy says."
        )
        return (Notice("wait", f"The name {self.key} stood for another address before.", text),)


@dataclass(frozen=True, slots=True)
class AskedAlike:
    """A like withdrawal of the same initiator within a day of `at` may be a mistake or a replay (security AP-14).

    `but` is the withdrawal itself, once there is one.
    """

    organization_id: int
    asset: str
    amount_units: int
    address: str
    memo: str
    at: datetime
    label: str
    member_id: int | None = None
    service_user_id: int | None = None
    but: int = 0

    def columns(self) -> tuple[BaseExpression, ...]:
        """The newest of them."""
        others = Withdrawal.objects.filter(
            change__member=self.member_id,
            change__service_user=self.service_user_id,
            organization=self.organization_id,
            asset=self.asset,
            amount_units=self.amount_units,
            address__address=self.address,
            address__memo=self.memo,
            created_at__gt=self.at - ALIKE_WITHIN,
            created_at__lt=self.at + ALIKE_WITHIN,
        ).exclude(pk=self.but)
        of_change = (f"change__{name}" for name in ("reference", "number", "state", "expires_at"))
        return (Rows(others.order_by("-pk")[:5], "pk", *of_change),)

    def said(self, rows: list[tuple[int, str, int, str, str]]) -> tuple[Notice, ...]:
        """Which ones, with how far they are."""
        said = [
            (reverse("policies:request", args=[reference]), number, _state(state, instant(expires_at)))
            for _, reference, number, state, expires_at in sorted(rows, reverse=True)
        ]
        if not said:
            return ()
        title = f"{self.label} asked for the same amount to the same address within 24 hours."
        links = format_html_join(", ", '<a href="{}">request {}</a> ({})', said)
        return (Notice("wait", title, format_html("See {}. Make sure that both are meant.", links)),)


def _state(state: str, expires_at: datetime) -> str:
    return str(ChangeRequest(state=state, expires_at=expires_at).shown_state.label).lower()
