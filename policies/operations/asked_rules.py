"""The rules that a policy is asked to have: what follows from them, and whether they can be meant here (DESIGN P7)."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from policies import payload
from policies.measures import measures
from policies.models import Group
from policies.models.policy import DEFAULT_OPEN_HOURS, MAX_APPROVALS
from policies.rules import Terms
from policies.rules.language import (
    MEMBER,
    SERVICE_USER,
    Among,
    Rule,
    flaw,
    initiator_id,
    plain_rule,
)
from policies.workflows import Workflow
from portal.core.errors import Invalid
from portal.core.money import plain

if TYPE_CHECKING:
    from accounts.models import Organization


@dataclass(frozen=True, slots=True)
class ConfigurePolicy:
    """What `workflow` shall ask for: 1 to 20 approvals, open for 1 to 720 hours.

    With `rules` these say what is asked, and `approvals` and `always` are what follows from them.
    """

    workflow: Workflow
    approvals: int
    always: bool
    open_hours: int = DEFAULT_OPEN_HOURS
    rules: tuple[Rule, ...] = payload.added(())

    @property
    def settled(self) -> "ConfigurePolicy":
        """The same with what follows from its rules; one that only says a number is that number."""
        if not self.rules:
            return self
        first = self.rules[0]
        if len(self.rules) == 1 and first == plain_rule(first.approvals, always=first.always):
            return replace(self, approvals=first.approvals, always=first.always, rules=())
        return replace(self, approvals=most_asked(self.rules), always=any(rule.always for rule in self.rules))

    def terms(self, *, is_locked: bool) -> Terms:
        """The policy as it would be, for the rules."""
        kept = self.settled
        return Terms(kept.workflow, kept.approvals, kept.always, kept.open_hours, is_locked, kept.rules)


def by_rules(workflow: Workflow, rules: Sequence[Rule], open_hours: int) -> ConfigurePolicy:
    """What asks that `workflow` has these rules."""
    return ConfigurePolicy(workflow, 1, always=True, open_hours=open_hours, rules=tuple(rules)).settled


def most_asked(rules: Sequence[Rule]) -> int:
    """The most that any rule asks of anybody: the number of a policy for whoever does not read rules."""
    counts = [rule.approvals for rule in rules] + [each.count for rule in rules for each in rule.groups]
    return min(max(1, *counts), MAX_APPROVALS)


def refuse_unfit(organization: "Organization", params: ConfigurePolicy, *, standing: Sequence[Rule]) -> None:
    """Let only rules through that can be meant, and that name what this Organization has.

    What the rules that stand name already may be named on, though it is gone by now.

    Raises: Invalid, about the field `rules`.
    """
    trouble = unfit(organization, params.workflow, params.rules, standing=standing)
    if trouble:
        raise Invalid(trouble, field="rules")


def unfit(
    organization: "Organization", workflow: Workflow, rules: Sequence[Rule], *, standing: Sequence[Rule] = ()
) -> str:
    """Why these rules cannot be the policy of `workflow`, in words; empty if they can."""
    if not rules:
        return ""
    groups = set(Group.objects.filter(organization=organization, removed_at=None).values_list("pk", flat=True))
    trouble = flaw(rules, by_amount=workflow is Workflow.INITIATE_WITHDRAWAL, groups=groups)
    return trouble or next(_strange(organization, rules, standing), "") or next(_unwritten(rules), "")


def _unwritten(rules: Sequence[Rule]) -> Iterator[str]:
    amounts = [rule.amount for rule in rules if rule.amount is not None]
    amounts += [each.amount for rule in rules for each in rule.sums]
    if any(str(amount) != plain(amount) for amount in amounts):
        yield "An amount is written in plain digits."
    if any(list(rule.groups) != sorted(rule.groups) or list(rule.sums) != sorted(rule.sums) for rule in rules):
        yield "What a rule asks and counts is written in order."


@dataclass(frozen=True, slots=True)
class _List:
    """One kind of list: how its rule holds it, what there is, and how to say that something is not there."""

    of: Callable[[Rule], Among | None]
    known: Callable[["Organization"], Collection[str]]
    stranger: str = field(kw_only=True)


def _accounts(organization: "Organization") -> Collection[str]:
    return {str(pk) for pk in organization.accounts.values_list("pk", flat=True)}


def _assets(organization: "Organization") -> Collection[str]:
    return {named.value for named in measures().assets(organization)}


def _destinations(organization: "Organization") -> Collection[str]:
    return {named.value for named in measures().destinations(organization)}


def _initiators(organization: "Organization") -> Collection[str]:
    members = {initiator_id(MEMBER, pk) for pk in organization.members.values_list("pk", flat=True)}
    bots = organization.service_users.values_list("pk", flat=True)
    return members | {initiator_id(SERVICE_USER, pk) for pk in bots}


LISTS = (
    _List(lambda rule: rule.accounts, _accounts, stranger="an Account"),
    _List(lambda rule: rule.assets, _assets, stranger="an asset"),
    _List(lambda rule: rule.destinations, _destinations, stranger="an address"),
    _List(lambda rule: rule.initiators, _initiators, stranger="somebody"),
)


def _strange(organization: "Organization", rules: Sequence[Rule], standing: Sequence[Rule]) -> Iterator[str]:
    for each in LISTS:
        named = _named(rules, each)
        if named - _named(standing, each) - frozenset(each.known(organization) if named else ()):
            yield f"A rule names {each.stranger} that this Organization does not have."


def _named(rules: Sequence[Rule], of: _List) -> frozenset[str]:
    lists = (of.of(rule) for rule in rules)
    return frozenset(value for among in lists if among is not None for value in among.values)
