"""Who freezes what, for how long, and how often; who is told (DESIGN §4)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account
from policies.access import grant
from policies.freezes.freeze import bar_to_freeze, record_lapsed
from policies.freezes.places import Place, open_to, with_destination
from policies.models import Freeze, Grant
from policies.rules import Frozen, frozen_by
from policies.tasks import record_lapsed_freezes
from policies.workflows import Right, Workflow
from portal.audit import chain
from portal.audit.models import AuditEvent
from portal.core.errors import Invalid, NotFound, Refused
from portal.jobs import mail
from tests.policies.conftest import ask_tidy
from tests.policies.freezes.conftest import ACCESS, MONEY, WHY, frozen

pytestmark = pytest.mark.django_db


def recorded() -> list[str]:
    rows = AuditEvent.objects.filter(subject_kind="freeze").order_by("sequence")
    return list(rows.values_list("kind", flat=True))


def test_whoever_holds_initiate_freezes_at_once_and_it_is_in_the_history(house, clock):
    made = frozen(house.ana)
    assert (made.label, made.ends_at - made.started_at) == ("Manage Access", timedelta(hours=72))
    event = AuditEvent.objects.get(kind="freeze.begun")
    assert (event.actor_id, event.workflow, event.data["reason"]) == (house.ana.pk, "manage_access", WHY)
    assert chain.verify(house.organization.pk) is None


@pytest.mark.parametrize("name", ["ben", "otto"])
def test_nobody_freezes_without_initiate(house, name):
    with pytest.raises(Refused, match="You need Initiate on Manage Access"):
        frozen(house.people[name])
    assert not Freeze.objects.exists()


@pytest.mark.parametrize("state", [{"identity": "unverified"}, {"suspended_at": timezone.now()}])
def test_nobody_freezes_who_is_not_active_and_verified(house, state):
    type(house.ana).objects.filter(pk=house.ana.pk).update(**state)
    with pytest.raises(Refused):
        frozen(house.ana)


def test_a_bot_freezes_nothing(house):
    with pytest.raises(Refused):
        frozen(house.bot().service_user, MONEY, house.account)


def test_one_account_is_frozen_by_who_holds_initiate_there_and_all_by_who_holds_it_for_all(house):
    cold = Account.objects.create(organization=house.organization, name="Cold", created_at=timezone.now())
    narrow = house.member("nell", Right.INITIATE, workflows=(MONEY,), account=cold)
    assert [place.label for place in open_to(narrow)] == ["Initiate Withdrawal from Cold"]
    for account in (None, house.account):
        with pytest.raises(Refused):
            frozen(narrow, MONEY, account)
    assert frozen(narrow, MONEY, cold).label == "Initiate Withdrawal from Cold"
    assert [place.label for place in open_to(house.ana)] == [
        "Manage Access", "Manage Policies", "Manage Addresses", "Manage Addresses of Cold",
        "Manage Addresses of Main", "Initiate Withdrawal", "Initiate Withdrawal from Cold",
        "Initiate Withdrawal from Main",
    ]  # fmt: skip


def test_an_account_of_another_organization_is_unknown(house, next_door):
    with pytest.raises(NotFound):
        frozen(house.ana, MONEY, next_door.account)
    assert not Freeze.objects.exists()


@pytest.mark.parametrize("hours", [0, 73, -1])
def test_alone_it_lasts_an_hour_at_least_and_72_at_most(house, hours):
    with pytest.raises(Invalid) as caught:
        frozen(house.ana, hours=hours)
    assert caught.value.field == "hours"


@pytest.mark.parametrize("reason", ["", "  ", "a" * 201, "unseen\u202e"])
def test_it_takes_a_reason_that_can_be_read(house, reason):
    with pytest.raises(Invalid) as caught:
        frozen(house.ana, reason=reason)
    assert caught.value.field == "reason"
    assert not Freeze.objects.exists()


def test_one_person_has_one_running_at_a_time(house, clock):
    frozen(house.ana)
    with pytest.raises(Refused, match="nobody has two at a time"):
        frozen(house.ana, MONEY)
    frozen(house.olive, MONEY)
    clock.shift(timedelta(hours=72))
    frozen(house.ana, MONEY, hours=1)
    assert recorded() == ["freeze.begun", "freeze.begun", "freeze.lapsed", "freeze.begun"]


def test_the_database_keeps_one_place_for_each_member(house):
    made = frozen(house.ana)
    made.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        made.save(force_insert=True)


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"workflow": "manage_time", "account": None}, "freeze_workflow_known"),
        ({"workflow": "manage_access"}, "freeze_account_only_where_it_counts"),
        ({"account": None, "destination": "x"}, "freeze_destination_only_of_an_account"),
        ({"ends_at": timezone.now() - timedelta(days=1)}, "freeze_ends_after_it_starts"),
    ],
)
def test_the_database_refuses_what_no_freeze_can_be(house, wrong, constraint):
    made = frozen(house.ana, MONEY, house.account)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Freeze.objects.filter(pk=made.pk).update(**wrong)


def test_the_same_person_does_not_freeze_the_same_again_within_seven_days_nor_a_part_of_it(house, clock):
    frozen(house.ana, MONEY, house.account, hours=1)
    clock.shift(timedelta(days=7) - timedelta(seconds=1))
    for destination in ("", "d"):
        with pytest.raises(Refused, match="less than seven days ago"):
            frozen(house.ana, MONEY, house.account, destination=destination)
    assert bar_to_freeze(Place(MONEY), house.ana) == ""
    assert bar_to_freeze(Place(Workflow.MANAGE_ADDRESSES, house.account.pk, "Main"), house.ana) == ""
    assert bar_to_freeze(Place(MONEY, house.account.pk, "Main"), house.olive) == ""
    clock.shift(timedelta(seconds=1))
    frozen(house.ana, MONEY, house.account)


def test_it_ends_by_the_clock_without_any_job_and_the_history_says_so_later(house, clock):
    made = frozen(house.ana, hours=2)
    clock.shift(timedelta(hours=2) - timedelta(seconds=1))
    assert record_lapsed() == 0
    with pytest.raises(Refused, match="is frozen until"):
        ask_tidy(house.olive)
    clock.shift(timedelta(seconds=1))
    ask_tidy(house.ana)
    record_lapsed_freezes()
    assert record_lapsed() == 0
    made.refresh_from_db()
    assert (made.ended_at, made.ended_by) == (made.ends_at, "")
    assert recorded() == ["freeze.begun", "freeze.lapsed"]


def test_suspending_who_froze_ends_no_freeze(house):
    """Whoever has got hold of Initiate on Manage Access lifts nothing by suspending the honest member who froze it."""
    frozen(house.ana)
    type(house.ana).objects.filter(pk=house.ana.pk).update(suspended_at=timezone.now())
    with pytest.raises(Refused, match="is frozen until"):
        ask_tidy(house.olive)


def test_everybody_who_approves_there_or_on_manage_access_is_told_but_who_did_it(house, mailoutbox):
    house.member("moe", Right.APPROVE, workflows=(MONEY,))
    house.member("pia", Right.APPROVE, workflows=(Workflow.MANAGE_POLICIES,))
    cold = Account.objects.create(organization=house.organization, name="Cold", created_at=timezone.now())
    house.member("cora", Right.APPROVE, workflows=(MONEY,), account=cold)
    house.ben.user.tell = "mine"
    house.ben.user.save()
    frozen(house.olive, MONEY, house.account)
    mail.settle()
    told = sorted(address.partition("@")[0] for message in mailoutbox for address in message.to)
    assert told == ["ben", "cleo", "fay", "moe"]
    assert mailoutbox[0].subject == "House: Olive froze Initiate Withdrawal from Main"
    assert WHY in mailoutbox[0].body.replace("&#x27;", "'")


def test_a_destination_is_one_of_withdrawals_from_one_account(house):
    for place in (Place(MONEY), Place(ACCESS), Place(Workflow.MANAGE_ADDRESSES, house.account.pk, "Main")):
        with pytest.raises(NotFound) as caught:
            with_destination(place, "cold")
        assert caught.value.field == "address"


def test_of_several_that_stop_it_the_one_is_named_that_lasts_longest():
    now = timezone.now()
    short, long, other = (
        Frozen(number, MONEY, account, destination, "it", "Ana", "Why.", now + timedelta(hours=number))
        for number, account, destination in ((1, None, ""), (2, 7, "d"), (3, 8, ""))
    )
    every = (short, long, other)
    assert frozen_by(every, MONEY, 7, "d") is long
    assert frozen_by(every, MONEY, 7, "e") is short
    assert frozen_by(every, MONEY, 8, "d") is other
    assert frozen_by((long, other), MONEY, 7) is None
    assert frozen_by(every, ACCESS, None) is None


def test_a_right_gained_meanwhile_is_enough_and_one_lost_is_not(house):
    grant(house.ben, ACCESS, Right.EXECUTE)
    frozen(house.ben)
    Grant.objects.filter(member=house.ana).delete()
    with pytest.raises(Refused):
        frozen(house.ana)
