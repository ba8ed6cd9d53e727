"""An Organization itself as the rules see it: its level, its policies, its Accounts, its groups, and what is frozen."""

from collections.abc import Collection, Mapping
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final, cast

from django.db.models.functions import JSONArray
from django.utils import timezone

from policies.models import Group, Policy
from policies.rules import Frozen, NamedAccounts, Terms
from policies.snapshot import freezes as frozen
from policies.snapshot.stored_rules import read_rules
from portal.core.database.compiled import given
from portal.core.database.compiled.statement import Statement, compiled
from portal.core.database.rows import Rows, nested

if TYPE_CHECKING:
    from accounts.models import Account, Organization

TERMS: Final = ("workflow", "approvals", "always", "open_hours", "is_locked", "rules")


def house(
    organization: "Organization", named: Collection[int] | None = None
) -> tuple[str, tuple[Terms, ...], Mapping[int, str], Mapping[int, str], tuple[Frozen, ...]]:
    """The level, the policies, the Accounts, all of them or those that are `named`, the groups and what is frozen."""
    statement = _statement(type(organization), of_all=named is None)
    [row] = statement.run(organization=organization.pk, now=timezone.now(), named=named or ())
    terms = (
        Terms(workflow, approvals, bool(always), open_hours, bool(is_locked), read_rules(nested(rules)))
        for _, workflow, approvals, always, open_hours, is_locked, rules in sorted(row["terms"], key=itemgetter(0))
    )
    [level], found = row["level"], dict(sorted(row["places"]))
    shown_accounts = found if named is None else NamedAccounts(named, found)
    return level, tuple(terms), shown_accounts, dict(sorted(row["rosters"])), frozen.told(row["frozen"])


@cache
def _statement(organizations: "type[Organization]", *, of_all: bool) -> Statement:
    """Compiled once, with all Accounts or those that are named."""
    organization = given.key("organization")
    rows = organizations.objects.filter(pk=organization)
    places = cast("type[Account]", organizations._meta.get_field("accounts").related_model)
    accounts = places.objects.filter(organization=organization)
    shown = accounts if of_all else accounts.filter(pk__in=given.keys("named"))
    return compiled(
        rows.values(
            level=JSONArray("second_factor_level"),
            terms=Rows(Policy.objects.filter(organization=organization), "pk", *TERMS),
            places=Rows(shown, "pk", "name"),
            rosters=Rows(Group.objects.filter(organization=organization, removed_at=None), "pk", "name"),
            frozen=frozen.running(organization, given.instant("now")),
        )
    )
