"""Exports over the wire: asked for, written a moment later, fetched as a zip, removed, forgotten."""

import csv
import io
import threading
import tracemalloc
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser
from portal.audit.models import AuditEvent
from portal.jobs.periodic import all_tasks
from portal.venues.paper import tasks
from portal.venues.paper.exports import writing
from portal.venues.paper.exports.models import Export, Piece
from portal.venues.paper.ledger.models import Entry, EntryKind, Posting
from portal.venues.paper.venue import PaperVenue
from tests.api.calls import Wire, next_nonce
from tests.factories.world import make_bot

pytestmark = pytest.mark.django_db


def window(wire: Wire, start: datetime | None, end: datetime | None) -> None:
    ServiceUser.objects.filter(pk=wire.bot.service_user.pk).update(query_start=start, query_end=end)
    lifecycle.touch(wire.bot.service_user)


def fetch(wire: Wire, export_id: str):
    nonce = str(next_nonce())
    return wire.send("RetrieveExport", f"nonce={nonce}&id={export_id}".encode(), nonce=nonce)


def table(wire: Wire, export_id: str, delimiter: str = ",") -> tuple[str, list[dict[str, str]]]:
    """The name of the file in the zip, and its rows."""
    response = fetch(wire, export_id)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode()
    return name, list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def made(wire: Wire, **fields: object) -> str:
    """Ask for an export and let its moment pass."""
    export_id = str(wire.result("AddExport", **{"report": "ledgers", **fields})["id"])
    Export.objects.filter(code=export_id).update(created_at=timezone.now() - timedelta(seconds=2))
    return export_id


def test_a_ledger_export_is_a_zip_with_every_entry(trading):
    export_id = made(trading, description="all of it")
    (status,) = trading.result("ExportStatus", report="ledgers")
    assert list(status) == [
        "id", "descr", "format", "report", "subtype", "status", "flags", "fields", "createdtm", "expiretm", "starttm",
        "completedtm", "datastarttm", "dataendtm", "aclass", "asset",
    ]  # fmt: skip
    assert all(isinstance(value, str) for value in status.values())
    assert (status["id"], status["status"], status["descr"]) == (export_id, "Processed", "all of it")
    response = fetch(trading, export_id)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == f'attachment; filename="export_{export_id}.zip"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    name, rows = table(trading, export_id)
    assert name == "ledgers.csv"
    ledger = trading.result("Ledgers")["ledger"]
    assert [row["txid"] for row in reversed(rows)] == list(ledger)
    row = rows[0]
    entry = ledger[row["txid"]]
    assert (row["amount"], row["fee"], row["balance"]) == (entry["amount"], entry["fee"], entry["balance"])
    assert (row["type"], row["refid"], row["asset"]) == (entry["type"], entry["refid"], entry["asset"])


def test_a_trade_export_with_some_columns_and_tabs(trading):
    for _ in range(2):
        trading.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.001")
    name, rows = table(trading, made(trading, report="trades", format="TSV", fields="txid,price,ledgers"), "\t")
    assert name == "trades.tsv"
    history = trading.result("TradesHistory", ledgers="true")["trades"]
    assert [row["txid"] for row in reversed(rows)] == list(history)
    assert list(rows[0]) == ["txid", "price", "ledgers"]
    assert rows[0]["ledgers"].split(",") == history[rows[0]["txid"]]["ledgers"]
    assert rows[0]["price"] == history[rows[0]["txid"]]["price"]


def test_it_waits_a_moment_in_which_it_can_be_cancelled(trading):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        export_id = trading.result("AddExport", report="ledgers")["id"]
        assert trading.result("ExportStatus", report="ledgers")[0]["status"] == "Queued"
        assert trading.read(fetch(trading, export_id))["error"] == ["EService:Busy"]
        assert trading.error("RemoveExport", id=export_id, type="delete") == "EGeneral:Invalid arguments"
        assert trading.result("RemoveExport", id=export_id, type="cancel") == {"cancel": True}
        export_id = trading.result("AddExport", report="ledgers")["id"]
        clock.shift(2)
        assert trading.result("ExportStatus", report="trades") == []
        assert trading.result("ExportStatus", report="ledgers")[0]["status"] == "Processed"
        assert trading.error("RemoveExport", id=export_id, type="cancel") == "EGeneral:Invalid arguments"
        assert trading.result("RemoveExport", id=export_id, type="delete") == {"delete": True}
        assert trading.read(fetch(trading, export_id))["error"] == ["EGeneral:Invalid arguments"]
    assert not Piece.objects.exists()


def test_it_is_made_and_forgotten_in_the_background_too(trading, settings):
    """What `manage.py work` does, with nobody asking."""
    assert {"settle", "forget_exports"} <= {task.run.__name__ for task in all_tasks()}
    made(trading)
    tasks.settle()
    assert Export.objects.get().status == "Processed"
    assert PaperVenue().settle_due(100) == 0
    with time_machine.travel(timezone.now() + settings.EXPORTS_KEPT):
        tasks.forget_exports()
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [{}, {"report": "orders"}, {"report": "trades", "format": "PDF"}, {"report": "trades", "fields": "txid,secret"},
     {"report": "ledgers", "starttm": "x"}, {"report": "ledgers", "description": "x" * 256}],
)  # fmt: skip
def test_bad_requests_make_nothing(trading, fields):
    assert trading.error("AddExport", **fields) == "EGeneral:Invalid arguments"
    assert not Export.objects.exists()


