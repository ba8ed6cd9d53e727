"""Founding an Organization, and the people the operator puts into it."""

from collections.abc import Iterable

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.factors import trust
from accounts.models import Account, Member, Organization, User
from accounts.models.member import Identity
from accounts.models.organization import SecondFactorLevel
from accounts.security import cooldown
from policies.access import grant
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import lock_history, record
from portal.core.actors import operator
from portal.core.errors import Conflict

FIRST_ACCOUNT = "Main"


@transaction.atomic
def create_organization(
    *, name: str, currency: str, level: SecondFactorLevel = SecondFactorLevel.ANY, owner: User
) -> Organization:
    """Found an Organization with its Account `Main`; `owner` gets all four rights on all four workflows.

    The operator vouches for the Owner's identity (DESIGN M3).

    Raises: Conflict if the name is taken.
    """
    try:
        with transaction.atomic():
            organization = Organization.objects.create(
                name=name, currency=currency, second_factor_level=level, created_at=timezone.now()
            )
    except IntegrityError as error:
        raise Conflict(f"There is an organization named {name} already.", field="name") from error
    lock_history(organization.pk)
    actor = operator(organization.pk)
    record(EventKind.ORGANIZATION_CREATED, actor=actor, subject=organization, currency=currency, level=str(level))
    account = Account.objects.create(organization=organization, name=FIRST_ACCOUNT, created_at=timezone.now())
    record(EventKind.ACCOUNT_ADDED, actor=actor, subject=account, workflow=Workflow.MANAGE_ACCESS)
    _join(organization, owner, rights=[(workflow, right) for workflow in Workflow for right in Right], is_owner=True)
    return organization


def set_up(*, name: str, currency: str, level: SecondFactorLevel, email: str, owner_name: str, password: str) -> Member:
    """Found the very first Organization with its Owner, from the set-up page.

    Raises: Conflict if there is one already, also one that was founded at this very moment.
    """
    # Before the lock: others wait for that, and this may wait for others.
    digested = make_password(password)
    with transaction.atomic():
        return _set_up(name, currency, level, User(email=email.strip().lower(), name=owner_name, password=digested))


def _set_up(name: str, currency: str, level: SecondFactorLevel, owner: User) -> Member:
    # One set-up at a time: the installation's own history orders them.
    lock_history(None)
    if Organization.objects.exists():
        raise Conflict("This portal was set up meanwhile. Sign in, or ask for an invitation.")
    if User.objects.filter(email=owner.email).exists():
        raise Conflict("Somebody with this address is known already. Use the command createorganization.")
    owner.save()
    organization = create_organization(name=name, currency=currency, level=level, owner=owner)
    return Member.objects.select_related("user", "organization").get(organization=organization, user=owner)


@transaction.atomic
def add_member(organization: Organization, user: User, *, rights: Iterable[tuple[Workflow, Right]]) -> Member:
    """Put a person into an Organization with those rights, for all its Accounts. The operator vouches for them.

    Raises: Conflict if they are in it already.
    """
    lock_history(organization.pk)
    if Member.objects.of(organization).filter(user=user).exists():
        raise Conflict(f"{user.name} is a member of {organization.name} already.", field="email")
    return _join(organization, user, rights=rights)


def _join(
    organization: Organization, user: User, *, rights: Iterable[tuple[Workflow, Right]], is_owner: bool = False
) -> Member:
    member = Member.objects.create(
        organization=organization,
        user=user,
        is_owner=is_owner,
        identity=Identity.VERIFIED,
        joined_at=timezone.now(),
    )
    # The operator vouches for the person, and with them for what they hold.
    trust.count_all(member)
    cooldown.carry_over(member)
    given = list(rights)
    for workflow, right in given:
        grant(member, workflow, right)
    record(
        EventKind.MEMBER_ADDED,
        actor=operator(organization.pk),
        subject=member,
        workflow=Workflow.MANAGE_ACCESS,
        owner=is_owner,
        rights=[f"{workflow.value}: {right.value}" for workflow, right in given],
    )
    return member
