"""Sessions as rows: what people see of theirs, and that an ended one is over for good."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.test import Client
from django.utils import timezone

from accounts.authentication import session_store
from accounts.authentication.session_store import SessionStore
from accounts.emergency_stop import end_sessions
from accounts.emergency_stop import stop as emergency_stop
from accounts.emergency_stop.lift_suspension import LiftMemberSuspension, lift_member_suspension
from accounts.models import Member, Organization, Session
from accounts.organizations.founding import add_member
from accounts.security import cooldown
from policies.changes import propose
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import NotFound, Refused

pytestmark = pytest.mark.django_db
PAGE = "/members/"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as frozen:
        yield frozen


@pytest.fixture
def second() -> Client:
    """The same person at another browser."""
    return Client(headers={"User-Agent": "Another browser"}, REMOTE_ADDR="203.0.113.77")


def is_in(client: Client) -> bool:
    return bool(client.get(PAGE).status_code == 200)


def stored(client: Client) -> Session:
    return Session.objects.get(session_key=client.cookies["session"].value)


def test_a_session_says_whose_it_is_since_when_from_where_and_by_which_factor(second, clock, ana, sign_in_by_code):
    """SI-9: started, last seen, source, factor."""
    sign_in_by_code(second, ana)
    clock.shift(timedelta(minutes=7))
    second.get(PAGE)
    row = stored(second)
    assert (row.user, row.member) == (ana.user, ana)
    assert (row.source, row.agent, row.factor) == ("203.0.113.77", "Another browser", "totp")
    assert row.seen_at == timezone.now()
    assert row.started_at == timezone.now() - timedelta(minutes=7)
    ana.refresh_from_db()
    assert ana.last_seen_at == row.seen_at


@pytest.mark.parametrize(("agent", "words"), [
    ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36", "Chrome on Linux"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
    ("curl/8.5", "curl/8.5"),
    ("", ""),
])  # fmt: skip
def test_a_browser_is_named_so_that_its_owner_recognizes_it(agent, words):
    assert Session(agent=agent).browser == words


def test_before_the_second_factor_a_session_is_nobodys(client, world):
    """SI-1: a password alone never makes a session that a list could show."""
    client.get("/sign-in/")
    client.post("/sign-in/", {"email": "ana@demo.test", "password": "a long walk by the harbour"})
    row = stored(client)
    assert (row.user, row.member, row.handle) == (None, None, None)


def test_its_handle_stays_while_its_key_changes(client, ana, sign_in):
    """SI-3: the old key is dead in the store."""
    sign_in(client, ana)
    before = stored(client)
    store = SessionStore(before.session_key)
    store.cycle_key()
    store.save()
    after = Session.objects.get(handle=before.handle)
    assert after.session_key != before.session_key
    assert not Session.objects.filter(session_key=before.session_key).exists()
    assert is_in(client) is False


def test_each_of_two_browsers_ends_the_other(client, second, clock, ana, sign_in):
    """SI-9: end from B, A's next request goes to sign-in; and in the other direction."""
    sign_in(client, ana)
    sign_in(second, ana)
    session_store.end(str(stored(client).handle), by=ana)
    assert client.get(PAGE).url == f"/sign-in/?next={PAGE}"
    assert is_in(second)
    sign_in(client, ana)
    session_store.end(str(stored(second).handle), by=ana)
    assert not is_in(second)
    assert is_in(client)


def test_one_button_ends_all_others(client, second, ana, sign_in):
    """SI-9: sign out everywhere else."""
    sign_in(client, ana)
    sign_in(second, ana)
    assert session_store.end_others(by=ana, key=client.cookies["session"].value) == 1
    assert is_in(client)
    assert not is_in(second)


