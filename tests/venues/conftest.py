"""An Account of its own, with nothing around it: the ledger knows no members and no policies."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account, Organization
from portal.core.secrets import sealing
from portal.venues.paper import clock as catching_up
from portal.venues.paper import funding
from portal.venues.types import Destination
from tests import ground

START = datetime(2026, 11, 2, 12, tzinfo=UTC)
RECEIVER = Destination(
    key="btc-cold", address="bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", method="Bitcoin", network="Bitcoin"
)


@pytest.fixture(autouse=True)
def _empty_ground(request):
    """These tests count everything there is, so nothing else may be there."""
    marker = request.node.get_closest_marker("django_db")
    if marker or "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        is_transactional = "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction"))
        request.getfixturevalue("transactional_db" if is_transactional else "db")
        ground.clear()


def open_account():
    now = timezone.now()
    organization = Organization.objects.create(name=f"Holder {sealing.token(8)}", created_at=now)
    return Account.objects.create(organization=organization, name="Main", created_at=now)


def pay_in(account, amount: str, asset: str = "BTC") -> None:
    funding.deposit(account.pk, asset, Decimal(amount), reference=f"in-{sealing.token(12)}")


@pytest.fixture
def empty(db):
    """An Account that never had anything."""
    return open_account()


@pytest.fixture
def funded(empty):
    """An Account with ten bitcoin."""
    pay_in(empty, "10")
    return empty


@pytest.fixture
def prices(db, tmp_path, settings):
    """Set the prices: `prices((0, "XBT/USD", "60000"), ...)` with seconds from START on."""

    def given(*rows):
        lines = [f"{int(START.timestamp()) + seconds},{pair},{price}" for seconds, pair, price in rows]
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
        file.write_text("\n".join(["time,pair,price", *lines]))
        settings.PAPER_PRICES = f"csv:{file}"
        # They count from when they are first seen.
        catching_up.settle_due(1000)

    return given


@pytest.fixture
def clock(time_machine):
    """The time stands at START; `clock(seconds)` moves it there, counted from START."""

    def at(seconds):
        time_machine.move_to(START + timedelta(seconds=seconds), tick=False)

    at(0)
    return at


def together(*calls: Callable[[], object]) -> list[object]:
    """Run the calls at the same moment, each on its own connection; what each returned or raised."""
    results: list[object] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            results[place] = call()
        except Exception as error:  # noqa: BLE001  (what it raised is what the test looks at)
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, call)) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
