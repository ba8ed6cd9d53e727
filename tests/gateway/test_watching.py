"""What a person does at the exchange itself, past the portal, is told of: with a real exchange's answers."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from policies.access import grant
from policies.models import Grant
from policies.workflows import Right, Workflow
from portal.treasury import mirrors
from portal.treasury.models import Address
from portal.venues.kraken import inspection
from portal.venues.kraken.models import Alarm, Connection, Credential, Purpose
from portal.venues.kraken.watch_models import Watch
from portal.venues.kraken.watching import rounds
from portal.venues.registry import venue
from tests.gateway.connected import credential, real_account
from tests.gateway.proxy import faults

COLD = {"asset": "XBT", "key": "btc-cold", "amount": "0.01"}
WITHDRAWING = "Credential Withdrawals of Real"
OTHER = "bc1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wlh"


@pytest.fixture
def real(world, customer, proxy, settings):
    """An Account at the exchange, by way of the proxy."""
    settings.EXCHANGES = [f"Test={proxy.url}"]
    account = real_account(world.organization)
    for purpose, kind in ((Purpose.WITHDRAW, "withdraw"), (Purpose.REST, "rest")):
        row = credential(account, purpose, customer.keys[kind])
        inspection.look_again(row.pk)
    return account


def everything_once() -> None:
    """So many rounds that each part was looked at."""
    Watch.objects.update(looked_at=None)
    for _ in range(8):
        rounds.go_round()


def told(kind: Alarm.Kind) -> list[str]:
    return list(Alarm.objects.filter(kind=kind).values_list("said", flat=True))


@pytest.mark.django_db
def test_a_withdrawal_past_the_portal_is_told_of_once(real, customer):
    everything_once()
    assert not Alarm.objects.exists()
    assert not Watch.objects.exclude(trouble="").exists()
    sent = customer.result("everything", "Withdraw", **COLD)["refid"]
    everything_once()
    everything_once()
    (said,) = told(Alarm.Kind.FOREIGN_WITHDRAWAL)
    for part in ("0.00995", "btc-cold", customer.addresses["btc-cold"].address, sent):
        assert part in said, part


@pytest.mark.django_db
def test_what_was_there_before_is_no_news(customer, world, proxy, settings):
    customer.result("everything", "Withdraw", **COLD)
    settings.EXCHANGES = [f"Test={proxy.url}"]
    account = real_account(world.organization)
    Connection.objects.update(connected_at=timezone.now() + timedelta(seconds=2))
    credential(account, Purpose.WITHDRAW, customer.keys["withdraw"])
    credential(account, Purpose.REST, customer.keys["rest"])
    everything_once()
    assert not Alarm.objects.exists()


@pytest.mark.django_db
def test_what_the_ledger_alone_knows_is_told_of(real, customer, proxy, time_machine):
    """The exchange's list of withdrawals is silent about one."""
    proxy.on("WithdrawStatus", faults.changed(lambda result: {"withdrawals": [], "next_cursor": None}))
    sent = customer.result("everything", "Withdraw", **COLD)["refid"]
    everything_once()
    # It might still come into the list.
    assert not Alarm.objects.exists()
    time_machine.move_to(timezone.now() + timedelta(minutes=11))
    everything_once()
    everything_once()
    (said,) = told(Alarm.Kind.LEDGER)
    assert sent in said
    assert Alarm.objects.count() == 1


@pytest.mark.django_db
def test_a_credential_that_is_changed_there_is_told_of_before_and_after(real, customer):
    customer.change("withdraw", ip_allow_list=["127.0.0.1", "198.51.100.9"], days=5)
    everything_once()
    (said,) = told(Alarm.Kind.CREDENTIAL_CHANGED)
    assert "127.0.0.1 → 127.0.0.1, 198.51.100.9" in said
    assert told(Alarm.Kind.CREDENTIAL_EXPIRING)
    row = Credential.objects.get(account=real, purpose=Purpose.WITHDRAW)
    assert row.ip_allowlist == ["127.0.0.1", "198.51.100.9"]


