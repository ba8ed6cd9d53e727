"""Gathers what the rules look at, fresh from the database and with the same few queries however much there is."""

from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeVar

from django.conf import settings
from django.utils import timezone

from policies import payload, registry
from policies.models import Grant
from policies.registry import Operation
from policies.rules import Asked, Bot, Facts, Held, Initiator, Key, Person, Terms, is_locked
from policies.workflows import Workflow
from portal.core.actors import MEMBER
from portal.core.errors import NotFound
from portal.core.factors import PASSKEY, TOTP

if TYPE_CHECKING:
    from accounts.models import Member, Organization, ServiceUser
    from policies.models import ChangeRequest

P = TypeVar("P")
# With fewer verified members than this, accepting ownership counts as one of the approvals (O3).
FEW: Final = 3
TERMS: Final = ("workflow", "approvals", "always", "open_hours", "is_locked")


def gather(organization: "Organization") -> Facts:
    """Everything that P2, P5 and R3 ask about one Organization, in twelve queries."""
    levels = type(organization).objects.values_list("second_factor_level", flat=True)
    return Facts(
        level=levels.get(pk=organization.pk),
        accounts=dict(organization.accounts.order_by("pk").values_list("pk", "name")),
        people=_people(organization),
        bots=_bots(organization),
        policies=policies(organization),
    )


def policies(organization: "Organization") -> tuple[Terms, ...]:
    """The policies as they stand, readable or not."""
    rows = organization.policies.order_by("pk").values_list(*TERMS)
    return tuple(Terms(*row) for row in rows)


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
    verified = sum(found.is_active and found.is_verified for found in facts.people)
    asker = initiator(facts, change.initiator, change.api_key_id)
    freed = operation.frees(params, facts) if params is not None else ()
    again = operation.gives_again(change)
    protects = params is None or bool(freed) or again or operation.protected(params, facts)
    least = operation.least(params, facts, asker) if params is not None else 0
    return Asked(
        workflow=Workflow(change.workflow),
        initiator=asker,
        account_id=change.account_id,
        subject=subject.user_id if subject else None,
        gives_withdraw=frozenset(operation.gives_withdraw(params)) if params is not None else frozenset(),
        money=operation.money,
        alone=operation.alone,
        protected=protects and is_locked(facts.policies),
        takes_power=params is not None and operation.takes_power(params),
        frees=frozenset(bot.account_id for bot in freed),
        barred=frozenset().union(*(bot.custodians for bot in freed)),
        least=max(least, 1 if operation.accepted or again else 0),
        spared=1 if operation.accepted and verified < FEW else 0,
    )


def _unknown(change: "ChangeRequest", facts: Facts) -> Asked:
    """What nobody knows how to carry out: of the strictest kind, until somebody touches it and it ends."""
    subject = facts.person(change.subject_member_id)
    return Asked(
        workflow=Workflow(change.workflow),
        initiator=initiator(facts, change.initiator, change.api_key_id),
        account_id=change.account_id,
        subject=subject.user_id if subject else None,
        money=True,
        protected=is_locked(facts.policies),
        least=1,
    )


def _people(organization: "Organization") -> tuple[Person, ...]:
    grants: dict[int, set[Held]] = defaultdict(set)
    rows = Grant.objects.filter(member__organization=organization)
    for member_id, workflow, right, account_id in rows.values_list("member_id", "workflow", "right", "account_id"):
        grants[member_id].add(Held(workflow, right, account_id))
    people = organization.members
    awaiting = _awaiting(organization)
    # Only what counts in this very place (DESIGN M4).
    with_app = set(people.filter(authenticators__confirmed=True).values_list("pk", flat=True))
    with_passkey = set(people.filter(passkeys__confirmed=True).values_list("pk", flat=True))
    return tuple(
        Person(
            member_id=member.pk,
            user_id=member.user_id,
            name=member.label,
            is_active=member.is_active,
            comes_back=_is_away(member) and member.suspended_until is not None,
            is_kept_out=_is_away(member) and member.suspended_until is None,
            is_verified=member.is_verified,
            is_resting=member.is_resting,
            awaits_power=member.pk in awaiting,
            reset_at=member.factors_reset_at,
            joined_at=member.joined_at,
            factors=frozenset(
                kind for kind, having in ((TOTP, with_app), (PASSKEY, with_passkey)) if member.pk in having
            ),
            grants=frozenset(grants[member.pk]),
        )
        for member in people.select_related("user").order_by("user__name", "pk")
    )


def _is_away(member: "Member") -> bool:
    """Whether nothing but a suspension keeps them from being active."""
    return member.is_suspended and member.removed_at is None and member.user.is_active


def _awaiting(organization: "Organization") -> set[int]:
    """The Members to whom power is on its way: a key that they alone can reveal, or an open offer of the ownership."""
    now = timezone.now()
    keys = organization.service_users.filter(
        removed_at=None,
        keys__revealed_at=None,
        keys__revoked_at=None,
        keys__created_at__gt=now - settings.CLAIM_KEY_WITHIN,
    )
    offers = organization.ownership_offers.filter(
        accepted_at=None, declined_at=None, lapsed_at=None, expires_at__gt=now
    )
    return {*keys.values_list("keys__made_by", flat=True), *offers.values_list("to", flat=True)}


def _bots(organization: "Organization") -> tuple[Bot, ...]:
    bots = organization.service_users
    custodians: dict[int, set[int]] = defaultdict(set)
    kept = bots.filter(keys__custodians__isnull=False)
    for key_id, user_id in kept.values_list("keys", "keys__custodians__member__user_id"):
        custodians[key_id].add(user_id)
    keys: dict[int, list[Key]] = defaultdict(list)
    rows = bots.filter(keys__isnull=False).order_by("keys")
    fields = ("pk", "keys", "keys__made_by__user_id", "keys__revoked_at", "keys__expires_at")
    now = timezone.now()
    for service_user_id, key_id, made_by, revoked_at, expires_at in rows.values_list(*fields):
        is_live = revoked_at is None and (expires_at is None or expires_at > now)
        keys[service_user_id].append(Key(key_id, frozenset(custodians[key_id] | {made_by}), is_live))
    return tuple(
        Bot(
            service_user_id=service_user.pk,
            name=service_user.name,
            account_id=service_user.account_id,
            is_active=service_user.is_active,
            permissions=frozenset(service_user.permissions),
            keys=tuple(keys[service_user.pk]),
        )
        for service_user in bots.order_by("name", "pk")
    )
