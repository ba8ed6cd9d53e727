"""What every page asks about its reader, compiled once: it says what the ORM says, of everybody and at every moment."""

from datetime import timedelta
from itertools import chain, count, product
from random import Random

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import reader
from accounts.authentication import notifications
from accounts.authentication.notifications import WORDS
from accounts.factors import enrolled, recovery_codes
from accounts.members.identity import checks, reviewers
from accounts.models import IdentityCheck, Member, Organization, SecurityNotice, User
from accounts.models.member import Identity
from accounts.models.organization import SecondFactorLevel
from policies import registry, rights
from policies.inbox import queues
from policies.models import ChangeRequest, Freeze, Grant, State
from policies.workflows import Right, Workflow
from portal.core.database.compiled import given
from portal.core.database.compiled.given import Marker
from portal.core.database.one_reading import one_reading
from portal.venues.kraken.models import Alarm
from tests.accounts.members.test_identity import document
from tests.factories import people
from tests.factories.authenticator import SoftPasskey
from tests.gateway.connected import real_account

pytestmark = pytest.mark.django_db
KEYS = {kind: given.keys(f"shown_{kind}") for kind in enrolled.KINDS}
NUMBERS = count(10_000)


@pytest.fixture
def crowd(world):
    """People of two Organizations with some of everything that a page shows its reader."""
    for name in ("ana", "ben", "cleo"):
        people.also_in(world.elsewhere, world.members[name].user, identity=Identity.VERIFIED)
    people.also_in(world.organization, world.members["eve"].user)
    for name in ("ana", "ben", "fay", "eve"):
        SoftPasskey().enrolled(world.members[name].user)
        recovery_codes.issue(world.members[name].user)
    for place in (world.organization, world.elsewhere):
        real_account(place, name=f"Real of {place.pk}")
    return world


def everybody() -> list[Member]:
    return list(Member.objects.select_related("user", "organization").order_by("pk"))


def happen(chance: Random, frost: Random) -> None:
    """Something else about everybody, and what waits and was raised in each Organization."""
    now = timezone.now()

    def moment() -> object:
        return now + timedelta(hours=chance.choice((-25, -23, -1, 1, 1, 2)), minutes=chance.randrange(60))

    for organization in Organization.objects.all():
        organization.second_factor_level = chance.choice(SecondFactorLevel.values)
        organization.save()
        _ask(organization, chance, moment)
        _raise_alarm(organization, chance, now)
        _freeze(organization, frost, now)
    for user in User.objects.all():
        User.objects.filter(pk=user.pk).update(is_active=chance.random() < 0.9)
        seen_at = chance.choice((None, now))
        kind = chance.choice([*WORDS, "no_such_kind"])
        SecurityNotice.objects.create(user=user, kind=kind, data={"name": "Zoë"}, at=now, seen_at=seen_at)
    for model in enrolled.FACTORS.values():
        for row in model.objects.all():
            model.objects.filter(pk=row.pk).update(confirmed=chance.random() < 0.8)
    for factors, member in product(enrolled.KINDS.values(), everybody()):
        for row in factors.objects.filter(user=member.user):
            (row.places.add if chance.random() < 0.7 else row.places.remove)(member)
    for member in everybody():
        _change(member, chance, now, moment)


def _change(member, chance, now, moment) -> None:
    suspended = chance.random() < 0.2
    reset_at = chance.choice((None, now - timedelta(days=20)))
    Member.objects.filter(pk=member.pk).update(
        identity=chance.choice([Identity.VERIFIED, Identity.VERIFIED, *Identity.values]),
        suspended_at=now - timedelta(days=30) if suspended else None,
        suspended_until=chance.choice((None, moment())) if suspended else None,
        removed_at=now if chance.random() < 0.1 else None,
        factors_reset_at=reset_at,
        factors_enrolled_at=chance.choice((None, now - timedelta(hours=chance.choice((1, 23, 25)))))
        if reset_at
        else None,
        invited_by=chance.choice([None, *Member.objects.of(member.organization).exclude(pk=member.pk)]),
    )
    Grant.objects.filter(member=member).delete()
    places = [None, *member.organization.accounts.all()]
    likely = chance.choice((0, 0.3, 0.3, 0.6))
    for workflow in Workflow:
        for right in Right:
            if chance.random() < likely:
                account = chance.choice(places) if workflow.by_account else None
                Grant.objects.create(member=member, workflow=workflow, right=right, account=account)
    waiting = IdentityCheck.objects.filter(member=member, decided_at=None)
    if waiting.exists():
        if chance.random() < 0.3:
            waiting.update(decided_at=now, accepted=False)
    elif chance.random() < 0.5:
        Member.objects.filter(pk=member.pk).update(identity=Identity.UNVERIFIED)
        checks.submit(Member.objects.get(pk=member.pk), document())


