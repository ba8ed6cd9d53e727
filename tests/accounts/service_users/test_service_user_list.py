"""The list of Service Users: filters, pages, and the file."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.api_keys import usage
from accounts.emergency_stop.stop import revoke_key, suspend_service_user
from accounts.models import ApiKey, ServiceUser
from accounts.service_users.params import RemoveServiceUser
from accounts.service_users.reinstate_and_remove import remove_service_user
from accounts.views.service_users import service_user_list
from policies.changes import propose
from portal.audit.models import AuditEvent
from tests.factories.world import make_bot

pytestmark = pytest.mark.django_db
LIST, FILE = "/service-users/", "/service-users.csv"
BOTS = {"trading-bot", "treasury-bot", "readonly-bot"}


def shown(client, **filters) -> set[str]:
    text = client.get(LIST, filters).content.decode()
    return {name for name in (*BOTS, "later-bot", "eve-bot") if f">{name}</a>" in text}


def lines(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, BOTS),
        ({"permission": "withdraw-funds"}, {"treasury-bot"}),
        ({"permission": "add-funds"}, {"treasury-bot", "trading-bot"}),
        ({"state": "live"}, BOTS),
        ({"state": "suspended"}, set()),
        ({"expiring": "never"}, BOTS),
        ({"expiring": "30"}, set()),
        ({"state": "nonsense", "permission": "password", "account": "999", "expiring": "-1"}, BOTS),
        ({"state": "' OR 1=1 --", "after": "x", "page": "1000000000", "sort": "password"}, BOTS),
    ],
)
def test_filters_are_closed_sets(client, audit, sign_in, filters, found):
    """IN-3: `page=10**9`, `sort=password`: what is in no set is not looked at."""
    sign_in(client, audit)
    assert shown(client, **filters) == found


def test_each_state_finds_its_own(client, owner, world, sign_in):
    sign_in(client, owner)
    soon = timezone.now() + timedelta(days=5)
    make_bot(owner, world.account, "later-bot", ("query-funds",), expires_at=soon)
    assert shown(client, expiring="7") == {"later-bot"}
    assert shown(client, expiring="1") == set()
    suspend_service_user(actor=owner, service_user=world.bot("trading-bot").service_user, reason="It has to stop.")
    revoke_key(actor=owner, api_key=world.bot("readonly-bot").key, reason="It has to stop.")
    propose(remove_service_user, actor=owner, params=RemoveServiceUser(world.bot("treasury-bot").service_user.pk))
    ApiKey.objects.filter(service_user__name="later-bot").update(retires_at=soon)
    assert shown(client, state="suspended") == {"trading-bot"}
    assert shown(client, state="none") == {"readonly-bot"}
    assert shown(client, state="removed") == {"treasury-bot"}
    assert shown(client, state="live") == shown(client, state="rotating") == {"later-bot"}
    assert shown(client, account=world.account.pk) == {*BOTS, "later-bot"}
    assert "No service user fits these filters." in client.get(LIST, {"state": "waiting"}).content.decode()


def test_the_file_has_one_line_for_each_key_and_is_in_the_history(client, audit, trading_bot, sign_in):
    """IN-4: our file name, nosniff; AU-2: the export is recorded."""
    usage.count(trading_bot.public, "Queries", timezone.now())
    usage.flush()
    sign_in(client, audit)
    answer = client.get(FILE, {"permission": "add-funds"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="service-users-20')
    assert answer["X-Content-Type-Options"] == "nosniff"
    found = {line["name"]: line for line in lines(answer)}
    assert found.keys() == {"trading-bot", "treasury-bot"}
    assert found["trading-bot"]["calls in 90 days"] == "1"
    assert found["trading-bot"]["key"] == trading_bot.key.short
    assert trading_bot.public not in answer.content.decode()
    assert AuditEvent.objects.get(kind="export.made").actor_label == audit.label


def test_a_formula_in_a_purpose_is_only_text(client, audit, trading_bot, sign_in):
    """IN-4: note `=HYPERLINK(...)`."""
    ServiceUser.objects.filter(pk=trading_bot.service_user.pk).update(purpose='=HYPERLINK("http://x.test","y")')
    sign_in(client, audit)
    (line,) = [line for line in lines(client.get(FILE)) if line["name"] == "trading-bot"]
    assert line["purpose"] == '\'=HYPERLINK("http://x.test","y")'


def test_exports_are_limited_for_each_member(client, audit, sign_in, monkeypatch):
    """IN-3: expensive exports are limited per member."""
    monkeypatch.setattr(service_user_list, "EXPORTS_AN_HOUR", 2)
    sign_in(client, audit)
    assert [client.get(FILE).status_code for _ in range(3)] == [200, 200, 302]
    assert "no more may be" in client.get(LIST).content.decode()
    assert AuditEvent.objects.filter(kind="export.made").count() == 2


def test_another_organization_sees_its_own(client, eve, sign_in):
    """O1."""
    sign_in(client, eve)
    assert shown(client) == {"eve-bot"}
    assert {line["name"] for line in lines(client.get(FILE))} == {"eve-bot"}


def test_who_may_not_view_gets_nothing(client, world, sign_in):
    assert client.get(FILE).status_code == 302
    assert client.get(LIST).status_code == 302


def test_pages_follow_each_other_and_keep_the_filters(client, owner, world, sign_in):
    sign_in(client, owner)
    row = ServiceUser.objects.get(name="readonly-bot")
    for number in range(60):
        row.pk, row.name = None, f"many-{number:02}"
        row.save(force_insert=True)
    first = client.get(LIST, {"permission": "query-ledger"}).content.decode()
    assert "many-00" in first
    assert "many-49" not in first or "many-59" not in first
    assert "permission=query-ledger&amp;after=" in first
    with CaptureQueriesContext(connection) as many:
        client.get(FILE)
    ServiceUser.objects.filter(name__startswith="many").delete()
    with CaptureQueriesContext(connection) as few:
        client.get(FILE)
    assert len(many) == len(few)
