"""Names of the book of addresses: bots send to them, so where one leads is power over money (DESIGN P2)."""

from django.db.models import QuerySet

from portal.treasury.models import Address


def stood_for_another(account_id: int, key: str, address: str, memo: str) -> bool:
    """Whether the name ever led somewhere else than to this address, in that Account."""
    return others_called(account_id, key, address, memo).exists()


def others_called(account_id: int, key: str, address: str, memo: str) -> QuerySet[Address]:
    """What else was ever called so there."""
    return Address.objects.filter(account=account_id, key__iexact=key).exclude(address=address, memo=memo)