def test_no_history_tells_of_sessions_next_door(client, second, world, ana, sign_in):
    """Ending one's own sessions must not leave an Organization without a word of it, nor tell it of another (SI-9)."""
    there = add_member(world.elsewhere, ana.user, rights=[(Workflow.MANAGE_ACCESS, Right.VIEW)])
    for end in (
        lambda: session_store.end_others(by=ana, key=client.cookies["session"].value),
        lambda: session_store.end(str(stored(second).handle), by=ana),
    ):
        sign_in(client, ana)
        sign_in(second, ana)
        second.post("/switch/", {"organization": world.elsewhere.pk})
        told = AuditEvent.objects.filter(kind="session.ended")
        before = told.filter(organization=world.organization).count()
        end()
        assert not is_in(second)
        assert told.filter(organization=world.organization).count() == before
        last = told.filter(organization=world.elsewhere).latest("pk")
        assert (last.actor_id, last.subject_id, last.data["sessions"]) == (there.pk, there.pk, 1)


def test_nobody_ends_a_session_of_somebody_else_by_its_handle(client, ana, ben, eve, sign_in):
    """SI-9: one's own only."""
    sign_in(client, ana)
    handle = str(stored(client).handle)
    for stranger in (ben, eve):
        with pytest.raises(NotFound):
            session_store.end(handle, by=stranger)
    with pytest.raises(NotFound):
        session_store.end(str(uuid4()), by=ana)
    assert is_in(client)


def test_an_administrator_ends_all_sessions_of_a_member(client, second, ana, ben, eve, sign_in):
    """SI-9: with Initiate on Manage Access, and only within the Organization."""
    sign_in(client, ben)
    sign_in(second, ben)
    with pytest.raises(Refused):
        end_sessions.end_of(ana, by=ben, reason="It has to stop.")
    with pytest.raises(NotFound):
        end_sessions.end_of(eve, by=ana, reason="It has to stop.")
    assert end_sessions.end_of(ben, by=ana, reason="It has to stop.") == 2
    assert not is_in(client)
    assert not is_in(second)
    event = AuditEvent.objects.filter(kind="session.ended").latest("pk")
    assert (event.actor_id, event.subject_id, event.data["sessions"]) == (ana.pk, ben.pk, 2)


def test_what_concerns_the_person_ends_every_session_but_the_one_at_hand(client, second, world, ana, sign_in):
    """SI-8: a change of password or factors; each Organization is told."""
    there = add_member(world.elsewhere, ana.user, rights=[(Workflow.MANAGE_ACCESS, Right.VIEW)])
    sign_in(client, ana)
    sign_in(second, ana)
    second.post("/switch/", {"organization": world.elsewhere.pk})
    kept = client.cookies["session"].value
    assert session_store.end_all(ana.user, except_key=kept, reason="The password was changed.") == 1
    assert is_in(client)
    assert not is_in(second)
    told = AuditEvent.objects.get(organization=world.elsewhere, kind="session.ended")
    assert (told.subject_id, told.data["reason"]) == (there.pk, "The password was changed.")


def test_what_concerns_a_membership_leaves_the_others_alone(client, second, world, ana, sign_in):
    """SI-8, O1: an Organization ends what happens in it, and nothing next door."""
    add_member(world.elsewhere, ana.user, rights=[(Workflow.MANAGE_ACCESS, Right.VIEW)])
    sign_in(client, ana)
    sign_in(second, ana)
    second.post("/switch/", {"organization": world.elsewhere.pk})
    assert session_store.end_member(ana, reason="The rights were changed.") == 1
    assert not is_in(client)
    assert is_in(second)


@pytest.mark.parametrize("stop", [end_sessions.end_of, emergency_stop.suspend_member])
def test_a_session_that_was_next_door_does_not_come_back_after_such_an_end(
    second, clock, world, ana, owner, sign_in, stop
):
    """SI-9, M1: whoever holds it must sign in again, also once a suspension is lifted; next door it lives on."""
    add_member(world.elsewhere, ana.user, rights=[(Workflow.MANAGE_ACCESS, Right.VIEW)])
    sign_in(second, ana)
    second.post("/switch/", {"organization": world.elsewhere.pk})
    clock.shift(timedelta(minutes=1))
    stop(member=ana, **{"by" if stop is end_sessions.end_of else "actor": owner}, reason="A lost laptop.")
    if stop is emergency_stop.suspend_member:
        propose(lift_member_suspension, actor=owner, params=LiftMemberSuspension(ana.pk))
    assert is_in(second)
    answer = second.post("/switch/", {"organization": ana.organization_id}, follow=True)
    assert "Your sessions in Demo Treasury were ended since you signed in." in answer.content.decode()
    assert not is_in(second)
    clock.shift(timedelta(minutes=1))
    sign_in(second, ana)
    second.post("/switch/", {"organization": world.elsewhere.pk})
    second.post("/switch/", {"organization": ana.organization_id})
    assert stored(second).member == ana


