"""An inbox with a thousand requests: counted no further than a badge says, paged, and as cheap as a short one."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from policies.inbox import queues
from policies.inbox.filters import Listing
from policies.models import ChangeRequest
from portal.core.paging import keyset

INBOX = reverse("policies:inbox")


def copies(change, count, *, first=1000, minutes=1) -> None:
    """So many more requests like `change`, each closing a little later."""
    kept = {field.attname: getattr(change, field.attname) for field in ChangeRequest._meta.concrete_fields}
    ChangeRequest.objects.bulk_create(
        ChangeRequest(
            **{
                **kept,
                "id": None,
                "number": first + place,
                "reference": f"copy{first + place}",
                "expires_at": change.expires_at + timedelta(minutes=minutes * (place + 1)),
            }
        )
        for place in range(count)
    )


def queries(client, url=INBOX) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert client.get(url).status_code == 200
    return len(counted)


@pytest.mark.parametrize(("more", "said"), [(98, ">99 <"), (99, "99+")])
def test_a_count_above_ninety_nine_says_so_to_eyes_and_ears(asked, ben, browser, more, said):
    """AZ-7: the count and the list are made by one rule; the cap is said."""
    copies(asked, more)
    text = browser(ben).get(reverse("policies:inbox_count"), headers={"HX-Request": "true"}).content.decode()
    assert said in text
    assert ("more than 99 waiting for you" in text) is (more == 99)
    assert queues.waiting_count(ben) == more + 1


def test_the_count_never_looks_at_more_than_a_hundred(asked, ben):
    copies(asked, 150)
    with CaptureQueriesContext(connection) as counted:
        assert queues.waiting_count(ben) == 100
    assert "LIMIT 100" in counted[-1]["sql"]


@pytest.mark.slow
def test_a_thousand_requests_cost_as_many_queries_as_one(asked, ben, browser):
    client = browser(ben)
    queries(client)
    few = queries(client)
    copies(asked, 999)
    assert queries(client) == few
    assert "More than 99 requests wait for you" in client.get(INBOX).content.decode()


def test_a_filter_survives_the_pages_and_the_pages_are_the_whole_list(asked, ben, browser):
    copies(asked, 60)
    client = browser(ben)
    chosen = f"?tab=waiting&workflow=initiate_withdrawal&initiator=service_user-{asked.service_user_id}&about=bank"
    text = client.get(INBOX + chosen).content.decode()
    (address,) = re.findall(r'href="([^"]+)"\s+rel="next"', text)
    address = address.replace("&amp;", "&")
    for part in chosen[1:].split("&"):
        assert part in address
    second = client.get(INBOX + address).content.decode()
    assert asked.reference in text
    assert "copy1059" in second
    assert asked.reference not in second
    assert text.count('<li class="row"') + second.count('<li class="row"') == 61


def test_what_closes_first_stands_first_and_what_is_done_newest_first(asked, ben):
    copies(asked, 3, minutes=-1)
    closing = Listing.read({"tab": "waiting"})
    rows = keyset(closing.rows(ben), after=None, order=closing.order).rows
    assert [row.expires_at for row in rows] == sorted(row.expires_at for row in rows)
    ChangeRequest.objects.of(ben.organization_id).open().update(state="cancelled", ended_at=asked.created_at)
    done = Listing.read({"tab": "done"})
    numbers = [row.number for row in keyset(done.rows(ben), after=None, order=done.order).rows]
    assert numbers[:4] == [1002, 1001, 1000, asked.number]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_stands_beside_a_request_is_what_stands_beside_it_in_the_list(asked, ben, place):
    copies(asked, 2)
    listing = Listing()
    rows = [None, *keyset(listing.rows(ben), after=None, order=listing.order).rows, None]
    before, after = (found.first() for found in listing.beside(rows[place + 1], ben))
    assert (before, after) == (rows[place], rows[place + 2])


def test_the_filter_offers_only_who_asked_for_something_one_may_see(asked, ana, ben, audit, browser):
    """AZ-7: names too filter by permission as lists do."""
    offered = browser(ben).get(INBOX + "?tab=viewable").content.decode()
    assert f"service_user-{asked.service_user_id}" in offered
    assert f'value="member-{ana.pk}"' not in offered
    audit.grants.all().delete()
    assert "treasury-bot" not in browser(audit).get(INBOX + "?tab=viewable").content.decode()
