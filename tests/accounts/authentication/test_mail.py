"""Mail and security notices: sent after the commit, to the right person, without secrets."""

import logging
from datetime import timedelta
from threading import Thread

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.authentication import notifications
from accounts.factors import totp
from accounts.models import SecurityNotice
from portal.audit.models import AuditEvent
from portal.jobs import mail
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.django_db
HOME, AWAY = "198.51.100.7", "203.0.113.9"


def come_in(member, code, source):
    visitor = Client(REMOTE_ADDR=source)
    visitor.post("/sign-in/", {"email": member.user.email, "password": PASSWORD})
    assert visitor.post("/sign-in/code/", {"code": code(member)}).status_code == 302
    return visitor


def notice(member):
    notifications.notify_security(member.user, "password_changed")


@pytest.mark.django_db(transaction=True)
def test_mail_waits_for_the_commit(world, mailoutbox):
    """SI-10: mail after commit: another connection, which is the worker's, does not see it before."""
    owner = world.members["owner"]
    with transaction.atomic():
        notice(owner)
        on_another_connection(mail.settle)
        assert mailoutbox == []
    on_another_connection(mail.settle)
    assert [message.to for message in mailoutbox] == [[owner.user.email]]


def on_another_connection(act):
    def acted():
        act()
        connection.close()

    thread = Thread(target=acted)
    thread.start()
    thread.join()


def test_what_is_rolled_back_is_not_told(owner, mailed):
    """SI-10: mail after commit."""

    def undone():
        with transaction.atomic():
            notice(owner)
            transaction.set_rollback(True)

    assert mailed(undone) == []


def test_a_mail_server_that_fails_is_logged_without_the_text(owner, mailed, settings, caplog):
    settings.EMAIL_BACKEND = "no.such.backend"
    with caplog.at_level(logging.ERROR):
        assert mailed(lambda: notice(owner)) == []
    assert "Mail notice was not sent" in caplog.text
    assert "password was changed" not in caplog.text


def test_a_name_is_not_markup_in_a_mail(owner, mailed):
    owner.user.name = "Olive & <Marsh>"
    (sent,) = mailed(lambda: notice(owner))
    assert "Hello Olive & <Marsh>," in sent.body


def test_the_first_place_is_no_news(owner, code, mailed):
    assert mailed(lambda: come_in(owner, code, HOME)) == []
    assert mailed(lambda: come_in(owner, code, HOME)) == []


def test_a_new_source_is_told(owner, code, mailed):
    """SI-10: outbox holds one mail, without secrets; in-page notice, AuditEvent."""
    come_in(owner, code, HOME)
    seed = totp.current_code(owner.user)
    (sent,) = mailed(lambda: come_in(owner, code, AWAY))
    assert sent.to == [owner.user.email]
    assert "signed in from a new place" in sent.subject
    assert AWAY in sent.body
    assert PASSWORD not in sent.body
    assert seed not in sent.body
    assert AuditEvent.objects.filter(kind="sign_in.noticed", actor_id=owner.pk, data__reason="new_source").count() == 1
    page = come_in(owner, code, AWAY).get("/profile/").content.decode()
    assert "You signed in from a new place." in page


def test_a_success_after_failures_is_told(owner, code, mailed):
    """SI-10: several failures then success: one mail, AuditEvent."""
    for _ in range(3):
        Client(REMOTE_ADDR=HOME).post("/sign-in/", {"email": owner.user.email, "password": "wrong"})
    (sent,) = mailed(lambda: come_in(owner, code, HOME))
    assert "after failed tries" in sent.subject
    assert "3 tries in a row" in sent.body
    assert AuditEvent.objects.filter(kind="sign_in.noticed", data__reason="failures_then_success").exists()


def test_a_notice_stays_until_it_is_put_away(client, owner, ben, sign_in):
    sign_in(client, owner)
    notice(owner)
    notice(ben)
    mine, theirs = SecurityNotice.objects.get(user=owner.user), SecurityNotice.objects.get(user=ben.user)
    assert "Your password was changed." in client.get("/profile/").content.decode()
    answer = client.post(f"/notices/{mine.pk}/seen/?next=/profile/")
    assert answer.url == "/profile/"
    assert "Your password was changed." not in client.get("/profile/").content.decode()
    client.post(f"/notices/{theirs.pk}/seen/")
    theirs.refresh_from_db()
    assert theirs.seen_at is None


def test_notices_cost_one_query_however_many(client, owner, sign_in, django_assert_num_queries):
    sign_in(client, owner)
    for _ in range(20):
        notice(owner)
    with django_assert_num_queries(1):
        assert len(notifications.unseen(owner.user)) == notifications.SHOWN


@pytest.mark.parametrize("kind", notifications.WORDS)
def test_every_kind_of_notice_has_words_that_can_be_filled(owner, kind, mailed):
    (sent,) = mailed(lambda: notifications.notify_security(owner.user, kind))
    assert "{" not in sent.body
    assert sent.subject.startswith("Countersign: ")


def test_the_time_of_a_notice_is_that_of_the_event(owner):
    with time_machine.travel(timezone.now() - timedelta(days=3), tick=False):
        notice(owner)
    (shown,) = notifications.unseen(owner.user)
    assert timezone.now() - shown.at >= timedelta(days=3)


def test_a_notice_leads_to_its_page_and_several_are_put_away_together(client, owner, sign_in):
    sign_in(client, owner)
    notifications.notify_security(
        owner.user, "recovery_announced", name="Ben <b>", opens="now", link="http://localhost:8000/recoveries/"
    )
    notice(owner)
    text = " ".join(client.get("/profile/").content.decode().split())
    assert "What this means, and 1 earlier" in text
    assert '<a href="/recoveries/">Open the page</a>' in text
    assert "Ben &lt;b&gt;" in text
    newest = SecurityNotice.objects.latest("pk")
    notice(owner)
    client.post(f"/notices/{newest.pk}/seen/")
    assert [shown.title for shown in notifications.unseen(owner.user)] == ["Your password was changed."]