def _ask(organization, chance, moment) -> None:
    members = list(Member.objects.of(organization))
    remove_policy = registry.get("policies.remove_policy")
    for _ in range(8):
        entry = chance.choice((*registry.all_operations(), *[registry.get(reviewers.VERIFYING), remove_policy] * 40))
        number = next(NUMBERS)
        state = chance.choice((*[State.PENDING] * 4, State.APPROVED, State.EXECUTED))
        ChangeRequest.objects.create(
            organization=organization,
            number=number,
            reference=f"R{number}",
            title="Asked",
            digest="0" * 64,
            operation=entry.key,
            workflow=entry.workflow,
            member=chance.choice(members),
            subject_member=chance.choice([None, *members]),
            initiator_label="Somebody",
            params={"workflow": "manage_access"},
            approvals_required=1,
            state=state,
            created_at=timezone.now(),
            expires_at=moment(),
            ended_at=timezone.now() if state == State.EXECUTED else None,
        )


def _raise_alarm(organization, chance, now) -> None:
    for account in organization.accounts.all():
        Alarm.objects.create(
            organization=organization, account=account, kind=chance.choice(Alarm.Kind.values),
            subject=f"S{next(NUMBERS)}", said="2 BTC left.", raised_at=now, acknowledged_at=chance.choice((None, now)),
        )  # fmt: skip


def _freeze(organization, chance, now) -> None:
    """Something, for a while: one of each member runs at a time."""
    workflow = chance.choice(list(Workflow))
    account = chance.choice([None, *organization.accounts.all()]) if workflow.by_account else None
    Freeze.objects.filter(organization=organization, ended_at=None).update(ended_at=now)
    Freeze.objects.create(
        organization=organization, workflow=workflow, account=account, label="It", reason="It looks odd.",
        made_by=chance.choice(list(Member.objects.of(organization))), started_at=now - timedelta(hours=50),
        ends_at=now + timedelta(hours=chance.choice((-1, 5, 20))), ended_at=chance.choice((None, None, now)),
    )  # fmt: skip


def some_marks(chance: Random) -> list[str]:
    """Of factors of everybody, of none that there is, and what is no mark."""
    rows = chain.from_iterable(model.objects.all() for model in enrolled.KINDS.values())
    known = [enrolled.mark_of(row) for row in rows]
    return [*chance.sample(known, chance.randrange(len(known))), "totp:999999", "sms:1", "passkey:x", "recovery:"]


def in_order(row) -> dict[str, object]:
    return {name: sorted(map(repr, value)) if isinstance(value, list) else value for name, value in row.items()}


def about(member: Member, shown) -> reader.About:
    now = timezone.now()
    rested = now - settings.AFTER_RESET
    return reader.About(member.pk, member.user_id, member.organization_id, shown, now, rested)


def of_the_orm(member: Member, marks: list[str]) -> dict[str, object]:
    """The row as Django makes it of the values themselves, each time anew."""
    known = enrolled.by_kind(marks)
    shown = {kind: known.get(kind, []) for kind in enrolled.KINDS}
    row: dict[str, object] = reader.question(about(member, shown)).get()
    return row


@pytest.mark.parametrize("seed", range(6))
def test_it_says_of_everybody_what_the_orm_says(crowd, time_machine, seed):
    """AZ-5: nothing of what another was told, or of what was so before."""
    chance, frost = Random(seed), Random(seed)
    rows = []
    for _ in range(4):
        later = timedelta(days=chance.randrange(3), minutes=chance.randrange(200, 600))
        time_machine.move_to(timezone.now() + later, tick=False)
        happen(chance, frost)
        for member in everybody():
            marks = some_marks(chance)
            rows.append(in_order(reader._row(member, marks)))
            assert rows[-1] == in_order(of_the_orm(member, marks))
    # Of each column it has seen both, but that each Organization has an Account at an exchange.
    assert {name for name in rows[0] if len({bool(row[name]) for row in rows}) == 1} <= {"alarms_is_connected"}


