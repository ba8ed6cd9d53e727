"""Mail about requests: to whom, when, once, and with links that only lead to a page."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail as outbox
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.members.end_membership import RemoveMember, remove_member
from accounts.models import User
from policies.changes import cancel, expire_due, propose, transitions
from policies.models import ChangeRequest, State
from policies.notifications import mail as notifying
from policies.notifications.preferences import Tell
from policies.operations import ConfigurePolicy, RemovePolicy, configure_policy, remove_policy
from policies.workflows import Workflow
from portal.core.actors import portal
from portal.jobs import mail
from tests.policies.conftest import ask_send, ask_tidy, no, yes

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


@pytest.fixture(autouse=True)
def _empty_queue(db, mailoutbox):
    DBTaskResult.objects.all().delete()


def told() -> list[str]:
    """Whom the mail queued so far went to, by short name; and forget it."""
    mail.settle()
    names = sorted(message.to[0].partition("@")[0] for message in outbox.outbox)
    outbox.outbox.clear()
    return names


def choose(member, tell):
    User.objects.filter(pk=member.user_id).update(tell=tell)


def test_who_can_decide_is_told_and_nobody_else(house):
    house.policy(WITHDRAWAL, 2)
    choose(house.cleo, Tell.MINE)
    ask_send(house, house.ana)
    assert told() == ["ben", "fay", "olive"]


def test_what_has_ended_meanwhile_is_not_announced(house):
    change = ask_tidy(house.ana)
    cancel(change.reference, actor=house.ana)
    assert told() == []


@pytest.mark.parametrize("end", ["executed", "rejected", "failed", "expired", "cancelled", "stale"])
def test_who_asked_is_told_how_it_ended_unless_they_ended_it(house, end):
    house.policy(WITHDRAWAL, 1)
    change = ask_send(house, house.ana, fault="insufficient" if end == "failed" else "")
    told()
    if end == "rejected":
        no(change, house.ben)
    elif end == "cancelled":
        cancel(change.reference, actor=house.ana)
    elif end == "expired":
        ChangeRequest.objects.filter(pk=change.pk).update(expires_at=timezone.now())
        expire_due()
    elif end == "stale":
        transitions.end(change, State.STALE, by=portal(house.organization.pk))
    else:
        yes(change, house.ben)
    assert ChangeRequest.objects.get(pk=change.pk).state == end
    assert told() == ([] if end == "cancelled" else ["ana"])


def test_who_wants_everything_is_told_how_requests_of_others_ended(house):
    house.policy(WITHDRAWAL, 1)
    choose(house.cleo, Tell.ALL)
    choose(house.ben, Tell.ALL)
    change = ask_send(house, house.ana)
    told()
    yes(change, house.ben)
    assert told() == ["ana", "cleo"]


def test_of_a_bot_the_custodians_are_told(house):
    house.policy(WITHDRAWAL, 1)
    key = house.bot()
    change = ask_send(house, key.service_user, api_key=key)
    assert told() == ["ben", "cleo", "fay"]
    yes(change, house.ben)
    assert told() == ["olive"]


def test_what_ran_at_once_is_no_news(house):
    assert ask_tidy(house.olive).state == State.EXECUTED
    assert told() == []


def test_a_policy_that_one_person_changes_alone_is_told_to_all_who_look(house):
    """fault pages-B22: set, weakened, locked and removed at once; also to who only looks, and to who wants little."""
    choose(house.cleo, Tell.MINE)
    choose(house.ben, Tell.NEEDED)
    acts: tuple[tuple[Any, Any], ...] = (
        (configure_policy, ConfigurePolicy(WITHDRAWAL, 2, always=False)),
        (configure_policy, ConfigurePolicy(WITHDRAWAL, 1, always=False)),
        (remove_policy, RemovePolicy(WITHDRAWAL)),
    )
    for operation, params in acts:
        assert propose(operation, actor=house.olive, params=params).state == State.EXECUTED
        mail.settle()
        assert "Olive" in outbox.outbox[-1].subject
        assert told() == ["ana", "ben", "fay", "otto"]


def test_access_that_one_person_takes_away_alone_is_told_to_all_who_look(house):
    """Removing somebody at once must not go by without a word, while a mere pause is told to all who approve."""
    change = propose(remove_member, actor=house.olive, params=RemoveMember(house.otto.pk, ()))
    assert change.state == State.EXECUTED
    assert told() == ["ana", "ben", "cleo", "fay"]


def test_what_others_agreed_to_is_not_told_as_done_alone(house):
    house.policy(Workflow.MANAGE_POLICIES, 1)
    change = propose(configure_policy, actor=house.ana, params=ConfigurePolicy(WITHDRAWAL, 1, always=False))
    told()
    yes(change, house.ben)
    assert told() == ["ana"]


@pytest.mark.parametrize(("hours", "left"), [(72, timedelta(hours=12)), (8, timedelta(hours=2))])
def test_a_reminder_goes_out_once_when_a_quarter_or_twelve_hours_are_left(house, hours, left):
    house.policy(WITHDRAWAL, 2, open_hours=hours)
    change = ask_send(house, house.ana)
    told()
    yes(change, house.ben)
    due = change.expires_at - left
    with time_machine.travel(due - timedelta(seconds=1), tick=False):
        assert notifying.remind_due() == 0
    with time_machine.travel(due, tick=False):
        assert notifying.remind_due() == 1
        assert notifying.remind_due() == 0
        assert told() == ["cleo", "fay", "olive"]
    with time_machine.travel(change.expires_at, tick=False):
        assert notifying.remind_due() == 0


def test_the_mail_says_what_is_asked_until_when_and_nothing_to_press(house):
    User.objects.filter(pk=house.ben.user_id).update(time_zone="Asia/Tokyo")
    house.policy(WITHDRAWAL, 2)
    with time_machine.travel("2027-01-01T12:00:00Z", tick=False):
        change = ask_send(house, house.ana, amount="1.25")
        mail.settle()
    (to_ben,) = [message for message in outbox.outbox if message.to == ["ben@house.test"]]
    assert to_ben.subject == f"House: request {change.number} waits for you"
    assert "Send 1.25 USD to the bank" in to_ben.body
    assert "Asked by: Ana" in to_ben.body
    assert "Closes: 4 Jan 2027, 21:00 (Asia/Tokyo)" in to_ben.body
    assert f"Digest: {change.digest[:16]}…" in to_ben.body
    # Plain text, which holds no button.
    assert to_ben.message().get_content_type() == "text/plain"


def test_following_every_link_of_the_mail_and_the_page_changes_nothing(asked, ben, browser):
    """CR-16: prefetch all links in the mail and page: no change."""
    mail.settle()
    (to_ben,) = [message for message in outbox.outbox if message.to == [ben.user.email]]
    links = re.findall(r"http://localhost:8000(\S+)", str(to_ben.body))
    assert f"/requests/{asked.reference}/?of={asked.organization_id}" in links
    client = browser(ben)
    page = client.get(f"/requests/{asked.reference}/").content.decode()
    links += [link for link in re.findall(r'(?:href|hx-get)="(/[^"#]*)', page) if not link.startswith("/static/")]
    assert len(links) > 10
    before = ChangeRequest.objects.filter(pk=asked.pk).values().get()
    for link in links:
        for visitor in (Client(), client):
            visitor.get(link.replace("&amp;", "&"))
    assert ChangeRequest.objects.filter(pk=asked.pk).values().get() == before
    assert not asked.decisions.exists()
    assert client.get("/profile/").status_code == 200


@pytest.mark.parametrize("way", ["decide", "cancel"])
def test_a_get_never_decides(asked, ben, browser, way):
    """CR-16: GET never decides; it leads to the page where one can."""
    answer = browser(ben).get(f"/requests/{asked.reference}/{way}/", {"decision": "approve", "digest": asked.digest})
    assert (answer.status_code, answer.url) == (302, f"/requests/{asked.reference}/")
    assert not asked.decisions.exists()


def test_what_is_chosen_on_the_profile_is_kept(ben, browser):
    client = browser(ben)
    form = {"name": "Ben", "time_zone": "UTC"}
    assert "Select a valid choice" in client.post("/profile/", {**form, "tell": "loudly"}).content.decode()
    client.post("/profile/", {**form, "name": ben.user.name, "tell": "mine"})
    assert User.objects.get(pk=ben.user_id).tell == Tell.MINE


def test_the_command_works_once(house, capsys):
    house.policy(WITHDRAWAL, 1)
    change = ask_send(house, house.ana)
    with time_machine.travel(change.expires_at, tick=False):
        call_command("work", "--once")
    assert ChangeRequest.objects.get(pk=change.pk).state == State.EXPIRED
    assert [message.to for message in outbox.outbox] == [["ana@house.test"]]
    assert "periodic tasks" in capsys.readouterr().out


def test_a_time_zone_that_this_machine_does_not_know_keeps_the_mail_from_nobody_else(house, caplog):
    """fault security-H4: of all who could decide, those after that one were told nothing, and never again."""
    house.policy(WITHDRAWAL, 2)
    User.objects.filter(pk=house.ben.user_id).update(time_zone="Mars/Olympus")
    ask_send(house, house.ana)
    assert told() == ["cleo", "fay", "olive"]
    assert "Could not write to one reader" in caplog.text
