"""Who may judge an identity: whoever approves on Manage Access, neither the person nor their inviter (DESIGN M3)."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import IdentityCheck, Member
from accounts.models.member import Identity
from accounts.models.organization import SecondFactorLevel
from policies import rights
from policies import snapshot as gathering
from policies.forecast import Forecast, foresee
from policies.models import ChangeRequest
from policies.rules import Asked, Facts, Person, is_locked, why_not
from policies.workflows import Right, Workflow
from portal.core.database.compiled.given import Instant, Key

VERIFYING = "accounts.verify_identity"


def bar_to_review(member: Member, reviewer: Member, facts: Facts | None = None) -> str:
    """Why `reviewer` may not judge the identity of `member`; empty if they may.

    Neither the person nor who invited them, unless there is nobody else.
    """
    facts = facts or gathering.gather(reviewer.organization)
    mine = gathering.person(facts, reviewer.pk)
    if mine is None or member.organization_id != reviewer.organization_id:
        return "You are not a member here."
    if mine.user_id == member.user_id:
        return "Nobody verifies their own identity."
    if not _can(mine, facts):
        return "It takes Approve on Manage Access, and a verified identity of your own, to look at this."
    inviter = gathering.person(facts, member.invited_by_id)
    others = [person for person in facts.people if _can(person, facts) and person.user_id != member.user_id]
    if inviter is not None and inviter.user_id == mine.user_id and len({one.user_id for one in others}) > 1:
        names = ", ".join(person.name for person in others if person.user_id != mine.user_id)
        return f"You invited {member.label}, so somebody else verifies them: {names}."
    return ""


def reviewers_of(member: Member) -> list[Member]:
    """All who may judge the identity of `member` now."""
    facts = gathering.gather(member.organization)
    able = [person.member_id for person in facts.people if _can(person, facts)]
    members = Member.objects.filter(pk__in=able).select_related("user", "organization").order_by("pk")
    return [one for one in members if not bar_to_review(member, one, facts)]


def waiting_for(reader: Member) -> list[IdentityCheck]:
    """What waits for `reader` to judge, the oldest first; what somebody has asked to be verified waits as a request."""
    if not may_judge(reader):
        return []
    return list(open_to(reader.user_id, reader.organization_id).select_related("member__user").order_by("pk"))


def may_judge(reader: Member) -> bool:
    """Whether `reader` judges identities at all: `_can`, as the database says it."""
    mine = rights.of(reader.pk)
    return mine.has_factor and mine.allow(Workflow.MANAGE_ACCESS, Right.APPROVE)


def open_to(user_id: Key, organization_id: Key, now: Instant | None = None) -> QuerySet[IdentityCheck]:
    """What waits there of which nothing but `may_judge` could bar that person: `bar_to_review` as one query."""
    asked = ChangeRequest.objects.of(organization_id).open(now)
    asked = asked.filter(workflow=Workflow.MANAGE_ACCESS, operation=VERIFYING)
    rows = IdentityCheck.objects.filter(
        member__organization_id=organization_id, member__removed_at=None, decided_at=None
    ).exclude(member__in=asked.values("subject_member"))
    # Who invited somebody judges them only where nobody else could.
    invited = Q(member__invited_by__user=user_id)
    others = _able(organization_id, now).exclude(user=user_id).exclude(user=OuterRef("member__user"))
    found: QuerySet[IdentityCheck] = rows.exclude(member__user=user_id).filter(~invited | ~Exists(others))
    return found


def _able(organization_id: Key, now: Instant | None) -> QuerySet[Member]:
    """Whoever could judge an identity in that Organization: `_can`, as the database says it."""
    by_app = Q(authenticators__confirmed=True) & ~Q(organization__second_factor_level=SecondFactorLevel.PASSKEY)
    active: QuerySet[Member] = Member.objects.of(organization_id).active(now)
    return active.filter(
        by_app | Q(passkeys__confirmed=True),
        identity=Identity.VERIFIED,
        grants__workflow=Workflow.MANAGE_ACCESS,
        grants__right__in=Right.APPROVE.given_by,
    )


def prospect(member: Member, reviewer: Member) -> Forecast:
    """What it would take besides `reviewer`, if they asked that `member` counts as verified, as things stand."""
    facts = gathering.gather(reviewer.organization)
    person = facts.person(member.pk)
    asked = Asked(
        Workflow.MANAGE_ACCESS,
        gathering.initiator(facts, reviewer),
        subject=member.user_id,
        alone=True,
        protected=person is not None and person.holds_power and is_locked(facts.policies),
    )
    return foresee(asked, facts)


def _can(person: Person, facts: Facts) -> bool:
    # Asked as if by nobody: what is looked at is the reviewer alone. Who rests may look and ask; it then takes an
    # approval besides (M4).
    nobody = Person(member_id=0, user_id=0, name="")
    return why_not(person.awake, Asked(Workflow.MANAGE_ACCESS, nobody), facts.level) is None