@pytest.mark.parametrize("seed", range(6, 10))
def test_a_page_goes_by_what_each_question_of_its_own_would_say(crowd, seed):
    chance, frost = Random(seed), Random(seed)
    happen(chance, frost)
    for member in everybody():
        marks = some_marks(chance)
        with one_reading():
            seen = reader.read(member, marks)
            kept = told_by_each(member, marks)
        assert kept == told_by_each(member, marks)
        [row] = rights._statement().run(member=member.pk, now=timezone.now(), rested=Member.objects.rested_since())
        assert in_order(row) == in_order(Member.objects.filter(pk=member.pk).values(**rights.columns(member.pk)).get())
        assert seen.counted == kept["counted"]
        assert list(seen.notices) == notifications.unseen(member.user)
        assert [one.member_id for one in seen.reviews] == [one.member_id for one in reviewers.waiting_for(member)]
        at_home = Member.objects.active().filter(user=member.user).values_list("organization_id", flat=True)
        assert sorted(place.organization_id for place in seen.places) == sorted(at_home)


def told_by_each(member: Member, marks: list[str]) -> dict[str, object]:
    held = rights.of(member.pk)
    return {
        "rights": (frozenset(held.grants), held.is_active, held.is_verified, held.has_factor, held.is_resting),
        "held": enrolled.held(member),
        "counted": enrolled.counted(member, marks),
        "waiting": sorted(queues.waiting_for(member).values_list("pk", flat=True)),
    }


@pytest.mark.parametrize("name", ["ana", "eve", "owner"])
def test_nothing_but_what_is_given_and_words_of_the_code_is_in_it(crowd, time_machine, name):
    """Compiled for a member themselves, it is the same text, and each value of theirs stands where one is given."""
    query = reader.question(
        reader.About(
            given.key("member"), given.key("user"), given.key("organization"), KEYS,
            given.instant("now"), given.instant("rested"),
        )
    ).query  # fmt: skip
    sql, places = query.sql_with_params()
    for moved in (timedelta(), timedelta(days=400, hours=5)):
        time_machine.move_to(timezone.now() + moved, tick=False)
        theirs = about(crowd.members[name], KEYS)
        text, values = reader.question(theirs).query.sql_with_params()
        assert text.replace("(%s)", "%s") == sql.replace("(%s)", "%s")
        known = {
            place.name: value
            for place, value in zip(places, values, strict=True)
            if isinstance(place, Marker) and place.name not in {key.name for key in KEYS.values()}
        }
        assert {*known} == {"member", "user", "organization", "now", "rested"}
        as_given = {Marker(place): value for place, value in known.items()}
        assert [as_given.get(place, place) if isinstance(place, Marker) else place for place in places] == [*values]
        assert known["member"] == theirs.member
        assert str(known["now"])[:19] == str(theirs.now)[:19]


def test_the_text_is_the_same_whenever_and_for_whomever_it_is_compiled(crowd, time_machine):
    first = reader._statement()
    reader.read(crowd.members["ana"], [])
    time_machine.move_to(timezone.now() + timedelta(days=400, minutes=7))
    happen(Random(0), Random(0))
    reader._statement.cache_clear()
    reader.read(crowd.members["eve"], ["totp:1", "totp:2", "recovery:3"])
    assert reader._statement() == first
    assert reader._statement() is reader._statement()


@pytest.mark.django_db(transaction=True)
def test_the_next_page_knows_what_was_changed_meanwhile(world, ben):
    """Prepared on the server or not: what is kept from one page to the next is the text."""
    for _ in range(4):
        with one_reading():
            reader.read(ben, [])
            assert rights.of(ben.pk).allow(Workflow.MANAGE_ACCESS, Right.APPROVE)
        Member.objects.filter(pk=ben.pk).update(suspended_at=timezone.now())
        with one_reading():
            reader.read(ben, [])
            assert not rights.of(ben.pk).allow(Workflow.MANAGE_ACCESS, Right.APPROVE)
        Member.objects.filter(pk=ben.pk).update(suspended_at=None)


def test_of_who_is_no_member_it_says_nothing(ana):
    ana.pk = 0
    assert rights.of(ana.pk) == rights.Rights()
    with pytest.raises(Member.DoesNotExist):
        reader.read(ana, [])
