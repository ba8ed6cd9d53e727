"""Gathers what the rules look at, fresh from the database and with the same few queries however much there is."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from policies import payload, registry
from policies.models import Grant
from policies.registry import Operation
from policies.rules import Asked, Bot, Facts, Held, Initiator, Person, Terms
from policies.workflows import Workflow
from portal.core.actors import MEMBER
from portal.core.errors import NotFound
from portal.core.http import PASSKEY, TOTP

if TYPE_CHECKING:
    from accounts.models import Member, Organization, ServiceUser
    from policies.models import ChangeRequest

AUTHENTICATOR_APP = "totp"
# With fewer verified members than this, accepting ownership counts as one of the approvals (O3).
FEW: Final = 3


def gather(organization: "Organization") -> Facts:
    """Everything that P2, P5 and R3 ask about one Organization, in eleven queries."""
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
    rows = organization.policies.order_by("pk").values_list("workflow", "approvals", "always", "open_hours")
    return tuple(Terms(*row) for row in rows)


def person(facts: Facts, member_id: int | None) -> Person | None:
    return next((found for found in facts.people if found.member_id == member_id), None)


def bot(facts: Facts, service_user_id: int | None) -> Bot | None:
    return next((found for found in facts.bots if found.service_user_id == service_user_id), None)


def initiator(facts: Facts, actor: "Member | ServiceUser") -> Initiator:
    """The actor as the rules see them.

    Raises: NotFound if they are not of this Organization.
    """
    found = person(facts, actor.pk) if actor.kind == MEMBER else bot(facts, actor.pk)
    if found is None:
        raise NotFound(f"{actor.label} is not of this Organization.")
    return found


def asked(change: "ChangeRequest", facts: Facts) -> Asked:
    """What `change` asks, for the rules. One whose params were altered beyond reading gives nobody anything."""
    operation = registry.get(change.operation)
    return asking(operation, change, facts, gives_withdraw=_gives_withdraw(change))


def asking(operation: Operation[Any], change: "ChangeRequest", facts: Facts, *, gives_withdraw: int | None) -> Asked:
    """What a request for `operation` asks, when its params are at hand.

    Raises: NotFound if its initiator is not of this Organization.
    """
    subject = person(facts, change.subject_member_id)
    verified = sum(found.is_active and found.is_verified for found in facts.people)
    return Asked(
        workflow=Workflow(change.workflow),
        initiator=initiator(facts, change.initiator),
        account_id=change.account_id,
        subject=subject.user_id if subject else None,
        gives_withdraw=gives_withdraw,
        money=operation.money,
        alone=operation.alone,
        least=1 if operation.accepted else 0,
        spared=1 if operation.accepted and verified < FEW else 0,
    )


def _gives_withdraw(change: "ChangeRequest") -> int | None:
    operation = registry.get(change.operation)
    try:
        return operation.gives_withdraw(payload.decode(operation.params, change.params))
    except payload.Unreadable:
        # It cannot run either: whoever moves it finds that its digest is broken.
        return None


def _people(organization: "Organization") -> tuple[Person, ...]:
    grants: dict[int, set[Held]] = defaultdict(set)
    rows = Grant.objects.filter(member__organization=organization)
    for member_id, workflow, right, account_id in rows.values_list("member_id", "workflow", "right", "account_id"):
        grants[member_id].add(Held(workflow, right, account_id))
    people = organization.members
    with_app = set(people.filter(user__authenticator__confirmed=True).values_list("user_id", flat=True))
    with_passkey = set(people.filter(user__passkey__confirmed=True).values_list("user_id", flat=True))
    rested = timezone.now() - settings.AFTER_RESET
    return tuple(
        Person(
            member_id=member.pk,
            user_id=member.user_id,
            name=member.label,
            is_active=member.is_active,
            is_verified=member.is_verified,
            is_resting=member.factors_reset_at is not None and member.factors_reset_at > rested,
            factors=frozenset(
                kind for kind, having in ((TOTP, with_app), (PASSKEY, with_passkey)) if member.user_id in having
            ),
            grants=frozenset(grants[member.pk]),
        )
        for member in people.select_related("user").order_by("user__name", "pk")
    )


def _bots(organization: "Organization") -> tuple[Bot, ...]:
    custodians: dict[int, set[int]] = defaultdict(set)
    unexpired = Q(keys__expires_at=None) | Q(keys__expires_at__gt=timezone.now())
    live = set(
        organization.service_users.filter(unexpired, keys__isnull=False, keys__revoked_at=None)
        .values_list("pk", flat=True)
        .distinct()
    )
    bots = organization.service_users
    for service_user_id, user_id in bots.filter(keys__isnull=False).values_list("pk", "keys__made_by__user_id"):
        custodians[service_user_id].add(user_id)
    kept = bots.filter(keys__custodians__isnull=False)
    for service_user_id, user_id in kept.values_list("pk", "keys__custodians__member__user_id"):
        custodians[service_user_id].add(user_id)
    return tuple(
        Bot(
            service_user_id=service_user.pk,
            name=service_user.name,
            account_id=service_user.account_id,
            is_active=service_user.is_active,
            has_live_key=service_user.pk in live,
            permissions=frozenset(service_user.permissions),
            custodians=frozenset(custodians[service_user.pk]),
        )
        for service_user in bots.order_by("name", "pk")
    )
