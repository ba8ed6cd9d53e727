"""What decides which requests a Member finds: as it is, or with places for what is known only when a statement runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from django.utils import timezone

from policies import rights
from policies.access import granted
from policies.workflows import Right
from portal.core.database.compiled import given
from portal.core.database.compiled.given import Instant, Key, Keys

if TYPE_CHECKING:
    from collections.abc import Collection

    from accounts.models import Member

# By workflow the Accounts for which a right is held; None is for all of them, and for what names none.
Places: TypeAlias = Mapping[str, Keys | None]
_Outline: TypeAlias = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """Who looks, and where they may View and decide; without `approves` they decide nothing now.

    `barred` are the requests that do not wait for them whatever they hold. `now` None is when the statement is built.
    """

    organization: Key
    member: Key
    user: Key
    views: Places
    approves: Places = field(default_factory=dict)
    barred: Keys = ()
    is_resting: bool = False
    now: Instant | None = None

    @property
    def shape(self) -> "Shape":
        """What the text of a statement about them depends on."""
        return Shape(_outline(self.views), _outline(self.approves), bool(self.barred), self.is_resting)


@dataclass(frozen=True, slots=True)
class Shape:
    """What many have in common: which workflows they may View and decide, and whether for all Accounts."""

    views: _Outline
    approves: _Outline
    is_barred: bool
    is_resting: bool

    def sight(self) -> Sight:
        """All of such, with places for what `values` says of one of them."""
        return Sight(
            organization=given.key("organization"),
            member=given.key("member"),
            user=given.key("user"),
            views=_places("views", self.views),
            approves=_places("approves", self.approves),
            barred=given.keys("barred") if self.is_barred else (),
            is_resting=self.is_resting,
            now=given.instant("now"),
        )


def values(member: "Member", sight: Sight) -> "dict[str, int | datetime | Collection[int]]":
    """What is given to a statement about that Member, whose sight this is."""
    found: dict[str, int | datetime | Collection[int]] = {
        "organization": member.organization_id,
        "member": member.pk,
        "user": member.user_id,
        "now": timezone.now(),
    }
    lists = {"barred": sight.barred}
    for name, places in (("views", sight.views), ("approves", sight.approves)):
        lists |= {f"{name}_{workflow}": keys for workflow, keys in places.items() if keys is not None}
    return found | {name: keys for name, keys in lists.items() if not isinstance(keys, given.GivenKeys)}


def viewing(member: "Member") -> Sight:
    """As far as it says what they may look at."""
    return Sight(member.organization_id, member.pk, member.user_id, _held(member, Right.VIEW))


def approved_by(member: "Member") -> Places:
    """Where they may decide; nowhere while they decide nothing at all."""
    return _held(member, Right.APPROVE) if rights.of(member.pk).may_decide else {}


def _held(member: "Member", right: Right) -> Places:
    accounts: dict[str, set[int | None]] = {}
    for workflow, held, account_id in granted(member):
        if held in right.given_by:
            accounts.setdefault(workflow.value, set()).add(account_id)
    return {
        workflow: None if None in places else [pk for pk in places if pk is not None]
        for workflow, places in sorted(accounts.items())
    }


def _outline(places: Places) -> _Outline:
    return tuple((workflow, keys is None) for workflow, keys in sorted(places.items()))


def _places(name: str, outline: _Outline) -> Places:
    return {workflow: None if of_all else given.keys(f"{name}_{workflow}") for workflow, of_all in outline}
