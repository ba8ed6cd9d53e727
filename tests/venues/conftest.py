"""An Account of its own, with nothing around it: the ledger knows no members and no policies."""

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account, Organization
from portal.core import secrets
from portal.venues.paper import funding
from portal.venues.types import Destination
from tests import ground

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
    organization = Organization.objects.create(name=f"Holder {secrets.token(8)}", created_at=now)
    return Account.objects.create(organization=organization, name="Main", created_at=now)


def pay_in(account, amount: str, asset: str = "BTC") -> None:
    funding.deposit(account.pk, asset, Decimal(amount), reference=f"in-{secrets.token(12)}")


@pytest.fixture
def empty(db):
    """An Account that never had anything."""
    return open_account()


@pytest.fixture
def funded(empty):
    """An Account with ten bitcoin."""
    pay_in(empty, "10")
    return empty


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
