"""The stage on a request's page moves by itself until nothing moves any more."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from accounts.middleware import POLLED

POLLS = 'hx-trigger="every 2s"'


@pytest.fixture
def sent(ask, approve, ben, cleo):
    return approve(ask(), ben, cleo)


def stage_of(change) -> str:
    return reverse("treasury:withdrawal_stage", args=[change.withdrawal.reference])


def test_the_page_of_a_request_asks_on_until_the_money_has_arrived(sent, audit, sign_in):
    """Fault pages-1, step 6: "At the network: Initial" stood there until somebody loaded the page again."""
    client = Client()
    sign_in(client, audit)
    page = client.get(reverse("policies:request", args=[sent.reference])).content.decode()
    assert f'hx-get="{stage_of(sent)}"' in page
    moving = client.get(stage_of(sent)).content.decode()
    assert "state--wait" in moving
    assert POLLS in moving
    with time_machine.travel(timezone.now() + timedelta(seconds=11), tick=False):
        settled = client.get(stage_of(sent)).content.decode()
        assert "Success" in settled
        assert POLLS not in settled
        assert stage_of(sent) not in client.get(reverse("policies:request", args=[sent.reference])).content.decode()


def test_a_stage_that_is_asked_for_by_the_page_is_no_activity(sent):
    """SI-7: polling does not count as activity."""
    assert resolve(stage_of(sent)).view_name in POLLED
