"""The page of an Account says who uses how much of what the exchange takes of it."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from portal.venues.kraken import shares
from portal.venues.kraken.connection.asking import ask_to_connect
from portal.venues.kraken.models import Connection, Share
from tests.factories.world import READING, make_bot

pytestmark = pytest.mark.django_db


@pytest.fixture
def real(owner, new_connection) -> Connection:
    ask_to_connect(owner, new_connection())
    found = Connection.objects.select_related("account").get(account__name="Real")
    Share.objects.all().delete()
    return found


def test_the_page_shows_who_called_how_often(client, owner, sign_in, real, settings):
    settings.API_LIMITS = True
    account = real.account
    sign_in(client, owner)
    page = f"/accounts/{account.pk}/"
    assert "Nobody has called the exchange today" in client.get(page).content.decode()
    bot = make_bot(owner, account, "keen-bot", READING).service_user
    for _ in range(12):
        shares.take(account.pk, bot.pk, "Balance")
    shares.take(account.pk, shares.PORTAL, "Balance")
    with CaptureQueriesContext(database) as one:
        text = " ".join(client.get(page).content.decode().split())
    assert 'keen-bot</a> </th> <td class="num">10</td> <td class="num">2</td>' in text
    assert 'The portal itself </th> <td class="num">1</td> <td class="num">0</td>' in text
    for number in range(10):
        another = make_bot(owner, account, f"bot-{number}", READING).service_user
        shares.take(account.pk, another.pk, "Balance")
    with CaptureQueriesContext(database) as many:
        client.get(page)
    assert len(many) == len(one)
