"""What a Member holds and whether it counts now, in one statement; a page that only reads asks for it once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from django.db.models import Exists, Q
from django.utils import timezone

from policies.models import Grant
from policies.rules import PASSKEY
from policies.workflows import Right, Workflow
from portal.core.database.compiled import given
from portal.core.database.compiled.given import Instant, Key
from portal.core.database.compiled.statement import Statement, compiled
from portal.core.database.one_reading import keep, once
from portal.core.database.rows import Rows

if TYPE_CHECKING:
    from accounts.models import Member
    from accounts.models.member import MemberQuerySet

VERIFIED: Final = "verified"


@dataclass(frozen=True, slots=True)
class Held:
    """One Grant; `account_id` None is for all Accounts."""

    workflow: Workflow
    right: Right
    account_id: int | None


@dataclass(frozen=True, slots=True)
class Rights:
    """The Grants of a Member as they are written, and what there is about the Member themselves.

    `has_factor`: one counts here that the Organization's level takes. `is_resting`: their factors were put anew so
    lately that they approve next to nothing (DESIGN M4).
    """

    grants: tuple[Held, ...] = ()
    is_active: bool = False
    is_verified: bool = False
    has_factor: bool = False
    is_resting: bool = False

    def allow(self, workflow: Workflow, right: Right, account_id: int | None = None) -> bool:
        """Whether they hold `right` now, or one that implies it; without `account_id`, for some Account.

        All but View also takes a verified identity (DESIGN M3).
        """
        if not self.is_active or (right is not Right.VIEW and not self.is_verified):
            return False
        return any(
            held.workflow == workflow
            and held.right in right.given_by
            and (account_id is None or held.account_id in (None, account_id))
            for held in self.grants
        )

    @property
    def may_decide(self) -> bool:
        """Whether they decide anything at all now."""
        return self.is_active and self.is_verified and self.has_factor


def of(member_id: int) -> Rights:
    """The rights of the Member of that primary key; none where there is no such Member."""
    return once(_name(member_id), lambda: _read(member_id))


def columns(member_id: Key, *, now: Instant | None = None, rested: Instant | None = None) -> dict[str, Any]:
    """The same as columns of a statement about that Member, for `keep_read`."""
    rows = _members().filter(pk=member_id)
    by_app = Q(authenticators__confirmed=True) & ~Q(organization__second_factor_level=PASSKEY)
    return {
        "held": Rows(Grant.objects.filter(member=member_id), "workflow", "right", "account_id"),
        "is_active": Exists(rows.active(now)),
        "is_verified": Exists(rows.filter(identity=VERIFIED)),
        "has_factor": Exists(rows.filter(by_app | Q(passkeys__confirmed=True))),
        "is_resting": Exists(rows.resting(rested)),
    }


def keep_read(member_id: int, row: Mapping[str, Any]) -> None:
    """Let this page go by what a statement with those columns has told."""
    keep(_name(member_id), _told(row))


def _read(member_id: int) -> Rights:
    rows = _statement().run(member=member_id, now=timezone.now(), rested=_members().rested_since())
    return _told(rows[0]) if rows else Rights()


@cache
def _statement() -> Statement:
    """Its text is all that is kept from one question to the next."""
    member = given.key("member")
    asked = columns(member, now=given.instant("now"), rested=given.instant("rested"))
    return compiled(_members().filter(pk=member).values(**asked))


def _told(row: Mapping[str, Any]) -> Rights:
    return Rights(
        grants=tuple(Held(Workflow(workflow), Right(right), account_id) for workflow, right, account_id in row["held"]),
        is_active=row["is_active"],
        is_verified=row["is_verified"],
        has_factor=row["has_factor"],
        is_resting=row["is_resting"],
    )


def _name(member_id: int) -> tuple[str, int]:
    return ("rights", member_id)


def _members() -> "MemberQuerySet":
    found: MemberQuerySet = cast("type[Member]", Grant._meta.get_field("member").related_model).objects.all()
    return found
