"""Names of the book of addresses: bots send to them, so where one leads is power over money (DESIGN P2)."""

from portal.treasury.models import Address


def stood_for_another(account_id: int, key: str, address: str, memo: str) -> bool:
    """Whether the name ever led somewhere else than to this address, in that Account."""
    rows = Address.objects.filter(account=account_id, key__iexact=key)
    return rows.exclude(address=address, memo=memo).exists()