@pytest.mark.django_db
def test_an_address_that_drifts_there_bars_and_coming_back_lifts_it(real, customer):
    cold = customer.addresses["btc-cold"]
    row = Address.objects.create(
        organization=real.organization, account=real, key=cold.key, asset=cold.asset, method=cold.method,
        network="Bitcoin", address=cold.address, added_by="Ana", added_at=timezone.now(),
    )  # fmt: skip
    everything_once()
    assert mirrors.watch() == 0
    assert mirrors.trouble_with(real, row) == ""
    customer.re_point("btc-cold", OTHER)
    everything_once()
    assert mirrors.watch() == 1
    assert OTHER in mirrors.trouble_with(real, row)
    assert OTHER in told(Alarm.Kind.ADDRESS_DRIFT)[0]
    customer.re_point("btc-cold", cold.address)
    everything_once()
    assert mirrors.watch() == 0
    assert mirrors.trouble_with(real, row) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fault",
    [
        faults.cut_before, faults.answer_lost, faults.cut_in_the_middle, faults.gzip_broken,
        faults.page(520, executed=True), faults.page(502, executed=False), faults.truncated_json(executed=True),
        faults.error("EService:Unavailable"), faults.error("EAPI:Rate limit exceeded"), faults.wrong_nonce,
        faults.shape({"error": [], "result": 7}),
    ],
)  # fmt: skip
def test_no_fault_on_the_way_raises_or_loses_anything(fault, real, customer, proxy):
    proxy.on(None, fault)
    customer.result("everything", "Withdraw", **COLD)
    everything_once()
    assert not Alarm.objects.exists()
    proxy.all_is_well()
    everything_once()
    assert len(told(Alarm.Kind.FOREIGN_WITHDRAWAL)) == 1
    assert Alarm.objects.count() == 1


@pytest.mark.django_db
def test_a_lockout_stops_the_watcher_at_once(real, proxy):
    proxy.on(None, faults.lockout)
    everything_once()
    asked = len(proxy.requests())
    everything_once()
    everything_once()
    assert len(proxy.requests()) == asked
    assert len(told(Alarm.Kind.STOPPED)) == 2


@pytest.mark.django_db
def test_the_listing_is_what_the_exchange_lists(real, customer):
    said = venue("kraken").read_listed_addresses(real.pk)
    assert said is not None
    assert {(row.key, row.address) for row in said.rows} == {
        (each.key, each.address) for each in customer.addresses.values()
    }


@pytest.mark.django_db
def test_people_read_what_was_looked_at_and_what_could_not_be(real, proxy, client, sign_in, ben, world, time_machine):
    """A watcher that sees nothing raises nothing: that has to be seen."""
    page = reverse("kraken:alarms")
    sign_in(client, ben)
    assert "waits for the next round" in client.get(page).content.decode()
    everything_once()
    assert "Not seen" not in client.get(page).content.decode()
    proxy.on("WithdrawAddresses", faults.error("EService:Unavailable"))
    everything_once()
    shown = {one.what: one.trouble for one in client.get(page).context["standing"]}
    assert "EService:Unavailable" in shown["Addresses"]
    assert shown["Withdrawals"] == ""
    assert len(shown) == 5
    Credential.objects.filter(account=real, purpose=Purpose.WITHDRAW).update(stopped_at=timezone.now())
    assert "stopped" in {one.what: one.trouble for one in client.get(page).context["standing"]}[WITHDRAWING]
    time_machine.move_to(timezone.now() + timedelta(minutes=20))
    sign_in(client, ben)
    assert "worker runs" in {one.what: one.trouble for one in client.get(page).context["standing"]}["Withdrawals"]


@pytest.mark.django_db
def test_who_may_not_view_the_withdrawals_reads_nothing_of_it(real, client, sign_in, eve, cleo):
    everything_once()
    Grant.objects.filter(member=cleo).delete()
    grant(cleo, Workflow.MANAGE_ACCESS, Right.VIEW)
    for reader in (cleo, eve):
        other = client.__class__()
        sign_in(other, reader)
        assert other.get(reverse("kraken:alarms")).context["standing"] == []
