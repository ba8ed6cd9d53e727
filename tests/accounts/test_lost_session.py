"""A session that ends while somebody is filling in a form."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_what_was_posted_after_it_is_said_not_to_be_taken(client, treasury_bot):
    path = reverse("accounts:suspend", args=[treasury_bot.service_user.name])
    answer = client.post(path)
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("accounts:sign_in")
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Your session had ended." in page
    assert "What you sent was not taken." in page
    treasury_bot.service_user.refresh_from_db()
    assert treasury_bot.service_user.is_active


def test_a_page_that_was_only_opened_is_come_back_to(client, world):
    answer = client.get(reverse("accounts:members"))
    assert answer.headers["Location"] == f"{reverse('accounts:sign_in')}?next=/members/"
