"""Exports through the gateway: of the bot that asked, and within what its key may see (DESIGN K4)."""

import csv
import io
import zipfile
from collections.abc import Iterator
from decimal import Decimal

import pytest

from portal.venues.kraken.models import BotExport
from tests.api.calls import Wire
from tests.api.changed_bots import change_bot
from tests.gateway.relay.conftest import raw
from tests.gateway.relay.past import INVALID, Past, instant, lived, within
from tests.running import soon


@pytest.fixture
def past(customer, real) -> Past:
    return lived(customer)


def export(bot: Wire, report: str = "trades", **fields: object) -> str:
    code = bot.result("AddExport", report=report, description="all of it", **fields)["id"]
    rows = soon(lambda: bot.result("ExportStatus", report=report), lambda rows: rows[0]["status"] == "Processed")
    assert [row["id"] for row in rows][:1] == [code]
    return str(code)


def table(content: bytes) -> Iterator[dict[str, str]]:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        (name,) = file.namelist()
        yield from csv.DictReader(io.StringIO(file.read(name).decode()))


def test_exports_hold_what_lies_in_the_window(past, bots):
    bot, first, before = past.windowed(bots)
    code = export(bot)
    assert {row["txid"] for row in table(raw(bot, "RetrieveExport", id=code))} == within(
        past.trades, first, before, "time"
    )
    kept = BotExport.objects.get(code=code)
    assert (kept.since, kept.before, kept.is_narrowed) == (instant(first), instant(before), True)
    assert bot.result("RemoveExport", id=code, type="delete") == {"delete": True}
    assert (bot.result("ExportStatus", report="trades"), BotExport.objects.count()) == ([], 0)


def test_an_export_is_of_the_bot_that_asked_and_goes_out_to_the_byte(past, bots, proxy):
    bot, other = bots("one-bot"), bots("other-bot")
    code = export(bot)
    assert {row["txid"] for row in table(raw(bot, "RetrieveExport", id=code))} == past.trades.keys()
    assert raw(bot, "RetrieveExport", id=code) == proxy.requests("RetrieveExport")[-1].answer.body
    assert other.result("ExportStatus", report="trades") == []
    sent = len(proxy.requests("RetrieveExport"))
    for method, more in (("RetrieveExport", {}), ("RemoveExport", {"type": "delete"})):
        assert other.error(method, id=code, **more) == INVALID
        assert other.error(method, id="ABCD", **more) == INVALID
    assert (len(proxy.requests("RetrieveExport")), len(proxy.requests("RemoveExport"))) == (sent, 0)


def test_an_export_that_holds_more_than_the_key_may_see_by_now_is_not_there(past, bots):
    bot = bots("wide-bot")
    code = export(bot)
    change_bot(bot, query_start=instant(min(Decimal(str(row["time"])) for row in past.trades.values())))
    assert bot.result("ExportStatus", report="trades") == []
    assert bot.error("RetrieveExport", id=code) == INVALID
