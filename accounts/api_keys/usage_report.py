"""What the pages show of a key's calls: ninety days, by day and kind, as figures and as bars."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.api_keys.usage import KEPT_DAYS
from accounts.models import ApiKey, KeyUse

KINDS: Final = ("Queries", "Funding", "Orders", "Earn", "Streaming")
STEP, BAR, HIGHEST, BASE = 3, 2, 40, 44


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) on which there was anything: calls in the order of KINDS, and each refusal's answer."""

    on: date
    calls: tuple[int, ...]
    refused: tuple[tuple[str, int], ...]

    @property
    def answered(self) -> int:
        """How many calls were answered that day, of every kind together."""
        return sum(self.calls)

    @property
    def refusals(self) -> int:
        """How many were refused that day, for whatever reason."""
        return sum(times for _, times in self.refused)


@dataclass(frozen=True, slots=True)
class Calls:
    """Ninety days of one key, newest first; days without calls are left out."""

    days: tuple[Day, ...] = ()
    today: date = field(default_factory=lambda: timezone.now().date())

    @property
    def answered(self) -> int:
        """How many calls were answered in all the days kept."""
        return sum(day.answered for day in self.days)

    @property
    def refusals(self) -> int:
        """How many were refused in all the days kept."""
        return sum(day.refusals for day in self.days)

    @property
    def most(self) -> int:
        """How many were answered on the busiest day: the height of a full bar."""
        return max((day.answered for day in self.days), default=0)

    @property
    def first(self) -> date:
        """The day with which the ninety begin, whether or not there was a call on it."""
        return self.today - timedelta(days=KEPT_DAYS - 1)

    @property
    def chart(self) -> SafeString:
        """Bars of the calls answered each day, and a mark below for refusals: what the table says, drawn."""
        bars = []
        for day in self.days:
            x = STEP * (day.on - self.first).days
            if day.answered:
                height = max(1.0, round(HIGHEST * day.answered / self.most, 1))
                css = "bar bar--today" if day.on == self.today else "bar"
                bars.append((css, x, round(BASE - height, 1), height))
            if day.refusals:
                bars.append(("bar--stop", x, 46, 4))
        return format_html(
            '<svg class="chart" viewBox="0 0 {} 52" role="img" aria-label="{}">{}'
            '<path class="base" d="M0 44.5H{}"/></svg>',
            STEP * KEPT_DAYS,
            self.in_words,
            format_html_join("", f'<rect class="{{}}" x="{{}}" y="{{}}" width="{BAR}" height="{{}}"/>', bars),
            STEP * KEPT_DAYS,
        )

    @property
    def in_words(self) -> str:
        """All of it in one sentence, for who does not see the bars."""
        refusals = f"{self.refusals:,} refused" if self.refusals else "none refused"
        return f"{self.answered:,} calls in {KEPT_DAYS} days, {self.most:,} on the busiest day, {refusals}"


def calls_of(keys: Iterable[ApiKey]) -> dict[int, Calls]:
    """The calls of each of these keys, by primary key, in one query."""
    today = timezone.now().date()
    ids = [key.pk for key in keys]
    rows = KeyUse.objects.filter(api_key_id__in=ids, day__gt=today - timedelta(days=KEPT_DAYS)).order_by("-day", "kind")
    by_key: dict[int, dict[date, list[KeyUse]]] = {pk: defaultdict(list) for pk in ids}
    for row in rows:
        by_key[row.api_key_id][row.day].append(row)
    return {pk: Calls(tuple(_day(on, used) for on, used in days.items()), today) for pk, days in by_key.items()}


def _day(on: date, rows: Sequence[KeyUse]) -> Day:
    answered = {row.kind: row.calls for row in rows if not row.refused}
    return Day(
        on=on,
        calls=tuple(answered.get(kind, 0) for kind in KINDS),
        refused=tuple((row.kind, row.calls) for row in rows if row.refused),
    )