def test_a_request_under_way_cannot_bring_an_ended_session_back(client, ana, sign_in):
    """SI-8: sessions end in the store at once, also under a request that is about to rotate or save them."""
    sign_in(client, ana)
    under_way = SessionStore(client.cookies["session"].value)
    assert under_way["member"] == ana.pk
    session_store.end_all(ana.user, reason="Meanwhile.")
    with pytest.raises(SessionInterrupted):
        under_way.cycle_key()
    under_way["note"] = "still here"
    with pytest.raises(UpdateError):
        under_way.save()
    assert not Session.objects.filter(user=ana.user).exists()


@pytest.mark.django_db(transaction=True)
def test_ending_and_rotating_at_the_same_moment_leaves_nothing(client, ana, sign_in, race):
    """SI-8: two connections, many times; whoever is first, the session is over."""
    for _ in range(8):
        sign_in(client, ana)
        key = client.cookies["session"].value

        def act(number: int, key: str = key) -> None:
            if number:
                Session.objects.filter(user=ana.user).delete()
            else:
                SessionStore(key).cycle_key()

        race(act, 2)
        assert not Session.objects.filter(user=ana.user).exists()
        client.cookies.clear()


@pytest.mark.parametrize(("idle", "absolute", "after", "alive"), [
    (5, 12, 4, True),
    (5, 12, 5, False),
    (120, 12, 119, True),
    (120, 1, 60, False),
])  # fmt: skip
def test_each_organization_has_its_own_limits(client, clock, ana, sign_in, idle, absolute, after, alive):
    """SI-7: idle and absolute limit belong to the Organization (DESIGN O4), and count at once for who is in."""
    sign_in(client, ana)
    Organization.objects.filter(pk=ana.organization_id).update(idle_minutes=idle, absolute_hours=absolute)
    clock.shift(timedelta(minutes=after))
    assert is_in(client) is alive
    assert Session.objects.filter(user=ana.user).exists() is alive


def test_what_has_passed_its_limits_is_not_listed(client, second, clock, ana, sign_in):
    sign_in(client, ana)
    clock.shift(timedelta(minutes=20))
    sign_in(second, ana)
    clock.shift(timedelta(minutes=11))
    assert [row.handle for row in session_store.theirs(ana.user)] == [stored(second).handle]


def test_the_list_takes_one_query(client, second, ana, sign_in, django_assert_num_queries):
    sign_in(client, ana)
    sign_in(second, ana)
    with django_assert_num_queries(1):
        assert {row.member and row.member.organization.name for row in session_store.theirs(ana.user)} == {
            "Demo Treasury"
        }
    assert Member.objects.get(pk=ana.pk).sessions.count() == 2


def test_a_sign_in_that_was_under_way_at_a_reset_opens_nothing(client, owner, ben, sign_in):
    """SI-8: its session is written after all others were ended; it began before the factors went."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, ben)
        assert client.get("/profile/").status_code == 200
        clock.shift(timedelta(seconds=1))
        cooldown.begin([ben])
        assert client.get("/profile/").status_code == 302
        assert not Session.objects.filter(user=ben.user).exists()


def test_lifting_a_suspension_ends_what_was_left_over(client, owner, ben, sign_in):
    """SI-8: re-enabling a member revives nothing, not even a session opened at the very moment of the suspension."""
    sign_in(client, ben)
    Member.objects.filter(pk=ben.pk).update(suspended_at=timezone.now())
    propose(lift_member_suspension, actor=owner, params=LiftMemberSuspension(ben.pk))
    assert client.get("/profile/").status_code == 302
