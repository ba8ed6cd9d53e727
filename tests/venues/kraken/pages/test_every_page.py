"""An Account at a real exchange takes no page away: whether it was ever read, and whether it still is."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from portal.venues.kraken.models import Connection, Credential
from portal.venues.kraken.reading import catalogue
from tests.dashboard.every_route import PAGES, READERS
from tests.factories import full_house, full_inbox

# Those that ask a venue, or show what a request asks of one.
AREAS = ("dashboard:", "treasury:", "policies:request", "policies:inbox", "accounts:account")


@pytest.mark.slow
def test_every_page_is_there_whatever_the_exchange_does(says, real, world, sign_in, settings):
    """Before it ever answered, while it does, and when the Account is not connected any more."""
    settings.DEBUG = True
    house = full_house.furnish(world)
    # That of the house is on the list as well, and answers alike.
    settings.EXCHANGES = [*settings.EXCHANGES, f"Kraken={says.exchange.url}"]
    full_inbox.fill(house)
    readers = {name: Client() for name in ("owner", "ben")}
    for name, client in readers.items():
        sign_in(client, world.members[name])
    urls = {url: name for name, page in PAGES.items() if name.startswith(AREAS) for url in page(house)}
    assert len(urls) > 50

    def missing() -> dict[str, int]:
        answers = {url: readers[READERS.get(name, "owner")].get(url).status_code for url, name in urls.items()}
        return {url: status for url, status in answers.items() if status != 200}

    known = dict(says.bodies)
    for method in known:
        says.body(method, b"")
    assert missing() == {}
    for method, body in known.items():
        says.body(method, body)
    assert catalogue.refresh_all("Test")
    assert missing() == {}
    now = timezone.now()
    for account in Account.objects.filter(venue="kraken"):
        Credential.objects.filter(account=account).update(removed_at=now, sealed_secret="")
        Connection.objects.filter(account=account).update(disconnected_at=now)
    assert missing() == {}
