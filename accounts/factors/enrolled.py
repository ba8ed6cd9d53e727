"""Which second factors a person holds, and in which of their Organizations they count (DESIGN O4, M4).

Whatever asks whether somebody has shown enough asks here: a factor is the person's, and counts in its `places` alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db.models import CharField, QuerySet, Value

from accounts.models import Authenticator, Member, Organization, Passkey, RecoveryCode, User
from accounts.models.organization import SecondFactorLevel
from portal.core.database.compiled.given import Key, Keys
from portal.core.database.one_reading import is_kept, keep, once
from portal.core.factors import PASSKEY, RECOVERY_CODE, STRONG, TOTP

Factor = Authenticator | Passkey
Shown = Authenticator | Passkey | RecoveryCode
FACTORS: Final[dict[str, type[Authenticator] | type[Passkey]]] = {TOTP: Authenticator, PASSKEY: Passkey}
KINDS: Final[dict[str, type[Authenticator] | type[Passkey] | type[RecoveryCode]]] = {
    **FACTORS,
    RECOVERY_CODE: RecoveryCode,
}


def held(member: Member) -> frozenset[str]:
    """The kinds of strong factor that count for this Member."""
    return once(_held(member), lambda: _kinds(holding(member.pk)))


def holding(member_id: Key) -> dict[str, "QuerySet[Any]"]:
    """By kind, the strong factors that count for the Member of that primary key."""
    return {kind: model.objects.filter(places=member_id, confirmed=True) for kind, model in FACTORS.items()}


def keep_held(member: Member, kinds: Iterable[str]) -> None:
    """Let this page go by what a statement with `holding` has told."""
    keep(_held(member), frozenset(kinds))


def _held(member: Member) -> tuple[str, int]:
    return ("factors", member.pk)


def held_anywhere(user: User) -> frozenset[str]:
    """The kinds of strong factor with which the person can sign in to one of their Organizations."""
    return _kinds({kind: in_use(kind, user) for kind in STRONG})


def can_sign_in(user: User) -> bool:
    """Whether there is any of these. Most have an authenticator app, so that one statement says it."""
    return in_use(TOTP, user).exists() or in_use(PASSKEY, user).exists()


def in_use(kind: str, user: User, place: Member | None = None) -> "QuerySet[Any]":
    """The person's factors of that kind that count for `place`; without one, wherever they may sign in."""
    places = Member.objects.filter(pk=place.pk) if place else Member.objects.active().filter(user=user)
    rows: QuerySet[Any] = FACTORS[kind].objects.filter(user=user, confirmed=True)
    # Asked beside the rows, not joined to them: they are locked.
    return rows.filter(pk__in=KINDS[kind].places.through.objects.filter(member__in=places).values(_column(kind)))


def accepted(organization: Organization) -> frozenset[str]:
    """The kinds that the Organization's level takes, at sign-in and at step-up."""
    return frozenset({PASSKEY}) if organization.second_factor_level == SecondFactorLevel.PASSKEY else STRONG


def meets(member: Member) -> bool:
    """Whether a factor counts for this Member that the Organization's level takes."""
    return bool(held(member) & accepted(member.organization))


def kind_of(shown: Shown) -> str:
    """Which kind of factor it is."""
    if isinstance(shown, RecoveryCode):
        return RECOVERY_CODE
    return PASSKEY if isinstance(shown, Passkey) else TOTP


def mark_of(shown: Shown) -> str:
    """What a session remembers of a factor that was shown in it: which one it was."""
    return f"{kind_of(shown)}:{shown.pk}"


def counted(member: Member, marks: Iterable[str]) -> frozenset[str]:
    """The kinds of those factors, of which these are the marks, that count for this Member now."""
    wanted = list(marks)
    known = [_counts(member, mark) for mark in wanted]
    if all(map(is_kept, known)):
        kinds = (once(name, lambda: False) and mark.partition(":")[0] for name, mark in zip(known, wanted, strict=True))
        return frozenset(kind for kind in kinds if kind)
    return _kinds(having(member.pk, by_kind(wanted)))


def having(member_id: Key, shown: Mapping[str, Keys]) -> dict[str, "QuerySet[Any]"]:
    """By kind, the rows that say of those `shown` that they count for the Member of that primary key."""
    return {kind: _through(kind, keys).filter(member=member_id) for kind, keys in shown.items()}


def key_of(kind: str) -> str:
    """The column of such rows that names the factor."""
    return _column(kind)


def keep_counted(member: Member, marks: Iterable[str], counting: Iterable[str]) -> None:
    """Let this page go by which of these `marks` a statement with `having` has found `counting`."""
    found = set(counting)
    for mark in marks:
        keep(_counts(member, mark), mark in found)


def _counts(member: Member, mark: str) -> tuple[str, int, str]:
    return ("factor counts", member.pk, mark)


def places_taking(user: User, marks: Iterable[str]) -> list[Member]:
    """Every place of the person, suspended or not, in which one of the factors with these marks counts."""
    found: set[int] = set()
    for kind, keys in by_kind(marks).items():
        found.update(_through(kind, keys).values_list("member_id", flat=True))
    places = Member.objects.filter(user=user, removed_at=None, pk__in=found).select_related("user", "organization")
    return list(places.order_by("organization_id"))


def entrance(user: User, shown: Shown) -> Member | None:
    """As which Member whoever has just shown it comes in: the oldest place that they may use and in which it counts."""
    members = Member.objects.active().filter(user=user).select_related("organization", "user").order_by("pk")
    return members.filter(pk__in=_through(kind_of(shown), [shown.pk]).values("member_id")).first()


def _kinds(rows: "Mapping[str, QuerySet[Any]]") -> frozenset[str]:
    """The kinds of which there is any of these rows, in one statement."""
    asked = [of_kind.order_by().values_list(Value(kind, CharField())) for kind, of_kind in rows.items()]
    if not asked:
        return frozenset()
    return frozenset(kind for (kind,) in asked[0].union(*asked[1:]))


def _column(kind: str) -> str:
    return f"{KINDS[kind]._meta.model_name}_id"


def _through(kind: str, keys: Keys) -> "QuerySet[Any]":
    rows: QuerySet[Any] = KINDS[kind].places.through.objects.filter(**{f"{_column(kind)}__in": keys})
    return rows


def by_kind(marks: Iterable[str]) -> dict[str, list[int]]:
    """The primary keys of the factors with these marks."""
    found: dict[str, list[int]] = {}
    for mark in marks:
        kind, _, key = mark.partition(":")
        if kind in KINDS and key.isdecimal():
            found.setdefault(kind, []).append(int(key))
    return found
