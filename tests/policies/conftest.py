"""A small house of its own for the rules: people with rights, one bot, and no other app's operations."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import policies.models
from accounts.models import Account, ApiKey, Authenticator, Custodian, Member, Organization, ServiceUser, User
from policies.changes import decide, propose
from policies.models import ChangeRequest, Grant, GroupMember, Policy
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.web.http import Proof
from tests.policies import operations
from tests.policies.operations import Send, Tidy, send, tidy


@dataclass
class House:
    organization: Organization
    account: Account
    people: dict[str, Member] = field(default_factory=dict)

    def __getattr__(self, name):
        return self.people[name]

    def member(self, name, right=None, *, workflows=tuple(Workflow), account=None, factor=True, user=None) -> Member:
        user = user or make_user(name, factor=factor)
        (member,) = self._joined({name: user})
        self.grant(member, [(workflow, right) for workflow in workflows if right], account)
        return member

    def furnish(self, rights: Mapping[str, Iterable[tuple[Workflow, Right]]], *, tag: str = "") -> None:
        """Everybody at once, each with these rights: one by one they took five times as many statements.

        `tag` ends the name in each address, which is there once.
        """
        users = User.objects.bulk_create(_user(name + tag) for name in rights)
        Authenticator.objects.bulk_create(_app(user) for user in users)
        members = self._joined(dict(zip(rights, users, strict=True)))
        held = zip(members, rights.values(), strict=True)
        Grant.objects.bulk_create(row for member, some in held for row in _grants(member, some))

    def _joined(self, users: Mapping[str, User]) -> list[Member]:
        """Each is a Member here, and every app of theirs counts here."""
        now = timezone.now()
        members = Member.objects.bulk_create(
            Member(organization=self.organization, user=user, identity="verified", joined_at=now)
            for user in users.values()
        )
        of = {member.user_id: member for member in members}
        places = Authenticator.places.through
        places.objects.bulk_create(
            places(authenticator=app, member=of[app.user_id]) for app in Authenticator.objects.filter(user__in=of)
        )
        self.people |= zip(users, members, strict=True)
        return members

    def grant(self, member, rights, account=None) -> None:
        """What `policies.access.grant` does for each right, at once: there are forty of them in a house."""
        Grant.objects.bulk_create(_grants(member, rights, account))

    def group(self, name, *members) -> int:
        """A group of these, by primary key."""
        made = policies.models.Group.objects.create(
            organization=self.organization, name=name, created_at=timezone.now()
        )
        for member in members:
            GroupMember.objects.create(group=made, member=self.people[member])
        return made.pk

    def policy(self, workflow, approvals, *, always=True, open_hours=72, locked=False, rules=()) -> Policy:
        policy, _ = Policy.objects.update_or_create(
            organization=self.organization,
            workflow=workflow,
            defaults={
                "approvals": approvals,
                "always": always,
                "open_hours": open_hours,
                "is_locked": locked,
                "rules": written_rules(rules),
                "changed_at": timezone.now(),
            },
        )
        return policy

    def bot(self, name="treasury-bot", made_by="olive", permissions=("withdraw-funds",)) -> ApiKey:
        now = timezone.now()
        service_user = ServiceUser.objects.create(
            organization=self.organization,
            account=self.account,
            name=name,
            permissions=list(permissions),
            created_at=now,
            changed_at=now,
        )
        return self.key(service_user, made_by)

    def key(self, service_user, made_by) -> ApiKey:
        now = timezone.now()
        maker = self.people[made_by]
        key = ApiKey.objects.create(
            service_user=service_user,
            public=f"{service_user.pk}-{made_by}-{timezone.now().timestamp()}"[:56],
            sealed_secret="-",
            made_by=maker,
            created_at=now,
            revealed_at=now,
            is_active=True,
            slot=1 + service_user.keys.filter(slot__isnull=False).count(),
        )
        Custodian.objects.create(api_key=key, member=maker, since=now, reason="made it")
        return key


def make_user(name, *, factor=True) -> User:
    user = _user(name)
    user.save()
    if factor:
        _app(user).save()
    return user


def _user(name: str) -> User:
    return User(email=f"{name}@house.test", name=name.title())


def _app(user: User) -> Authenticator:
    return Authenticator(user=user, name="app", confirmed=True, sealed_seed="-", created_at=timezone.now())


def _grants(member, rights, account=None) -> list[Grant]:
    return [
        Grant(member=member, workflow=workflow, right=right, account=account if workflow.by_account else None)
        for workflow, right in rights
    ]


def make_house(name) -> House:
    now = timezone.now()
    organization = Organization.objects.create(name=name, created_at=now)
    account = Account.objects.create(organization=organization, name="Main", created_at=now)
    return House(organization, account)


@pytest.fixture
def house(db) -> House:
    """Olive holds everything, Ana asks, Ben, Cleo and Fay approve, Otto views. No policy anywhere."""
    operations.mended.clear()
    house = make_house("House")
    house.furnish(
        {
            "olive": [*product(Workflow, Right)],
            "ana": [*product(Workflow, [Right.INITIATE])],
            **{name: [*product(Workflow, [Right.APPROVE])] for name in ("ben", "cleo", "fay")},
            "otto": [*product(Workflow, [Right.VIEW])],
        }
    )
    return house


@pytest.fixture
def next_door(db) -> House:
    house = make_house("Next Door")
    house.member("eve", Right.APPROVE)
    return house


def shown(change=None) -> Proof:
    """A second factor shown now; for `change` alone when it is given."""
    if change is None:
        return Proof(factor="totp", at=timezone.now())
    return Proof(factor="totp", at=timezone.now(), change=change.reference, digest=change.digest)


def yes(change, member, **more):
    return decide(change.reference, member=member, approved=True, digest=change.digest, proof=shown(change), **more)


def no(change, member, reason="Not now."):
    return decide(
        change.reference, member=member, approved=False, digest=change.digest, proof=shown(change), reason=reason
    )


def ask_tidy(member, what="the shelf", *, note="", **params):
    return propose(tidy, actor=member, params=Tidy(what, **params), note=note)


def ask_send(house, actor, amount="10", *, api_key=None, **params):
    return propose(send, actor=actor, params=Send(house.account.pk, amount, **params), api_key=api_key)


def again(change) -> ChangeRequest:
    return ChangeRequest.objects.with_parties().get(pk=change.pk)


def events(change) -> list[str]:
    rows = AuditEvent.objects.filter(subject_kind="changerequest", subject_id=change.pk).order_by("sequence")
    return list(rows.values_list("kind", flat=True))


def is_untouched(house) -> bool:
    """Whether nothing was written for `house`: no request, no event, no mark."""
    return not (
        ChangeRequest.objects.filter(organization=house.organization).exists()
        or AuditEvent.objects.filter(organization=house.organization).exists()
        or Group.objects.exists()
    )


def page(client: Client, change: ChangeRequest) -> str:
    return client.get(reverse("policies:request", args=[change.reference])).content.decode()


@pytest.fixture
def browser(sign_in) -> Callable[[Member], Client]:
    """A signed-in browser of a Member."""

    def of(member) -> Client:
        client = Client()
        sign_in(client, member)
        return client

    return of


@pytest.fixture
def asked(world, treasury_bot) -> ChangeRequest:
    """The bot's request to send 1.25 USD, waiting for two of Ben, Cleo and Fay."""
    return propose(
        send,
        actor=treasury_bot.service_user,
        params=Send(world.account.pk, "1.25"),
        api_key=treasury_bot.key,
        note="weekly sweep 47",
    )
