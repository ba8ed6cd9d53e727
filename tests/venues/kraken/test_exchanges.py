"""The operator's list of exchanges: what cannot be meant is said before anything starts (security IN-5)."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.venues.kraken import exchanges


@pytest.mark.parametrize(
    "text",
    [
        "Kraken",
        "=https://api.example.test",
        "Kraken=http://api.example.test",
        "Kraken=ftp://api.example.test",
        "Kraken=https://",
        "Kraken=https://somebody@api.example.test",
        "Kraken=https://@api.example.test",
        "Kraken=https://:secret@api.example.test",
        "Kraken=https://[::1",
        "Kraken=https://api.example.test\\@elsewhere.test",
        "Kraken=https://api.example.test\\elsewhere",
        "Kraken=https://api example.test",
        "Kraken=https://api.example.test\x00",
        "Kraken=https://api.example.test/0/private",
        "Kraken=https://api.example.test?x=1",
        "Kraken=https://api.example.test:port",
        "Kraken=https://api.example.test:0",
        "Kraken=api.example.test",
        "K" * 41 + "=https://api.example.test",
    ],
)
def test_an_address_that_cannot_be_meant_stops_the_start(settings, text):
    """IN-5: only hosts of this list are ever called, and only so that nobody in between reads along."""
    settings.EXCHANGES = [text]
    with pytest.raises(ImproperlyConfigured, match="PORTAL_EXCHANGES"):
        exchanges.exchanges()
    (error,) = exchanges.check_exchanges(None)
    assert error.id == "kraken.E001"


def test_two_of_one_name_are_refused(settings):
    settings.EXCHANGES = ["Kraken=https://one.example.test", "kraken=https://two.example.test"]
    with pytest.raises(ImproperlyConfigured, match="alike"):
        exchanges.exchanges()


def test_the_list_is_read_in_its_order(settings):
    settings.EXCHANGES = [
        "Kraken=https://api.example.test/",
        " Here = http://127.0.0.1:81",
        "Six=http://[::1]:81",
        "",
    ]
    assert [(each.name, each.url) for each in exchanges.exchanges()] == [
        ("Kraken", "https://api.example.test"),
        ("Here", "http://127.0.0.1:81"),
        ("Six", "http://[::1]:81"),
    ]
    assert exchanges.check_exchanges(None) == []
    assert exchanges.exchange("Here") is not None
    assert exchanges.exchange("Elsewhere") is None


def test_whose_prices_are_told_is_one_of_the_list(settings):
    settings.EXCHANGES = ["Kraken=https://api.example.test"]
    assert exchanges.public() is None
    settings.PUBLIC_EXCHANGE = "Kraken"
    found = exchanges.public()
    assert found is not None
    assert found.url == "https://api.example.test"
    settings.PUBLIC_EXCHANGE = "Other"
    (error,) = exchanges.check_exchanges(None)
    assert "PORTAL_PUBLIC_EXCHANGE" in error.msg
