"""What every page asks about whoever reads it: rights, factors, places, notices, what waits; in one statement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.db.models import Exists, QuerySet
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from accounts.authentication.notifications import Shown, unseen_rows, worded
from accounts.factors import enrolled
from accounts.members.identity import reviewers
from accounts.models import Member
from policies import rights
from policies.inbox import queues
from portal.core.database.compiled import given
from portal.core.database.compiled.given import Instant, Key, Keys
from portal.core.database.compiled.statement import Statement, compiled
from portal.core.database.rows import Rows, instant, nested

REVIEW: Final = ("pk", "member_id", "member__user__name", "member__user__email", "submitted_at")


Asked = Callable[[Key, Key], dict[str, Any]]
Told = Callable[[Member, Mapping[str, Any]], object]
_beside: dict[str, tuple[Asked, Told]] = {}


def on_every_page(name: str, *, asked: Asked, told: Told) -> None:
    """Have every page ask `asked` too, as columns of the one statement, and show what `told` makes of them as `name`.

    An app says so in its `every_page.py`. `asked` is called once, with places for the primary keys of the reader and
    their Organization; `told` for each page, when the reader's rights are known.
    """
    _beside[name] = asked, told
    _statement.cache_clear()


@dataclass(frozen=True, slots=True)
class About:
    """Whom it is asked about, and when: all on which the statement depends.

    `shown` are the primary keys of the factors shown in the session, by kind; `rested` is when whoever enrolled again
    before has rested.
    """

    member: Key
    user: Key
    organization: Key
    shown: Mapping[str, Keys]
    now: Instant
    rested: Instant


@dataclass(frozen=True, slots=True)
class Place:
    """An Organization in which the person is at home, this one included."""

    organization_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Review:
    """An identity that waits for the reader to judge it."""

    member_id: int
    label: str
    email: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """`counted` are the kinds of factor shown in the session that count here. Notices come newest first.

    `every_page` is what other apps show on each, by name.
    """

    counted: frozenset[str]
    places: tuple[Place, ...]
    notices: tuple[Shown, ...]
    reviews: tuple[Review, ...]
    every_page: Mapping[str, object]


def read(member: Member, marks: list[str]) -> Reader:
    """All of it; `marks` are the factors that were shown in the session.

    What others ask about the reader on the same page is kept for them.

    Raises: Member.DoesNotExist.
    """
    return _told(member, marks, _row(member, marks))


def _row(member: Member, marks: list[str]) -> dict[str, Any]:
    keys = enrolled.by_kind(marks)
    rows = _statement().run(
        member=member.pk,
        user=member.user_id,
        organization=member.organization_id,
        now=timezone.now(),
        rested=Member.objects.rested_since(),
        **{f"shown_{kind}": keys.get(kind, []) for kind in enrolled.KINDS},
    )
    if not rows:
        raise Member.DoesNotExist
    return rows[0]


def _told(member: Member, marks: list[str], row: Mapping[str, Any]) -> Reader:
    counting = {f"{kind}:{key}" for kind in enrolled.KINDS for (key,) in row[f"shown_{kind}"]}
    rights.keep_read(member.pk, row)
    queues.keep_freeing(member.organization_id, row["freeing"])
    enrolled.keep_held(member, [kind for kind in enrolled.FACTORS if row[f"holds_{kind}"]])
    enrolled.keep_counted(member, marks, counting)
    reviews = sorted(row["reviews"]) if reviewers.may_judge(member) else []
    return Reader(
        counted=frozenset(mark.partition(":")[0] for mark in counting),
        places=tuple(sorted((Place(*place) for place in row["places"]), key=lambda place: place.name)),
        notices=tuple(
            worded(pk, kind, nested(data), instant(at)) for pk, kind, data, at in sorted(row["notices"], reverse=True)
        ),
        reviews=tuple(Review(pk, label, email, instant(at)) for _, pk, label, email, at in reviews),
        every_page={name: told(member, _told_beside(name, row)) for name, (_, told) in _beside.items()},
    )


@cache
def _statement() -> Statement:
    """Its text is all that one page leaves to the next."""
    autodiscover_modules("every_page")
    return compiled(
        question(
            About(
                member=given.key("member"),
                user=given.key("user"),
                organization=given.key("organization"),
                shown={kind: given.keys(f"shown_{kind}") for kind in enrolled.KINDS},
                now=given.instant("now"),
                rested=given.instant("rested"),
            )
        )
    )


def question(about: About) -> "QuerySet[Member, Any]":
    """All of it as one row."""
    shown, held = enrolled.having(about.member, about.shown), enrolled.holding(about.member)
    at_home = Member.objects.active(about.now).filter(user=about.user)
    found: QuerySet[Member, Any] = Member.objects.filter(pk=about.member).values(
        **rights.columns(about.member, now=about.now, rested=about.rested),
        **{f"shown_{kind}": Rows(rows, enrolled.key_of(kind)) for kind, rows in shown.items()},
        **{f"holds_{kind}": Exists(rows) for kind, rows in held.items()},
        places=Rows(at_home, "organization_id", "organization__name"),
        notices=Rows(unseen_rows(about.user), "pk", "kind", "data", "at"),
        freeing=queues.freeing(about.organization, about.now),
        reviews=Rows(reviewers.open_to(about.user, about.organization, about.now), *REVIEW),
        **_columns_beside(about),
    )
    return found


def _columns_beside(about: About) -> dict[str, Any]:
    return {
        f"{name}_{column}": value
        for name, (asked, _) in _beside.items()
        for column, value in asked(about.member, about.organization).items()
    }


def _told_beside(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    start = f"{name}_"
    return {column.removeprefix(start): value for column, value in row.items() if column.startswith(start)}
