"""Somebody at a browser, and what they type to withdraw."""

import pytest
from django.test import Client

from portal.treasury.models import Address


@pytest.fixture
def browser(sign_in):
    """Somebody at a browser of their own."""

    def opened(member) -> Client:
        client = Client()
        sign_in(client, member)
        return client

    return opened


@pytest.fixture
def typed():
    def form(amount="1.25", key="btc-cold", note="payroll") -> dict[str, object]:
        return {"address": Address.objects.get(key=key, removed_at=None).pk, "amount": amount, "note": note}

    return form
