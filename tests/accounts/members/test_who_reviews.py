"""Whose identities wait for whom: the query of the lists and the rule of the operation say the same of everybody."""

from itertools import product

import pytest
from django.utils import timezone

from accounts.members.identity import checks, reviewers
from accounts.models import Authenticator, Member, Organization
from accounts.models.member import Identity
from policies.models import Grant
from policies.workflows import Right, Workflow
from tests.accounts.members.test_identity import document
from tests.factories.authenticator import SoftPasskey

pytestmark = pytest.mark.django_db
APPROVES = {"workflow": Workflow.MANAGE_ACCESS, "right": Right.APPROVE}


@pytest.fixture
def shown(world, ana, audit):
    """Ana, whom Ben invited, and Otto, whom the Owner did, have shown a document that nobody has judged."""
    for member, inviter in ((ana, "ben"), (audit, "owner")):
        invited_by = world.members[inviter]
        Member.objects.filter(pk=member.pk).update(identity=Identity.UNVERIFIED, invited_by=invited_by)
        member.refresh_from_db()
        checks.submit(member, document())
    return [ana, audit]


def as_the_rule_says(reader, members) -> set[int]:
    return {member.pk for member in members if not reviewers.bar_to_review(member, reader)}


def as_the_list_says(reader) -> set[int]:
    return {check.member_id for check in reviewers.waiting_for(reader)}


def nothing(world):
    pass


def without_a_factor(world):
    Authenticator.places.through.objects.filter(member=world.members["cleo"]).delete()


def suspended(world):
    Member.objects.filter(pk=world.members["cleo"].pk).update(suspended_at=timezone.now())


def resting(world):
    Member.objects.filter(pk=world.members["cleo"].pk).update(factors_reset_at=timezone.now())


def not_verified(world):
    Member.objects.filter(pk=world.members["fay"].pk).update(identity=Identity.UNVERIFIED)


def alone(world):
    """Ben is the only one who approves there, so he judges whom he invited."""
    Grant.objects.filter(**APPROVES).exclude(member=world.members["ben"]).delete()


def alone_with_whom_he_invited(world):
    """Ana approves too, and is no reviewer of herself, even if she were verified."""
    alone(world)
    Grant.objects.create(member=world.members["ana"], **APPROVES)
    Member.objects.filter(pk=world.members["ana"].pk).update(identity=Identity.VERIFIED)


def passkeys_alone(world):
    Organization.objects.filter(pk=world.organization.pk).update(second_factor_level="passkey")


def passkeys_of_one(world):
    passkeys_alone(world)
    SoftPasskey().enrolled(world.members["ben"].user)


def removed(world):
    Member.objects.filter(pk=world.members["owner"].pk).update(is_owner=False, removed_at=timezone.now())


CASES = (nothing, without_a_factor, suspended, resting, not_verified, alone, alone_with_whom_he_invited)
LEVELS = (nothing, passkeys_alone, passkeys_of_one, removed)


@pytest.mark.parametrize(("case", "level"), [*product(CASES, LEVELS)], ids=lambda made: made.__name__)
def test_the_list_holds_what_the_rule_lets_one_judge(world, shown, case, level):
    """AZ-7: neither more nor less, for every reader."""
    case(world)
    level(world)
    for name in ("owner", "ana", "ben", "cleo", "fay", "audit", "eve"):
        reader = Member.objects.select_related("organization", "user").get(pk=world.members[name].pk)
        assert as_the_list_says(reader) == as_the_rule_says(reader, shown), name
