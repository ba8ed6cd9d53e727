"""What one signed call costs: one statement on PostgreSQL and two on SQLite, and none of the machinery of pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.api_keys import lifecycle
from accounts.models import ServiceUser
from portal.core.database.prepared import fetch
from tests.api.calls import next_nonce

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["Balance", "BalanceEx"])
def test_a_signed_balance_is_one_statement(readonly, method):
    """SQLite takes no UPDATE within another statement: there it is two."""
    readonly.result(method)
    with CaptureQueriesContext(connection) as queries:
        readonly.result(method)
    spend, *balances = [query["sql"] for query in queries]
    assert "UPDATE accounts_apikey SET last_nonce" in spend
    if connection.vendor == "postgresql":
        assert balances == []
        assert "paper_balance" in spend
    else:
        (read,) = balances
        assert "paper_balance" in read


def test_a_call_with_a_nonce_window_still_reads_balances_in_one(readonly):
    ServiceUser.objects.filter(pk=readonly.bot.service_user.pk).update(nonce_window=100)
    lifecycle.touch(readonly.bot.service_user)
    readonly.result("Balance")
    with CaptureQueriesContext(connection) as queries:
        readonly.result("BalanceEx")
    assert sum("paper_balance" in query["sql"] for query in queries) == 1


def test_a_refused_nonce_costs_two_statements_at_most(readonly):
    nonce = next_nonce()
    readonly.ask("Balance", nonce=nonce)
    # The first refusal of a minute is also written into the history.
    readonly.ask("Balance", nonce=nonce)
    with CaptureQueriesContext(connection) as queries:
        readonly.ask("Balance", nonce=nonce)
    assert len(queries) == 2


@pytest.mark.parametrize(
    ("method", "asked", "statements"),
    [
        ("AddOrder", {"ordertype": "limit", "price": "1000.0"}, 7),
        ("AddOrder", {"ordertype": "market"}, 12),
        ("CancelOrder", {"cl_ord_id": "mine"}, 9),
    ],
)
def test_an_order_takes_its_own_statements_and_that_of_the_nonce(trading, settings, method, asked, statements):
    """With limits on, which count in one of them; those that begin and end the transaction are left out."""
    order = {"pair": "XBTUSD", "type": "buy", "volume": "0.001"}
    trading.result("AddOrder", **order, ordertype="market")
    trading.result("AddOrder", **order, ordertype="limit", price="1000.0", cl_ord_id="mine")
    settings.API_LIMITS = True
    with CaptureQueriesContext(connection) as queries:
        trading.result(method, **(order if method == "AddOrder" else {}), **asked)
    made = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(made) == statements, made


def test_none_of_the_machinery_of_pages_runs(readonly, monkeypatch):
    """No session, CSRF, message or template code, nor any view of Django's."""

    def forbidden(*_: object, **__: object):
        raise AssertionError("a bot's call must not come here")

    for name in (
        "django.contrib.sessions.middleware.SessionMiddleware.process_request",
        "django.middleware.csrf.CsrfViewMiddleware.process_request",
        "django.contrib.messages.middleware.MessageMiddleware.process_request",
        "django.template.base.Template.__init__",
        "django.urls.resolvers.URLResolver.resolve",
    ):
        monkeypatch.setattr(name, forbidden)
    readonly.result("Balance")


def test_the_hot_statements_do_the_same_watched_and_unwatched():
    statement = "SELECT %(a)s + 1, '%%' WHERE %(a)s < 10"
    assert fetch(statement, {"a": 1}) == [(2, "%")]
    with CaptureQueriesContext(connection) as queries:
        assert fetch(statement, {"a": 1}) == [(2, "%")]
    assert len(queries) == 1
    assert fetch("UPDATE accounts_apikey SET calls = 0 WHERE id = %(id)s", {"id": -1}) == []
