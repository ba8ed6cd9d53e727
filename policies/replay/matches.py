"""Which past withdrawals each rule of a policy matched, as far back as a page can wait for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import localcontext
from typing import TYPE_CHECKING, Final

from policies.measures import measures
from policies.models import ChangeRequest
from policies.replay.cells import Cell, Cells
from policies.replay.comparison import PRECISION
from policies.replay.moments import moments
from policies.rules.language import Rule
from policies.workflows import Workflow

if TYPE_CHECKING:
    from accounts.models import Organization

DAYS: Final = 90
# More than these are not looked at while somebody waits for the page.
MOST: Final = 2000


@dataclass(frozen=True, slots=True)
class Matches:
    """For each rule the requests that it matched when they were opened or executed, by primary key, newest first.

    `total` were looked at; with `is_cut` those are the latest ones, and there were more within the 90 days.
    """

    total: int
    is_cut: bool
    found: tuple[tuple[int, ...], ...]


def matches(organization: "Organization", rules: tuple[Rule, ...], now: datetime) -> Matches:
    """What each of `rules` matched of the last 90 days. What was asked just before those counts in sums alone."""
    since, first, is_cut = _span(organization, rules, now)
    cells = Cells(rules)
    known: dict[Cell, tuple[int, ...]] = {}
    found: list[set[int]] = [set() for _ in rules]
    total = 0
    with localcontext(prec=PRECISION):
        for moment in moments(measures().past(organization, first), cells.sums):
            if moment.past.asked_at < since:
                continue
            total += moment.is_opening
            cell = cells.of(moment)
            if cell not in known:
                situation = cells.situation(moment)
                known[cell] = tuple(place for place, rule in enumerate(rules) if situation.meets(rule))
            for place in known[cell]:
                found[place].add(moment.past.change_id)
    return Matches(total, is_cut, tuple(tuple(sorted(each, reverse=True)) for each in found))


def _span(organization: "Organization", rules: tuple[Rule, ...], now: datetime) -> tuple[datetime, datetime, bool]:
    """From when on requests are shown, from when on they are read, and whether there are too many for either."""
    since = now - timedelta(days=DAYS)
    windows = [each.window.length for rule in rules for each in rule.all_sums()]
    first = since - max(windows, default=timedelta())
    asked = ChangeRequest.objects.of(organization).filter(workflow=Workflow.INITIATE_WITHDRAWAL, created_at__gte=first)
    # The last of those that are looked at, and whether there is one before it.
    oldest = list(asked.order_by("-created_at").values_list("created_at", flat=True)[MOST - 1 : MOST + 1])
    return (max(since, oldest[0]), oldest[0], True) if len(oldest) > 1 else (since, first, False)
