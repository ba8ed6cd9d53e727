"""Separation of duties by person (DESIGN R3): every operation × every relation of an approver to who asks."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import grants
from accounts.grants import Given
from accounts.members.change_rights import ChangeRights, change_rights
from accounts.models import Custodian, Member
from policies.changes import propose
from policies.models import Decision, Grant, State
from policies.registry import Operation, all_operations, nothing
from policies.rules import PASSKEY, RESTED, WITHDRAW, Bot, Facts, Held, Key, Person, Reason, Terms, eligible, why_not
from policies.snapshot import asking
from policies.workflows import Right, Workflow
from portal.core.actors import MEMBER, SERVICE_USER
from portal.core.errors import NotFound, Refused
from tests.policies.conftest import ask_send, no, yes

OPERATIONS = [entry for entry in all_operations() if not entry.key.startswith("tests.")]
OLIVE, SUBJECT, BEN = 1, 2, 3
FACTORS = frozenset({"totp", PASSKEY})
LOCK = Terms(Workflow.MANAGE_POLICIES.value, 1, always=True, open_hours=72, is_locked=True)
# The key that asks is not live any more: it expired after it asked. The other one works.
ASKING, OTHER = Key(1, frozenset({7}), is_live=False), Key(2, frozenset({8}))
BOT = Bot(5, "bot", 1, permissions=frozenset({WITHDRAW}), keys=(ASKING, OTHER))


def holding(workflow: Workflow, *rights: Right, account_id: int | None = None) -> frozenset[Held]:
    return frozenset(Held(workflow.value, right, account_id) for right in rights)


@dataclass(frozen=True)
class Relation:
    """How an approver differs from one who may decide, and what is said of them then; None: they may."""

    changed: dict[str, Any]
    reason: Reason | None


def relations(entry: Operation[Any]) -> dict[str, Relation]:
    """Everything that somebody can be to what is asked by Olive, or through a key where keys may ask."""
    lacks = Reason.NO_RIGHT
    found = {
        "fine": Relation({}, None),
        "made an approver after it was asked": Relation({"member_id": 99, "user_id": 99}, None),
        "unverified": Relation({"is_verified": False}, Reason.UNVERIFIED),
        "suspended or removed": Relation({"is_active": False}, Reason.REMOVED),
        "no factor": Relation({"factors": frozenset()}, Reason.NO_PASSKEY),
        "an app where a passkey is required": Relation({"factors": frozenset({"totp"})}, Reason.NO_PASSKEY),
        "resting": Relation({"is_resting": True}, Reason.RESTING if entry.workflow in RESTED else None),
        "right lost": Relation({"grants": frozenset()}, lacks),
        "only views": Relation({"grants": holding(entry.workflow, Right.VIEW)}, Reason.ONLY_VIEWS),
        "only asks": Relation({"grants": holding(entry.workflow, Right.EXECUTE)}, Reason.ONLY_ASKS),
        "who asked": Relation({"user_id": OLIVE, "member_id": OLIVE}, Reason.INITIATOR),
        "second membership of who asked": Relation({"user_id": OLIVE, "member_id": 98}, Reason.INITIATOR),
        "added by this very change": Relation({"grants": frozenset()}, lacks),
    }
    elsewhere = {"grants": frozenset(Held(other.value, Right.APPROVE) for other in Workflow if other != entry.workflow)}
    found["approves elsewhere"] = Relation(elsewhere, lacks)
    if entry.workflow.by_account:
        other = holding(entry.workflow, Right.APPROVE, account_id=2)
        found["approves for another Account"] = Relation({"grants": other}, lacks)
    if entry.subject_member is not nothing:
        found["subject"] = Relation({"user_id": SUBJECT, "member_id": SUBJECT}, Reason.SUBJECT)
        found["second membership of the subject"] = Relation({"user_id": SUBJECT, "member_id": 97}, Reason.SUBJECT)
    return found


def by_key(entry: Operation[Any]) -> dict[str, Relation]:
    """The same where a key asks: its custodians, past ones too, and those of another key of the same bot."""
    found = relations(entry)
    del found["who asked"], found["second membership of who asked"]
    found["custodian of the key that asked"] = Relation({"user_id": 7}, Reason.CUSTODIAN)
    found["second membership of the custodian"] = Relation({"user_id": 7, "member_id": 96}, Reason.CUSTODIAN)
    found["custodian of another key"] = Relation({"user_id": 8}, None)
    return found


def each() -> list[Any]:
    rows: list[Any] = []
    for entry in OPERATIONS:
        asked = [("member", relations(entry))]
        if entry.permission:
            asked.append(("key", by_key(entry)))
        rows += [pytest.param(entry, kind, found, id=f"{entry.key}-{kind}") for kind, found in asked]
    return rows


@pytest.mark.parametrize(("entry", "kind", "found"), each())
def test_who_may_decide_on_each_operation(entry, kind, found):
    """CR-3: each road. A policy is locked, so that what may be protected is."""
    for name, relation in found.items():
        reason, expected, may = said_of(relation, entry, kind)
        assert (reason, may) == (expected, expected is None), name


def said_of(relation: Relation, entry: Operation[Any], kind: str) -> tuple[Reason | None, Reason | None, bool]:
    """Why they may not decide, why they should not, and whether they are among those who may."""
    everything = frozenset(held for workflow in Workflow for held in holding(workflow, *Right))
    olive = Person(OLIVE, OLIVE, "Olive", factors=FACTORS, grants=everything)
    subject = Person(SUBJECT, SUBJECT, "Sue", factors=FACTORS, grants=everything)
    usual = Person(BEN, BEN, "Ben", factors=FACTORS, grants=holding(entry.workflow, Right.APPROVE))
    approver = replace(usual, **relation.changed)
    others = [one for one in (olive, subject) if one.member_id != approver.member_id]
    facts = Facts(PASSKEY, {1: "Main", 2: "Cold"}, (*others, approver), (BOT,), (LOCK,))
    initiator = (MEMBER, OLIVE) if kind == "member" else (SERVICE_USER, 5)
    change: Any = SimpleNamespace(
        workflow=entry.workflow.value,
        account_id=1 if entry.workflow.by_account else None,
        subject_member_id=SUBJECT if entry.subject_member is not nothing else None,
        initiator=SimpleNamespace(kind=initiator[0], pk=initiator[1], label="?"),
        api_key_id=1 if kind == "key" else None,
        touched=[],
    )
    # Without params the worst is assumed: whatever can be protected is.
    asked = asking(entry, change, facts, None)
    asked = replace(asked, protected=entry.workflow in (Workflow.MANAGE_ACCESS, Workflow.MANAGE_POLICIES))
    # A rehearsal asks whoever may approve there, of whatever Account.
    elsewhere = entry.any_account and relation.reason is Reason.NO_RIGHT and bool(approver.grants)
    expected = None if elsewhere and approver.holds(entry.workflow, Right.APPROVE) else relation.reason
    return why_not(approver, asked, PASSKEY), expected, approver in eligible(asked, facts)


# The same roads in the database.


@pytest.mark.django_db
def test_the_change_cannot_be_approved_by_whom_it_adds_or_favours(house):
    """CR-9: add accomplice, let them approve: refused."""
    accomplice = house.member("mallory")
    approver = Given(Workflow.MANAGE_ACCESS, Right.APPROVE)
    added = propose(change_rights, actor=house.ana, params=ChangeRights(accomplice.pk, (), (approver,)))
    favoured = house.member("nora", Right.APPROVE, workflows=(Workflow.MANAGE_ACCESS,))
    more = grants.ordered([approver, Given(Workflow.MANAGE_POLICIES, Right.EXECUTE)])
    grown = propose(change_rights, actor=house.ana, params=ChangeRights(favoured.pk, (approver,), more))
    for change, member in ((added, accomplice), (grown, favoured)):
        for decision in (yes, no):
            with pytest.raises(Refused, match="about you"):
                decision(change, member)
        assert not Decision.objects.filter(change=change).exists()
        assert yes(change, house.ben).state == State.EXECUTED
    assert Grant.objects.filter(member=accomplice, right=Right.APPROVE.value).exists()


@pytest.mark.django_db
def test_a_person_is_one_member_and_decides_nothing_next_door(house, next_door):
    """CR-3: a second membership of the same person: there is none here, and the one elsewhere opens nothing here."""
    change = ask_send(house, house.ana)
    second = next_door.member("twin", Right.APPROVE, user=house.ana.user)
    with pytest.raises(NotFound):
        yes(change, second)
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.create(organization=house.organization, user=house.ana.user, joined_at=timezone.now())


@pytest.mark.django_db
def test_who_became_a_custodian_after_the_key_asked_does_not_decide(house):
    """R3: custodians count when it asked and when they decide; what they had said before does not count any more."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 2)
    key = house.bot(made_by="olive")
    change = ask_send(house, key.service_user, api_key=key)
    yes(change, house.ben)
    for name in ("ben", "cleo"):
        Custodian.objects.create(api_key=key, member=house.people[name], since=timezone.now(), reason="widened it")
    with pytest.raises(Refused, match="the key that asks"):
        yes(change, house.cleo)
    assert yes(change, house.fay).state == State.PENDING


@pytest.mark.django_db
def test_who_was_made_an_approver_after_it_was_asked_may_decide(house):
    """R3 asks at the moment of deciding: so whoever is short of approvers can add one, by a change of its own."""
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    change = ask_send(house, house.ana)
    assert yes(change, house.member("nell", Right.APPROVE)).state == State.EXECUTED
