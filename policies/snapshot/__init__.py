"""Gathers what the rules look at, fresh from the database and with the same few queries however much there is."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from policies import payload, registry
from policies.registry import Operation
from policies.rules import (
    EVERY_ACCOUNT,
    UNSEEN,
    Asked,
    Bot,
    Facts,
    Initiator,
    Person,
    Terms,
    is_locked,
)
from policies.rules.language import NOTHING, Demand
from policies.snapshot import bots as service_users
from policies.snapshot.books import Books
from policies.snapshot.house import TERMS, house
from policies.snapshot.measured import situation_of
from policies.snapshot.people import people
from policies.snapshot.stored_rules import read_rules
from policies.workflows import Workflow
from portal.core.actors import MEMBER
from portal.core.database.one_reading import is_kept, once
from portal.core.errors import NotFound

if TYPE_CHECKING:
    from accounts.models import Member, Organization, ServiceUser
    from policies.models import ChangeRequest

P = TypeVar("P")
# With fewer verified members than this, accepting ownership counts as one of the approvals (O3).
FEW: Final = 3


def gather(
    organization: "Organization",
    about: "Iterable[ChangeRequest]" = (),
    *,
    bots: bool = False,
    every_account: bool = True,
) -> Facts:
    """What P2 and R3 ask about one Organization, and with `bots` what P5 and P6 ask, in three queries at the most.

    Of the Service Users there are those who ask in `about`, by the keys through which they do; and all that hold
    Withdraw with `bots`, or where an operation in `about` weighs them. Without `every_account` there are the Accounts
    that `about` is for. To ask of others then raises `NotGathered`.
    """
    changes = tuple(about)
    if every_account:
        level, terms, accounts, groups, freezes = once(("house", organization.pk), lambda: house(organization))
    else:
        named = {change.account_id for change in changes if change.account_id is not None}
        level, terms, accounts, groups, freezes = house(organization, named)
    withdrawing = bots or any(_weighs_bots(change) for change in changes)
    asking = {(change.service_user_id, change.api_key_id) for change in changes if change.service_user_id is not None}
    found = _bots(organization, asking, withdrawing=withdrawing)
    return Facts(
        level=level,
        accounts=accounts,
        people=once(("people", organization.pk), lambda: people(organization)),
        bots=tuple(bot for bot in found if bot.holds_withdraw) if withdrawing else UNSEEN,
        policies=terms,
        groups=groups,
        books=Books(organization),
        askers={asker: next((bot for bot in found if bot.service_user_id == asker), None) for asker, _ in asking},
        freezes=freezes,
    )


def custodians_freed(organization: "Organization", operation: str, kept: Mapping[str, object]) -> frozenset[int]:
    """The persons whose keys would withdraw at once after such a request, whose params are `kept`: it bars them (P2).

    Only the bots are read, and that once for a page, however many requests it looks at.
    """
    entry = registry.get(operation)
    try:
        params = payload.decode(entry.params, kept)
    except payload.Unreadable:
        return frozenset()
    if entry.frees is registry.frees_nothing:
        return frozenset()
    facts = Facts(level="", bots=_bots(organization, set(), withdrawing=True))
    return frozenset().union(*(bot.custodians for bot in entry.frees(params, facts)))


def concerned(operation: str, kept: Mapping[str, object]) -> frozenset[int]:
    """The Members whom such a request, whose params are `kept`, is about where they may be several: it bars them (R3).

    Nothing is read.
    """
    entry = registry.get(operation)
    try:
        return frozenset(entry.concerns(payload.decode(entry.params, kept)))
    except payload.Unreadable:
        return frozenset()


def policies(organization: "Organization") -> tuple[Terms, ...]:
    """The policies as they stand, readable or not."""
    rows = organization.policies.order_by("pk").values_list(*TERMS)
    return tuple(
        Terms(workflow, approvals, always, open_hours, is_locked, read_rules(rules))
        for workflow, approvals, always, open_hours, is_locked, rules in rows
    )


def _bots(organization: "Organization", asking: "set[service_users.Asking]", *, withdrawing: bool) -> tuple[Bot, ...]:
    """Those of `asking`, and with `withdrawing` all that hold Withdraw, read once for a page.

    Most of those who ask are among the latter, with the keys through which they do: the others take one query more.
    """
    if not asking and not withdrawing:
        return ()
    all_that_hold = ("bots that hold Withdraw", organization.pk)
    if not withdrawing and not is_kept(all_that_hold):
        name = ("bots that ask", organization.pk, frozenset(asking))
        return once(name, lambda: service_users.bots(organization, asking, withdrawing=False))
    holding = once(all_that_hold, lambda: service_users.bots(organization, (), withdrawing=True))
    keys = {bot.service_user_id: {None, *(key.key_id for key in bot.keys)} for bot in holding}
    others = {(pk, key_id) for pk, key_id in asking if key_id not in keys.get(pk, ())}
    rest = service_users.bots(organization, others, withdrawing=False) if others else ()
    found = {bot.service_user_id: bot for bot in (*holding, *rest)}
    return tuple(found.values())


def _weighs_bots(change: "ChangeRequest") -> bool:
    try:
        return registry.get(change.operation).weighs_bots
    except registry.Unregistered:
        return False


def person(facts: Facts, member_id: int | None) -> Person | None:
    """The Member of that id among the facts; None where they are gone."""
    return facts.person(member_id)


def bot(facts: Facts, service_user_id: int | None) -> Bot | None:
    """The Service User of that id among the facts; None where it is gone."""
    return facts.bot(service_user_id)


def initiator(facts: Facts, actor: "Member | ServiceUser", api_key_id: int | None = None) -> Initiator:
    """The actor as the rules see them; a Service User as it asks through that key, when one is given.

    Raises: NotFound if they are not of this Organization.
    """
    if actor.kind == MEMBER:
        found: Initiator | None = facts.person(actor.pk)
    else:
        asking = facts.bot(actor.pk)
        found = asking.through(api_key_id) if asking is not None and api_key_id is not None else asking
    if found is None:
        raise NotFound(f"{actor.label} is not of this Organization.")
    return found


def asked(change: "ChangeRequest", facts: Facts) -> Asked:
    """What `change` asks, for the rules. One that cannot be read, or is not known, gives nobody anything."""
    try:
        operation = registry.get(change.operation)
    except registry.Unregistered:
        return _unknown(change, facts)
    try:
        params = payload.decode(operation.params, change.params)
    except payload.Unreadable:
        # It cannot run either: whoever moves it finds that its digest is broken.
        params = None
    return asking(operation, change, facts, params)


def asking(operation: Operation[P], change: "ChangeRequest", facts: Facts, params: P | None) -> Asked:
    """What a request for `operation` asks; `params` None when they cannot be read.

    Raises: NotFound if its initiator is not of this Organization.
    """
    subject = facts.person(change.subject_member_id)
    asker = initiator(facts, change.initiator, change.api_key_id)
    freed = operation.frees(params, facts) if params is not None else ()
    again = operation.gives_again(change)
    protects = params is None or bool(freed) or again or operation.protected(params, facts)
    least = _least(operation, facts, asker, params) if params is not None else NOTHING
    return Asked(
        workflow=Workflow(change.workflow),
        initiator=asker,
        account_id=None if operation.any_account else _account(change),
        subject=subject.user_id if subject else None,
        concerned=_persons(operation.concerns(params), facts) if params is not None else frozenset(),
        gives_withdraw=frozenset(operation.gives_withdraw(params)) if params is not None else frozenset(),
        money=operation.money,
        alone=operation.alone,
        protected=protects and is_locked(facts.policies),
        takes_power=params is not None and operation.takes_power(params),
        frees=frozenset(bot.account_id for bot in freed),
        barred=frozenset().union(*(bot.custodians for bot in freed)),
        least=max(least.approvals, 1 if operation.accepted or again else 0),
        of_groups=least.groups,
        spared=1 if operation.accepted and _verified(facts) < FEW else 0,
        situation=situation_of(operation, change, facts, params),
    )


def _verified(facts: Facts) -> int:
    return sum(found.is_active and found.is_verified for found in facts.people)


def _least(operation: Operation[P], facts: Facts, asker: Initiator, params: P) -> Demand:
    """What it takes whatever its policy says, of all and of groups."""
    least = operation.least(params, facts, asker)
    of_all = least if isinstance(least, Demand) else Demand(least)
    return of_all | Demand(groups=operation.of_groups(params))


def _persons(member_ids: Collection[int], facts: Facts) -> frozenset[int]:
    wanted = frozenset(member_ids)
    return frozenset(person.user_id for person in facts.people if person.member_id in wanted) if wanted else wanted


def _account(change: "ChangeRequest") -> int | None:
    """Of which Account it asks; what names none where rights name one asks of all."""
    if change.account_id is None and Workflow(change.workflow).by_account:
        return EVERY_ACCOUNT
    return change.account_id


def _unknown(change: "ChangeRequest", facts: Facts) -> Asked:
    """What nobody knows how to carry out: of the strictest kind, until somebody touches it and it ends."""
    subject = facts.person(change.subject_member_id)
    return Asked(
        workflow=Workflow(change.workflow),
        initiator=initiator(facts, change.initiator, change.api_key_id),
        account_id=_account(change),
        subject=subject.user_id if subject else None,
        money=True,
        protected=is_locked(facts.policies),
        least=1,
    )
