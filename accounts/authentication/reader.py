"""What every page asks about whoever reads it: rights, factors, further places and notices, in one statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.db.models import Exists

from accounts.authentication import session_data
from accounts.authentication.notifications import Shown, unseen_rows, worded
from accounts.factors.enrolled import having
from accounts.models import Member
from policies import rights
from portal.core.database.rows import Rows, instant, nested
from portal.core.web.http import MemberRequest


@dataclass(frozen=True, slots=True)
class Place:
    """An Organization in which the person is at home, this one included."""

    organization_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Reader:
    """`counted` are the kinds of factor shown in the session that count here; notices are the newest first."""

    counted: frozenset[str]
    places: tuple[Place, ...]
    notices: tuple[Shown, ...]


def reader_of(request: MemberRequest, *, anew: bool = False) -> Reader:
    """Whoever reads the page of this request: asked for once, however many look, and once more `anew`."""
    if anew or not hasattr(request, "reader"):
        request.reader = _read(request.member, session_data.shown(request.session))
    return cast("Reader", request.reader)


def _read(member: Member, marks: list[str]) -> Reader:
    """All of it. The rights are kept for whatever asks for them on this page."""
    shown = having(member, marks)
    others = Member.objects.active().filter(user=member.user_id)
    columns = rights.columns(member.pk)
    row: Mapping[str, Any] = (
        Member.objects.filter(pk=member.pk)
        .values(
            **columns,
            **{f"counts_{kind}": Exists(rows) for kind, rows in shown.items()},
            places=Rows(others, "organization_id", "organization__name"),
            notices=Rows(unseen_rows(member.user), "pk", "kind", "data", "at"),
        )
        .get()
    )
    rights.keep_read(member.pk, row)
    notices = sorted(row["notices"], reverse=True)
    return Reader(
        counted=frozenset(kind for kind in shown if row[f"counts_{kind}"]),
        places=tuple(sorted((Place(*place) for place in row["places"]), key=lambda place: place.name)),
        notices=tuple(worded(pk, kind, nested(data), instant(at)) for pk, kind, data, at in notices),
    )
