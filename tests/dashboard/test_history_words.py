"""The history read in sentences, narrowed, and taken away as a table."""

import csv
import io
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, User
from policies.changes import propose
from policies.models import ChangeRequest, Grant
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.audit.record import record
from portal.core.actors import Outsider
from portal.dashboard.history.export import HEAD
from portal.dashboard.history.sentences import TOPICS, kinds_of, sentence
from tests.policies.operations import Send, send

URL, EXPORT = reverse("dashboard:history"), reverse("dashboard:export_history")


@pytest.fixture
def asked(world, treasury_bot) -> ChangeRequest:
    """The bot's request to send 1.25 USD."""
    params = Send(world.account.pk, "1.25")
    return propose(send, actor=treasury_bot.service_user, params=params, api_key=treasury_bot.key)


def read(client, query=""):
    """The page as its reader sees it: text without markup, in one line."""
    text = client.get(URL + query).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", text[text.index("<main") :]).split())


def table(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def happened(kind, member, **data):
    with transaction.atomic():
        return record(kind, actor=member, **data)


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_has_a_sentence_and_stands_under_one_topic(kind):
    before, _ = sentence(kind)
    assert before
    assert "_" not in before
    assert sum(kind in kinds_of(topic) for topic in TOPICS) == 1


def test_events_read_as_sentences_about_what_they_lead_to(asked, audit, client, sign_in_by_code):
    sign_in_by_code(client, audit)
    text = read(client)
    assert f"treasury-bot (service user) asked for request {asked.number}, Send 1.25 USD to the bank" in text
    assert "configured the policy of Initiate Withdrawal" in text
    assert "Otto Berg (you) signed in by authenticator app" in text
    assert "needs 2 approvals" in text
    raw = client.get(URL).content.decode()
    assert f'href="{reverse("policies:request", args=[asked.reference])}"' in raw


def test_all_that_is_stored_stands_behind_each_sentence(asked, audit, client, sign_in):
    sign_in(client, audit)
    event = AuditEvent.objects.get(kind="change.requested", subject_kind="changerequest", subject_id=asked.pk)
    text = read(client)
    for part in (event.hash, event.data["digest"], "change.requested, success"):
        assert part in text


def test_what_somebody_does_to_themselves_is_said_so(audit, client, sign_in):
    happened(EventKind.SIGNED_OUT, audit, subject=audit)
    sign_in(client, audit)
    assert "Otto Berg (you) ended a session of their own" in read(client)


def test_an_amount_is_told_in_its_asset_also_where_the_exchange_lists_that_no_more(audit, client, sign_in, account):
    """What happened once is readable for ever, whatever becomes of the venue and its names."""
    for amount, asset, place in (("1.25", "XXBT", account.pk), ("2.5", "GONE", account.pk), ("3.75", "XXBT", None)):
        happened(EventKind.WITHDRAWAL_HELD, audit, amount=amount, asset=asset, account_id=place)
    sign_in(client, audit)
    text = read(client)
    for said in ("1.25 BTC", "2.5 GONE", "3.75 XXBT"):
        assert said in text


def test_a_long_reason_is_cut_in_the_sentence_and_whole_behind_it(audit, client, sign_in):
    happened(EventKind.POLICY_REMOVED, audit, reason="because " * 40 + "of that")
    happened(EventKind.POLICY_REMOVED, audit, reason="short and plain")
    sign_in(client, audit)
    text = read(client)
    assert re.search(r"because because[^…]*…", text)
    assert "because of that" in text
    assert "short and plain" in text


def test_what_was_stored_in_another_shape_is_shown_and_breaks_no_page(audit, client, sign_in):
    happened(EventKind.CHANGE_REQUESTED, audit, approvals=["Ben", "Cleo"], rights="all", permissions="all")
    sign_in(client, audit)
    assert "Ben, Cleo" in read(client)


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("?topic=Policies", "configured the policy", "asked for request"),
        ("?actor=operator", "created Demo Treasury", "asked for request"),
        ("?first=2200-01-01", "Nothing fits this filter", "asked for request"),
        ("?last=2001-01-01", "Nothing fits this filter", "asked for request"),
        ("?topic=x&actor=member-x&first=soon&last=9999-99-99&workflow=all", "asked for request", "Nothing fits"),
        ("?first=0001-01-01&last=9999-12-31&actor=member-" + "9" * 30, "asked for request", "Nothing fits"),
    ],
)
def test_the_history_is_narrowed_by_closed_sets_and_days(asked, audit, client, sign_in, query, there, gone):
    """IN-3: filters and date ranges are closed sets with caps."""
    sign_in(client, audit)
    text = read(client, query)
    assert there in text
    assert gone not in text


