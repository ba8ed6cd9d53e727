"""What an exchange may say that no exchange should: refused or read as far as it can be, and nothing breaks by it."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import ServiceUser
from portal.core.errors import DomainError, Refused, Unavailable
from portal.venues.kraken import calling
from portal.venues.kraken.credentials import finding
from portal.venues.kraken.holds import holds
from portal.venues.kraken.models import BotExport, Step
from portal.venues.kraken.relay import values
from portal.venues.kraken.upstream import envelope
from portal.venues.kraken.venue import KrakenVenue
from portal.venues.kraken.withdrawals import methods, quotes, tending
from portal.venues.relaying import RelayedCall
from portal.venues.types import Asset, Destination, WithdrawalMethod, WithdrawalQuery
from tests.venues.kraken.conftest import answering
from tests.venues.kraken.withdrawals.rows import accepted, lost, row_of

pytestmark = pytest.mark.django_db
XBT = Asset("XXBT", "XBT", "BTC", 8, 8)
TO = Destination("btc-cold", "bc1qcold", "Bitcoin", "Bitcoin", "")
NUMBERS = ["1e999999", "9.9e999999", "1e-999999", "NaN", "-NaN", "sNaN", "Infinity", "-1", "9" * 5000]


def listing(**given):
    """A list of withdrawals, written as JSON text so that numbers can be of any spelling."""
    row = {"refid": '"R-1"', "asset": '"XXBT"', "key": '"btc-cold"', "amount": '"1.24995"', "fee": '"0.00005"'}
    row |= {"time": str(int(timezone.now().timestamp())), "status": '"Success"', "info": '"bc1qcold"', **given}
    body = ",".join(f'"{name}":{value}' for name, value in row.items())
    return answering(b'{"error":[],"result":[{%s}]}' % body.encode())


@pytest.mark.parametrize("said", NUMBERS)
@pytest.mark.parametrize("name", ["fee", "amount", "time"])
def test_a_number_out_of_all_range_in_the_list_of_withdrawals_breaks_nothing(connected, exchange, name, said):
    """What goes there is asked after again, and what is lost is still looked for."""
    row, sought = accepted(connected), lost(connected, reference="W-2", key="other")
    exchange.says = listing(**{name: f'"{said}"'})
    tending.tend_account(connected.pk)
    row.refresh_from_db()
    sought.refresh_from_db()
    assert row.step == Step.ACCEPTED
    assert row.fee_units == 5_000
    assert sought.looks == 1
    assert KrakenVenue().withdrawals(connected.pk, WithdrawalQuery()) is not None


@pytest.mark.parametrize("name", ["refid", "status", "txid", "info", "memo"])
def test_a_zero_character_in_the_list_of_withdrawals_breaks_nothing(connected, exchange, name):
    """PostgreSQL keeps none, neither in text nor in JSON."""
    row = lost(connected)
    exchange.says = listing(**{name: r'"a\u0000b"'})
    tending.tend_account(connected.pk)
    row.refresh_from_db()
    assert row.step == Step.ACCEPTED
    tending.tend_account(connected.pk)


def test_a_zero_character_in_an_error_breaks_nothing(connected, exchange):
    row = lost(connected)
    exchange.says = answering(rb'{"error":["EGeneral:\u0000"]}')
    tending.tend_account(connected.pk)
    row.refresh_from_db()
    assert row.step == Step.LOST
    assert row.looked_for.get().trouble.startswith("EGeneral:")


@pytest.mark.parametrize("said", NUMBERS)
@pytest.mark.parametrize("name", ["fee", "limit"])
def test_a_quote_out_of_all_range_is_none(connected, exchange, name, said):
    exchange.says = answering(
        b'{"error":[],"result":{"fee":"0.0001","limit":"1","%s":"%s"}}' % (name.encode(), said.encode())
    )
    method = WithdrawalMethod(XBT, "Bitcoin", "Bitcoin", Decimal(0), Decimal(0))
    try:
        method, limit = quotes.quote(connected.pk, method, TO, 125_000_000)
    except Unavailable:
        return
    assert 0 <= quotes.units(method.fee, 8) < 10**40
    assert 0 <= quotes.units(limit, 8) < 10**40


@pytest.mark.parametrize("said", NUMBERS)
@pytest.mark.parametrize("name", ["fee", "minimum"])
def test_a_way_out_with_a_fee_out_of_all_range_is_none(name, said):
    row = {"asset": "XXBT", "method": "Bitcoin", "fee": "0", "minimum": "0", name: said}
    for method in methods.parsed([row], lambda _: XBT):
        assert 0 <= quotes.units(method.fee, 8) < 10**40
        assert 0 <= method.minimum < 10**40


@pytest.mark.parametrize(
    "balance", ["1.000000000000000000000000000001", "-5", "NaN", "sNaN", "Infinity", "1e40", "1e999999", "1e-999999"]
)
@pytest.mark.parametrize("method", ["Balance", "BalanceEx"])
def test_a_balance_of_any_spelling_is_netted_or_said_not_to_be_readable(connected, exchange, method, balance):
    row_of(connected, step=Step.HELD)
    assert holds(connected.pk)
    said = f'"{balance}"' if method == "Balance" else f'{{"balance":"{balance}"}}'
    exchange.says = answering(b'{"error":[],"result":{"XXBT":%s}}' % said.encode())
    call = RelayedCall(connected.pk, 7, method, {}, frozenset({"query-funds"}))
    try:
        body = KrakenVenue().relay(call).body
    except Unavailable:
        return
    assert len(body) < 200
    if balance.startswith("1.0"):
        assert b'"0' in body


@pytest.mark.parametrize("close", ["x", ["price"], {"price": "1"}])
def test_two_spellings_of_one_parameter_are_refused(connected, exchange, close):
    """`close[price]` beside `close`: one of them would win, and nobody looked at which."""
    fields = {"pair": "XBTUSD", "close": close, "close[price]": "2", "oflags": ["post"]}
    with pytest.raises(DomainError):
        KrakenVenue().relay(RelayedCall(connected.pk, 7, "AddOrder", fields, frozenset({"modify-trades"})))
    assert exchange.asked == []


def test_a_page_of_a_network_in_between_is_no_file(connected, exchange):
    exchange.says = answering(b"<html>502 Bad Gateway</html>", status=502, media_type="text/html")
    with pytest.raises(Unavailable):
        calling.ask(finding.for_rest(connected.pk), "RetrieveExport", {"id": "X"})


def test_a_zero_character_is_replaced_wherever_it_is_read():
    answer = envelope.read(rb'{"error":[],"result":{"a\u0000":"b\u0000"}}', "application/json")
    assert "\0" not in str(answer.decoded())


@pytest.mark.parametrize("given", [{"method": "M" * 41}, {"network": "N" * 41}, {"method": "M" * 41, "network": "N"}])
def test_a_way_out_with_a_name_that_no_row_could_hold_is_none(given):
    row = {"asset": "XBT", "method": "Bitcoin", "network": "Bitcoin", "minimum": "0.0001"}
    assert [method.name for method in methods.parsed([row | given, row], lambda _: XBT)] == ["Bitcoin"]


@pytest.mark.parametrize("name", ["new[0]", "new[x]", "new.", "start[a]", "nonce[a]", "orders[a]"])
def test_a_part_of_what_is_read_here_is_not_passed_on_unread(connected, exchange, name):
    """Some programs read `new[x]=1` as `new`."""
    call = RelayedCall(connected.pk, 7, "DepositAddresses", {"asset": "XBT", name: "true"}, frozenset({"query-funds"}))
    with pytest.raises(DomainError):
        KrakenVenue().relay(call)
    assert exchange.asked == []


@pytest.mark.parametrize("said", ["yes", "on", "TRUE", "2", True, ["true"], {"x": "1"}, "t"])
def test_whatever_may_mean_a_new_address_needs_the_permission_for_one(connected, exchange, said):
    call = RelayedCall(connected.pk, 7, "DepositAddresses", {"asset": "XBT", "new": said}, frozenset({"query-funds"}))
    with pytest.raises(Refused):
        KrakenVenue().relay(call)
    assert exchange.asked == []


@pytest.mark.parametrize("said", ["", "false", "False", "0", False, "None"])
def test_to_ask_for_the_addresses_that_there_are_needs_no_more(connected, exchange, said):
    exchange.says = answering(b'{"error":[],"result":[]}')
    call = RelayedCall(connected.pk, 7, "DepositAddresses", {"asset": "XBT", "new": said}, frozenset({"query-funds"}))
    assert KrakenVenue().relay(call).body == b'{"error":[],"result":[]}'


@pytest.mark.parametrize("name", ["starttm", "endtm"])
@pytest.mark.parametrize("said", ["999999999999", "253402300799", "253402300799.9", "0", "soon"])
def test_an_export_of_any_time_is_its_bot_s(connected, exchange, name, said):
    user = treasurer(connected)
    exchange.says = answering(b'{"error":[],"result":{"id":"EXPO"}}')
    fields = {"report": "trades", "description": "all", name: said}
    assert b"EXPO" in KrakenVenue().relay(RelayedCall(connected.pk, user, "AddExport", fields, frozenset())).body
    assert BotExport.objects.get().service_user_id == user


@pytest.mark.parametrize("said", ["1e999999", "-1e999999", "1e-999999"])
def test_a_number_that_nobody_reckons_with_is_none(said):
    assert values.number(said) is None
    assert values.number(Decimal(said)) is None


def treasurer(account):
    return ServiceUser.objects.create(
        organization=account.organization,
        account=account,
        name="treasurer",
        created_at=timezone.now(),
        changed_at=timezone.now(),
    ).pk


@pytest.mark.parametrize("method", ["Ledgers", "ExportStatus", "Balance", "QueryOrders"])
def test_a_result_beside_an_error_tells_nothing_that_the_call_may_not_see(connected, exchange, method):
    """The exchange writes both now and then (reference); nobody has looked at that result."""
    row_of(connected, step=Step.HELD)
    exchange.says = answering(b'{"error":["EGeneral:Something"],"result":{"SECRET":{"time":1}},"more":1}')
    fields = {"report": "trades"} if method == "ExportStatus" else {}
    since = timezone.now() if method == "Ledgers" else None
    call = RelayedCall(connected.pk, 7, method, fields, frozenset({"query-open-trades"}), seen_from=since)
    answer = KrakenVenue().relay(call)
    assert answer.errors == ("EGeneral:Something",)
    assert answer.body == b'{"error":["EGeneral:Something"],"more":1}'


def test_a_result_beside_an_error_stays_where_nothing_is_hidden(connected, exchange):
    body = b'{"error":["EGeneral:Something"],"result":{"a":1}}'
    exchange.says = answering(body)
    every = frozenset({"query-open-trades", "query-closed-trades"})
    assert KrakenVenue().relay(RelayedCall(connected.pk, 7, "Ledgers", {}, every)).body == body
