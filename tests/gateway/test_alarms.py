"""Alarms: raised once, mailed to who approves, on every page until somebody who answers for it acknowledges it."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from policies.access import grant
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.audit.models import AuditEvent
from portal.core.errors import NotFound, Refused
from portal.treasury.withdrawals import request_withdrawal
from portal.venues.kraken.alarms import mail as alarm_mail
from portal.venues.kraken.alarms import raise_alarm
from portal.venues.kraken.alarms.acknowledging import acknowledge
from portal.venues.kraken.models import Alarm
from tests.dashboard.every_route import NO_PAGE
from tests.gateway.connected import real_account
from tests.routes import routes
from tests.venues.conftest import together

FOREIGN = Alarm.Kind.FOREIGN_WITHDRAWAL
SAID = "2 BTC left Real to cold at 12:00, and nothing here asked for it."
LIST = reverse("kraken:alarms")
MONEY = Workflow.INITIATE_WITHDRAWAL
ACCESS = Workflow.MANAGE_ACCESS


@pytest.fixture
def real(world):
    return real_account(world.organization)


def alarm(account: Account, kind: Alarm.Kind = FOREIGN, subject: str = "R1", said: str = SAID, **given) -> Alarm:
    assert raise_alarm(account, kind, subject=subject, said=said, **given)
    return Alarm.objects.latest("pk")


def only(member, *rights) -> None:
    Grant.objects.filter(member=member).delete()
    for workflow, right, account in rights:
        grant(member, workflow, right, account)


@pytest.mark.django_db
def test_an_alarm_is_raised_once_until_it_is_acknowledged(real, ben):
    first = alarm(real)
    assert not raise_alarm(real, FOREIGN, subject="R1", said="Said otherwise.")
    assert raise_alarm(real, FOREIGN, subject="R2", said=SAID)
    assert raise_alarm(real, Alarm.Kind.LEDGER, subject="R1", said=SAID)
    acknowledge(first.pk, member=ben)
    assert not raise_alarm(real, FOREIGN, subject="R1", said=SAID, once=True)
    assert raise_alarm(real, FOREIGN, subject="R1", said=SAID)
    assert Alarm.objects.filter(kind=FOREIGN, subject="R1").count() == 2


@pytest.mark.django_db
def test_the_database_knows_that_one_alarm_is_open_once(real):
    first = alarm(real)
    first.pk = None
    with pytest.raises(IntegrityError, match=r"kraken_alarm_open_once|UNIQUE"), transaction.atomic():
        first.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_two_who_see_the_same_raise_one_alarm_and_one_event(world, mailoutbox):
    real = real_account(world.organization)

    def see():
        return raise_alarm(real, FOREIGN, subject="R1", said=SAID)

    assert sorted(map(str, together(see, see))) == ["False", "True"]
    assert Alarm.objects.count() == 1
    assert AuditEvent.objects.filter(kind="alarm.raised").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_acknowledge_one_is_remembered(world, ben, cleo):
    found = alarm(real_account(world.organization))
    results = together(
        lambda: acknowledge(found.pk, member=ben).acknowledged_by,
        lambda: acknowledge(found.pk, member=cleo).acknowledged_by,
    )
    found.refresh_from_db()
    assert results == [found.acknowledged_by, found.acknowledged_by]
    (event,) = AuditEvent.objects.filter(kind="alarm.acknowledged")
    assert event.actor_label == found.acknowledged_by


@pytest.mark.django_db
def test_what_the_exchange_says_is_cut_and_forges_no_line(real):
    found = alarm(real, said="a\nFrom: the operator\u202e" + "x" * 600)
    assert "\n" not in found.said
    assert "\u202e" not in found.said
    assert len(found.said) == 500
    assert found.said.endswith("…")


@pytest.mark.django_db
def test_everybody_who_approves_there_is_written_to_once(real, world, mailed):
    vault = real_account(world.organization, name="Vault")
    only(world.members["cleo"], (MONEY, Right.APPROVE, vault))
    only(world.members["fay"], (ACCESS, Right.APPROVE, None))
    mails = mailed(lambda: alarm(real))
    told = {mail.to[0].split("@")[0] for mail in mails}
    approving = {
        name for name, member in world.members.items()
        if Grant.objects.filter(member=member, workflow=MONEY, right=Right.APPROVE, account=None).exists()
        and member.organization == world.organization
    }  # fmt: skip
    assert told == approving
    assert "ben" in told
    assert not {"cleo", "fay", "ana", "audit"} & told
    (mail,) = [mail for mail in mails if mail.to == ["ben@demo.test"]]
    assert SAID in mail.body
    assert f"{LIST}?of={world.organization.pk}" in mail.body
    assert Alarm.objects.get().mailed_at is not None


@pytest.mark.django_db
def test_an_alarm_about_a_credential_goes_to_manage_access_too(real, world, mailed):
    only(world.members["cleo"], (ACCESS, Right.APPROVE, None))
    mails = mailed(lambda: alarm(real, Alarm.Kind.STOPPED, said="It is stopped."))
    assert {"cleo@demo.test", "ben@demo.test"} <= {mail.to[0] for mail in mails}


@pytest.mark.django_db
def test_what_was_mailed_is_not_mailed_again(real, mailed):
    found = alarm(real)
    mailed(lambda: alarm_mail.tell.call(found.pk))
    assert mailed(lambda: alarm_mail.tell.call(found.pk)) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "rights", "sees"),
    [
        (FOREIGN, [(MONEY, Right.VIEW, "Real")], True),
        (FOREIGN, [(MONEY, Right.APPROVE, None)], True),
        (FOREIGN, [(MONEY, Right.VIEW, "Main")], False),
        (FOREIGN, [(ACCESS, Right.EXECUTE, None)], False),
        (Alarm.Kind.STOPPED, [(ACCESS, Right.VIEW, None)], True),
        (Alarm.Kind.CREDENTIAL_CHANGED, [(MONEY, Right.VIEW, "Real")], True),
        (Alarm.Kind.STOPPED, [(Workflow.MANAGE_ADDRESSES, Right.VIEW, None)], False),
    ],
)
def test_who_may_view_what_it_is_about_sees_it_on_every_page(kind, rights, sees, real, world, client, sign_in):
    alarm(real, kind)
    named = {None: None, "Real": real, "Main": world.account}
    reader = world.members["audit"]
    only(reader, *[(workflow, right, named[where]) for workflow, right, where in rights])
    sign_in(client, reader)
    for page in ("policies:inbox", "accounts:profile", "dashboard:history"):
        assert (SAID in client.get(reverse(page)).content.decode()) is sees, page
    assert (SAID in client.get(LIST).content.decode()) is sees


@pytest.mark.django_db
def test_every_page_has_the_line(real, world, client, sign_in, owner, treasury_bot):
    """Whatever a view calls what it shows."""
    alarm(real)
    change = request_withdrawal(
        actor=treasury_bot.service_user, api_key=treasury_bot.key, account=world.account, key="btc-cold", asset="XXBT",
        amount=Decimal("0.5"),
    )  # fmt: skip
    sign_in(client, owner)
    pages = [reverse(route.name) for route in routes() if not route.parameters and route.name not in NO_PAGE]
    pages += [
        reverse("policies:request", args=[change.reference]),
        reverse("treasury:withdrawal", args=[change.withdrawal.reference]),
        reverse("accounts:member", args=[owner.pk]),
        reverse("accounts:service_user", args=["treasury-bot"]),
        reverse("policies:configure", args=["manage_access"]),
        reverse("kraken:account", args=[real.pk]),
    ]
    without = set()
    for page in pages:
        answer = client.get(page)
        is_page = answer.status_code == 200 and 'class="rail"' in answer.content.decode()
        if is_page and SAID not in answer.content.decode():
            without.add(page)
    assert without == set()


@pytest.mark.django_db
def test_the_line_costs_no_statement_and_tells_the_newest(real, world, client, sign_in, ben):
    page = reverse("accounts:profile")
    sign_in(client, ben)
    client.get(page)
    with CaptureQueriesContext(connection) as before:
        client.get(page)
    for number in range(7):
        alarm(real, subject=f"R{number}", said=f"Seen {number}.")
    with CaptureQueriesContext(connection) as after:
        shown = client.get(page).content.decode()
    assert len(after) == len(before)
    assert "Seen 6." in shown
    assert "Seen 5." not in shown
    assert "See all alarms" in shown


@pytest.mark.django_db
def test_the_line_leads_to_the_withdrawal_whose_outcome_is_unknown(real, client, sign_in, ben):
    alarm(real, Alarm.Kind.UNKNOWN_WITHDRAWAL, subject="AGBCDE-FGHIJK-LMNOPQ")
    sign_in(client, ben)
    shown = client.get(reverse("accounts:profile")).content.decode()
    assert reverse("treasury:withdrawal", args=["AGBCDE-FGHIJK-LMNOPQ"]) in shown


@pytest.mark.django_db
def test_the_exchanges_words_are_shown_as_text(real, client, sign_in, ben):
    alarm(real, said="<script>alert(1)</script>")
    sign_in(client, ben)
    for page in (LIST, reverse("policies:inbox")):
        shown = client.get(page).content.decode()
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert" in shown


@pytest.mark.django_db
def test_acknowledging_takes_it_off_the_pages_and_keeps_it_in_the_list(real, client, sign_in, ana):
    found = alarm(real)
    sign_in(client, ana)
    answer = client.post(reverse("kraken:acknowledge", args=[found.pk]), follow=True)
    assert "acknowledged by Ana Ruiz" in " ".join(answer.content.decode().split())
    assert SAID not in client.get(reverse("policies:inbox")).content.decode()
    (event,) = AuditEvent.objects.filter(kind="alarm.acknowledged")
    assert (event.actor_label, event.workflow, event.account_id) == (ana.label, MONEY, real.pk)
    client.post(reverse("kraken:acknowledge", args=[found.pk]))
    assert AuditEvent.objects.filter(kind="alarm.acknowledged").count() == 1


@pytest.mark.django_db
def test_a_look_acknowledges_nothing(real, client, sign_in, ana):
    found = alarm(real)
    sign_in(client, ana)
    assert client.get(reverse("kraken:acknowledge", args=[found.pk])).headers["Location"] == LIST
    found.refresh_from_db()
    assert found.acknowledged_at is None


@pytest.mark.django_db
def test_who_only_views_acknowledges_nothing(real, client, sign_in, audit):
    found = alarm(real)
    with pytest.raises(Refused, match="Approve or Initiate"):
        acknowledge(found.pk, member=audit)
    sign_in(client, audit)
    assert client.post(reverse("kraken:acknowledge", args=[found.pk])).status_code == 403
    assert "button" not in client.get(LIST).content.decode().partition("<main")[2].partition("</main")[0]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [FOREIGN, Alarm.Kind.STOPPED])
def test_manage_access_acknowledges_what_is_about_credentials_alone(kind, real, ben):
    found = alarm(real, kind)
    only(ben, (ACCESS, Right.APPROVE, None))
    if kind == Alarm.Kind.STOPPED:
        assert acknowledge(found.pk, member=ben).acknowledged_by == ben.label
    else:
        with pytest.raises(NotFound):
            acknowledge(found.pk, member=ben)


@pytest.mark.django_db
def test_an_alarm_of_another_organization_is_unknown(real, eve, client, sign_in):
    found = alarm(real)
    sign_in(client, eve)
    assert client.post(reverse("kraken:acknowledge", args=[found.pk])).status_code == 404
    assert SAID not in client.get(LIST).content.decode()


@pytest.mark.django_db
def test_the_list_goes_on_where_a_page_ends(real, client, sign_in, ben):
    for number in range(53):
        alarm(real, subject=f"R{number}", said=f"Seen {number}.")
    sign_in(client, ben)
    first = client.get(LIST)
    assert "Seen 52." in first.content.decode()
    assert "Seen 2." not in first.content.decode()
    second = client.get(LIST, {"after": first.context["page"].next}).content.decode()
    assert "Seen 2." in second
    assert client.get(LIST, {"after": "nonsense"}).status_code == 200


@pytest.mark.django_db
def test_the_history_says_it_in_a_sentence(real, client, sign_in, ben, owner):
    acknowledge(alarm(real).pk, member=ben)
    sign_in(client, owner)
    shown = " ".join(client.get(reverse("dashboard:history"), {"topic": "Alarms"}).content.decode().split())
    assert "acknowledged the alarm:" in shown
    assert "raised an alarm:" in shown


@pytest.mark.django_db
def test_the_rail_leads_to_alarms_only_where_there_is_an_exchange(world, client, sign_in, ben):
    sign_in(client, ben)
    assert f'href="{LIST}"' not in client.get(reverse("accounts:profile")).content.decode()
    real_account(world.organization)
    assert f'href="{LIST}"' in client.get(reverse("accounts:profile")).content.decode()