def test_a_bot_keeps_a_number_of_them_for_a_while(trading, settings):
    settings.EXPORTS_AT_ONCE = 2
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        ids = [made(trading) for _ in range(2)]
        assert trading.error("AddExport", report="ledgers") == "EService:Busy"
        trading.result("ExportStatus", report="ledgers")
        clock.move_to(start + settings.EXPORTS_KEPT)
        assert trading.result("ExportStatus", report="ledgers") == []
        assert trading.read(fetch(trading, ids[0]))["error"] == ["EGeneral:Invalid arguments"]
        trading.result("AddExport", report="ledgers")
    assert Export.objects.count() == 1
    assert not Piece.objects.exists()


def test_the_times_asked_for_bound_what_is_in_it(trading):
    rows = list(reversed(trading.result("Ledgers")["ledger"].values()))
    first, last = rows[0]["time"], rows[-1]["time"]
    assert len(table(trading, made(trading, starttm=f"{first:.6f}", endtm=f"{last:.6f}"))[1]) == len(rows)
    assert table(trading, made(trading, endtm=f"{first - 1:.6f}"))[1] == []
    assert table(trading, made(trading, starttm=f"{last + 1:.6f}"))[1] == []


@pytest.mark.parametrize("end", ["253402300799.999999", "253402300799", "4102444800"])
def test_an_end_to_come_is_now(trading, end):
    """No instant that a bot may write ends in an internal error: the last one of all did."""
    assert trading.ask("AddExport", report="ledgers", endtm=end)["error"] == []
    row = trading.result("ExportStatus", report="ledgers")[0]
    assert int(row["dataendtm"]) <= timezone.now().timestamp()


def test_the_window_of_the_key_bounds_it_also_when_it_narrows_later(trading):
    """DESIGN K4: queries see nothing outside; what was exported before a window narrowed is not handed out."""
    start = timezone.now()
    everything = made(trading)
    window(trading, start, None)
    assert table(trading, made(trading))[1] == []
    trading.result("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.001")
    within = made(trading)
    assert len(table(trading, within)[1]) == 2
    assert everything not in [row["id"] for row in trading.result("ExportStatus", report="ledgers")]
    assert trading.read(fetch(trading, everything))["error"] == ["EGeneral:Invalid arguments"]
    assert trading.error("RemoveExport", id=everything, type="delete") == "EGeneral:Invalid arguments"
    window(trading, start, start + timedelta(microseconds=1))
    assert trading.read(fetch(trading, within))["error"] == ["EGeneral:Invalid arguments"]
    window(trading, None, start)
    assert len(table(trading, made(trading))[1]) == 6


def test_another_bot_has_none_of_it(trading, treasury, world):
    """AZ-2: each Service User has its own, in the same Account too."""
    export_id = made(trading)
    for other in (treasury, Wire(world.bot("eve-bot"))):
        assert other.result("ExportStatus", report="ledgers") == []
        assert other.read(fetch(other, export_id))["error"] == ["EGeneral:Invalid arguments"]
        assert other.error("RemoveExport", id=export_id, type="delete") == "EGeneral:Invalid arguments"


def test_it_is_written_down(trading):
    """AU-2: exports are recorded."""
    made(trading)
    event = AuditEvent.objects.get(kind="data.exported")
    assert (event.actor_label, event.workflow) == ("trading-bot", "initiate_withdrawal")
    assert event.data["report"] == "ledgers"


def test_a_process_that_ended_meanwhile_is_followed_by_another(trading):
    export_id = made(trading)
    Export.objects.update(status="Processing", started_at=timezone.now() - timedelta(minutes=4))
    assert trading.result("ExportStatus", report="ledgers")[0]["status"] == "Processing"
    Export.objects.update(started_at=timezone.now() - timedelta(minutes=6))
    assert trading.result("ExportStatus", report="ledgers")[0]["status"] == "Processed"
    assert table(trading, export_id)[1]


@pytest.mark.slow
def test_ten_times_the_rows_need_no_more_memory(world, owner, monkeypatch):
    """Rows are read in pages and written to a file: what is held at once does not grow with them."""
    monkeypatch.setattr(writing, "ROWS_AT_ONCE", 50)
    monkeypatch.setattr(writing, "IN_MEMORY", 2_500)
    wire = Wire(make_bot(owner, world.account, "export-bot", ("export-data",)))
    peaks, export_id = [], ""
    for number, rows in enumerate((250, 2_250)):
        fill(world.account.pk, rows, number)
        export_id = made(wire)
        tracemalloc.start()
        try:
            assert writing.make_due() == 1
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
    assert len(table(wire, export_id)[1]) == 2_506


def fill(account_id: int, rows: int, batch: int) -> None:
    """An Entry that is never sealed, since its legs do not sum to zero; here they need only be many."""
    at = datetime(2020, 1, 1 + batch, tzinfo=UTC)
    entry = Entry.objects.create(kind=EntryKind.DEPOSIT, reference=f"many-{batch}", at=at)
    Posting.objects.bulk_create(
        Posting(
            entry=entry,
            book="account",
            account_id=account_id,
            asset="XXBT",
            units=1,
            at=at,
            ledger_id=f"LMANY{batch}-{number}",
            balance_units=number,
        )
        for number in range(rows)
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_processes_one_writes_it(world):
    """Race: two connections take the same export up; it is written once."""
    wire = Wire(world.bot("trading-bot"))
    made(wire)
    done: list[int] = []
    barrier = threading.Barrier(2)

    def make() -> None:
        try:
            barrier.wait(10)
            done.append(writing.make_due())
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == [0, 1]
    assert Piece.objects.count() == 1
