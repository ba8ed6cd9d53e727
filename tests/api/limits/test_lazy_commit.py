"""What only PostgreSQL can do for a signed call: one statement, which waits for no disk if the call only reads."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.api_keys import lifecycle, statements
from accounts.models import ApiKey
from portal.api import methods, permissions
from portal.core.database.prepared import LAZILY, fetch
from portal.core.database.reading import Question
from tests.api.calls import Wire, next_nonce
from tests.api.changed_bots import change_bot
from tests.api.limits.roads import Roads, Sent

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
RACERS = 24
NOTE = """
CREATE TABLE noted_commits (at bigserial, setting text);
CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO noted_commits (setting) VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
CREATE TRIGGER note_commit AFTER UPDATE ON accounts_apikey FOR EACH ROW EXECUTE FUNCTION note_commit();
"""


@pytest.fixture(autouse=True)
def _on_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one way to commit")


@pytest.fixture
def noted() -> Iterator[None]:
    """Each change of a key's row notes how it will be committed; the server's own setting is `on` here."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute(NOTE)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION note_commit() CASCADE")
        cursor.execute("DROP TABLE noted_commits")
        cursor.execute("RESET synchronous_commit")


def commits() -> list[str]:
    """How the rows were committed since this was asked last."""
    return [setting for (_, setting) in sorted(fetch("DELETE FROM noted_commits RETURNING at, setting", {}))]


def in_force() -> str:
    return str(fetch("SELECT current_setting('synchronous_commit')", {})[0][0])


def test_a_call_that_reads_does_not_wait_for_the_disk_and_no_other_statement_inherits_that(noted, treasury):
    for _ in range(8):
        # Often enough to be prepared on the server.
        treasury.result("Balance")
        assert in_force() == "on"
    assert commits() == ["off"] * 8
    treasury.result("GetApiKeyInfo")
    assert commits() == ["off"]
    ApiKey.objects.filter(pk=treasury.bot.key.pk).update(calls=0)
    assert commits() == ["on"]


def test_a_call_that_moves_anything_waits_for_the_disk(noted, treasury):
    change_bot(treasury, websocket=True)
    commits()
    treasury.result("Balance")
    assert commits() == ["off"]
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "100", "volume": "0.01"}
    treasury.result("AddOrder", **order)
    assert commits() == ["on"]
    treasury.result("GetWebSocketsToken")
    treasury.result("AddExport", report="ledgers", description="all")
    treasury.result("CancelAll")
    treasury.result("DepositAddresses", asset="XBT", method="Bitcoin")
    assert commits() == ["on"] * 4
    treasury.result("Balance")
    assert commits() == ["off"]


def test_a_window_is_kept_as_before(noted, treasury):
    """A key with a window takes its nonce under a lock, in a transaction as every other."""
    treasury.bot.service_user.nonce_window = 1000
    treasury.bot.service_user.save()
    lifecycle.touch(treasury.bot.service_user)
    commits()
    treasury.result("Balance")
    assert commits() == ["on"]


def test_a_setting_turns_it_off(noted, treasury, settings):
    settings.API_LAZY_READS = False
    treasury.result("Balance")
    treasury.result("GetApiKeyInfo")
    assert commits() == ["on", "on"]


def test_within_a_transaction_it_is_never_done(noted, treasury):
    """There it would hold for everything that the transaction does afterwards."""
    with transaction.atomic():
        treasury.result("Balance")
        assert in_force() == "on"
    assert commits() == ["on"]


def test_only_what_reads_is_named_as_reading():
    """What is not on this list waits, so a new method does until somebody has thought about it."""
    writing = permissions.PERMISSIONS.keys() - permissions.READING
    assert writing & methods.PRIVATE.keys() == {
        "AddExport", "AddOrder", "CancelAll", "CancelOrder", "DepositAddresses", "Earn/Allocate", "Earn/Deallocate",
        "ExportStatus", "GetWebSocketsToken", "RemoveExport", "RetrieveExport", "Withdraw", "WithdrawCancel",
    }  # fmt: skip


def test_nothing_is_asked_before_the_row_of_a_key_is_updated():
    """A trigger before it locks the row first, and notes that in the log, whatever its list of columns says."""
    found = fetch(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'accounts_apikey'::regclass AND NOT tgisinternal "
        "AND tgtype & 1 = 1 AND tgtype & 2 = 2 AND tgtype & 16 = 16",
        {},
    )
    assert found == []


def test_a_balance_is_one_statement(treasury):
    roads = Roads()
    roads.send(Sent(treasury))
    with CaptureQueriesContext(connection) as queries:
        roads.send(Sent(treasury))
    (only,) = [query["sql"] for query in queries]
    assert only.lstrip().startswith("UPDATE accounts_apikey SET last_nonce = ")
    assert "FROM paper_balance" in only
    assert only.count("AND set_config('synchronous_commit', 'off', true) = 'off'") == 1


@pytest.mark.parametrize("method", ["Balance", "BalanceEx"])
def test_of_racers_on_the_straight_path_with_one_nonce_one_wins(treasury, method):
    """AP-5: many connections, one nonce, one statement each."""
    treasury.result(method)
    roads, start, nonce = Roads(), Barrier(RACERS), str(next_nonce())

    def one(_: int) -> bytes:
        sent = Sent(treasury, method, nonce)
        start.wait()
        try:
            return roads.send(sent)[2]
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(one, range(RACERS)))
    assert sum(answer.startswith(b'{"error":[],') for answer in answers) == 1
    assert answers.count(b'{"error":["EAPI:Invalid nonce"]}') == RACERS - 1


def test_a_call_that_waits_while_its_key_is_revoked_is_refused(treasury):
    """AP-9: the statement looks at the row as it is when it has it, not as it was when it began."""
    treasury.result("Balance")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lifecycle.revoke(treasury.bot.key, at=treasury.bot.key.created_at)
            waiting = pool.submit(answered_elsewhere, treasury)
            wait_for_the_lock()
        assert waiting.result() == b'{"error":["EAPI:Invalid key"]}'


def answered_elsewhere(wire: Wire) -> bytes:
    try:
        return Roads().send(Sent(wire))[2]
    finally:
        connection.close()


def wait_for_the_lock() -> None:
    for _ in range(200):
        if fetch("SELECT count(*) FROM pg_locks WHERE NOT granted", {}) != [(0,)]:
            return
        time.sleep(0.02)
    raise AssertionError("Nobody waits.")


def test_the_statement_is_made_of_the_one_that_spends():
    """One text to look at: what is added is one line."""
    assert statements.spending(None, True).replace(f"\n  AND {LAZILY}", "") == statements.SPEND
    assert statements.spending(None, False) == statements.SPEND


@pytest.mark.parametrize("name", ["id", "version", "nonce", "maximum"])
def test_what_is_read_along_cannot_say_which_key_it_is(name):
    """A parameter of the same name would spend the nonce of another key, or read what is another's."""
    question = Question("false", f"SELECT asset FROM paper_balance WHERE account_id = %({name})s", "")
    with pytest.raises(ValueError, match=name):
        statements.spending(question, False)
