"""Keyset paging."""

import json
from base64 import urlsafe_b64encode

import pytest
from django.utils import timezone

from accounts.models import Organization
from portal.core.paging import keyset

pytestmark = pytest.mark.django_db


@pytest.fixture
def organizations():
    now = timezone.now()
    for name, currency in (("a", "USD"), ("b", "EUR"), ("c", "USD"), ("d", "EUR"), ("e", "USD")):
        Organization.objects.create(name=name, currency=currency, created_at=now)
    return Organization.objects.filter(name__in="abcde")


def walk(queryset, **options):
    names, after = [], None
    while True:
        page = keyset(queryset, after=after, **options)
        names.append("".join(row.name for row in page.rows))
        after = page.next
        if after is None:
            return names


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
@pytest.mark.parametrize(
    ("order", "names"),
    [(("-id",), "edcba"), (("id",), "abcde"), (("currency", "-id"), "dbeca"), (("-created_at", "name"), "abcde")],
)
def test_the_pages_together_are_the_whole_list(organizations, size, order, names):
    pages = walk(organizations, size=size, order=order)
    assert "".join(pages) == names
    assert all(len(page) == size for page in pages[:-1])


def test_rows_that_come_meanwhile_move_nothing(organizations):
    first = keyset(organizations, after=None, size=2)
    organizations.filter(name="e").update(name="z")
    assert "".join(row.name for row in keyset(organizations, after=first.next, size=2).rows) == "cb"


@pytest.mark.parametrize(
    "cursor", ["", "x", "%%%", "bnVsbA", "WyJhIl0", "W10", "WzEsMl0", "W251bGxd", "WzEuNV0", "e30", "\u00e9", "W" * 400]
)
def test_an_unreadable_cursor_shows_the_first_page(organizations, cursor):
    """IN-3: what comes from outside is a closed set."""
    assert "".join(row.name for row in keyset(organizations, after=cursor, size=2).rows) == "ed"


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_an_instant_at_the_edge_of_time_shows_the_first_page(organizations, instant):
    cursor = urlsafe_b64encode(json.dumps([instant, "a"]).encode()).rstrip(b"=").decode()
    assert keyset(organizations, after=cursor, size=2, order=("-created_at", "name")).rows


def test_a_number_beyond_every_row_is_harmless(organizations):
    assert keyset(organizations, after="WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMF0", size=2).rows


def test_a_page_takes_one_query_and_no_size_is_unlimited(organizations, django_assert_num_queries):
    with django_assert_num_queries(1):
        keyset(organizations, after=None, size=10**9)
