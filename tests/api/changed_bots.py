"""A bot and its key as a change leaves them, and what is kept of its calls."""

from accounts.api_keys import lifecycle
from accounts.models import ApiKey, ServiceUser
from tests.api.calls import Wire


def change_bot(wire: Wire, **values: object) -> None:
    """What an approved change of the Service User does to its row and its keys."""
    ServiceUser.objects.filter(pk=wire.bot.service_user.pk).update(**values)
    lifecycle.touch(wire.bot.service_user)


def change_key(wire: Wire, **values: object) -> None:
    ApiKey.objects.filter(pk=wire.bot.key.pk).update(**values)
    lifecycle.touch(wire.bot.service_user)


def high(wire: Wire) -> int:
    return ApiKey.objects.get(pk=wire.bot.key.pk).last_nonce