def test_days_are_those_of_the_reader(asked, audit, client, sign_in, world):
    User.objects.filter(pk=audit.user_id).update(time_zone="Pacific/Auckland")
    with time_machine.travel("2031-05-01T13:00:00Z", tick=False):
        happened(EventKind.POLICY_REMOVED, Outsider("operator", "late", world.organization.pk))
    sign_in(client, audit)
    assert "late removed the policy" in read(client, "?first=2031-05-02&last=2031-05-02")
    assert "late removed the policy" not in read(client, "?first=2031-05-01&last=2031-05-01")
    assert "Friday 2 May 2031" in read(client, "?first=2031-05-02")


def test_only_who_did_something_one_may_read_is_offered(asked, audit, client, sign_in, account):
    """AZ-7: names filter by permission as lists do."""
    audit.grants.all().delete()
    Grant.objects.create(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL, right=Right.VIEW, account=account)
    sign_in(client, audit)
    text = client.get(URL).content.decode()
    assert f'value="service_user-{asked.service_user_id}"' in text
    assert 'value="member-' not in text
    audit.grants.all().delete()
    assert "treasury-bot" not in client.get(URL).content.decode()


def test_the_export_holds_what_the_page_shows_and_is_remembered(asked, audit, client, sign_in):
    """AU-7: exports are themselves recorded."""
    sign_in(client, audit)
    answer = client.post(EXPORT, {"workflow": "initiate_withdrawal"})
    rows = table(answer)
    assert list(rows[0]) == list(HEAD)
    assert {row["Workflow"] for row in rows} == {"initiate_withdrawal"}
    (mine,) = [row for row in rows if row["Subject"] == str(asked)]
    assert mine["What happened"] == f"treasury-bot asked for request {asked.number}, Send to the bank"
    assert [int(row["Number"]) for row in rows] == sorted(int(row["Number"]) for row in rows)
    event = AuditEvent.objects.get(kind="history.exported")
    assert (event.actor_id, event.workflow, event.data["events"]) == (audit.pk, "initiate_withdrawal", len(rows))
    assert event.data["narrowed_to"] == {"workflow": "initiate_withdrawal"}


def test_the_export_is_a_file_that_runs_nothing(audit, client, sign_in, world):
    """IN-4: note `=HYPERLINK(...)`; each leading sign but a number's is neutralised, the file name is ours, nosniff."""
    signs = ['=HYPERLINK("x")', "+1", "-1", "-1+1", "@x", "\tx", "\rx", "plain"]
    for sign in signs:
        happened(EventKind.POLICY_REMOVED, Outsider("operator", sign, world.organization.pk), note=sign)
    sign_in(client, audit)
    with time_machine.travel(timezone.now(), tick=False):
        answer = client.post(EXPORT, {"actor": "operator", "topic": "Policies"})
        assert answer.headers["Content-Disposition"] == f'attachment; filename="history-{timezone.localdate()}.csv"'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    cells = {value for row in table(answer) for value in row.values()}
    assert {value for value in cells if value.startswith(("=", "+", "-", "@", "\t", "\r"))} == {"-1"}
    assert {f"'{sign}" for sign in signs if sign.startswith(("=", "+", "@", "-1+"))} < cells
    assert "plain" in cells


@pytest.mark.parametrize("what", ["another Organization", "another Account", "no right"])
def test_nobody_exports_what_they_may_not_view(asked, audit, eve, client, sign_in, what, world):
    """AU-7, AZ-2: each."""
    member = eve if what == "another Organization" else audit
    if what != "another Organization":
        audit.grants.all().delete()
    if what == "another Account":
        other = Account.objects.create(organization=world.organization, name="Other", created_at=timezone.now())
        Grant.objects.create(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL, right=Right.VIEW, account=other)
    sign_in(client, member)
    assert asked.reference not in client.post(EXPORT).content.decode()
    assert client.get(EXPORT).url == URL


def test_exports_are_limited_in_number_and_in_size(asked, audit, client, sign_in, monkeypatch):
    """IN-3: expensive exports are limited per member."""
    sign_in(client, audit)
    monkeypatch.setattr("portal.dashboard.history.export.MOST_ROWS", 3)
    answer = client.post(EXPORT, {"topic": "Signing in", "last": "2001-01-01"})
    assert table(answer) == []
    answer = client.post(EXPORT)
    assert answer.url == URL
    assert "Narrow them by days" in read(client)
    monkeypatch.setattr("portal.dashboard.history.export.MOST_AN_HOUR", 1)
    assert client.post(EXPORT, {"last": "2001-01-01"}).status_code == 302
    assert "Wait a while" in read(client)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        sign_in(client, audit)
        assert client.post(EXPORT, {"last": "2001-01-01"}).status_code == 200
