"""From which Accounts bots would withdraw again if what stops them were lifted: giving that back is giving it (P2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.db.models import OuterRef, Q

from accounts.models import ApiKey, ServiceUser
from accounts.models.service_user import Permission
from portal.core.database.one_reading import keep, once
from portal.core.database.rows import Rows


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a request would let go on, by primary key: Service Users, and keys of them."""

    bots: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()


class Lifting(Protocol):
    """What is asked when something is to go on."""

    @property
    def stopped(self) -> Stopped:
        """What would go on."""


def withdrawing_accounts(params: Lifting) -> tuple[int, ...]:
    """The Accounts from which something of it would withdraw again."""
    return once(_name(params), lambda: _read([params.stopped])[0])


def read_ahead(asked: Sequence[Lifting]) -> None:
    """The same of many requests, in one statement, for the page that shows them."""
    for params, accounts in zip(asked, _read([params.stopped for params in asked]), strict=True):
        keep(_name(params), accounts)


def _name(params: Lifting) -> tuple[str, Stopped]:
    return ("given back", params.stopped)


def _read(asked: Sequence[Stopped]) -> list[tuple[int, ...]]:
    bots = {pk for stopped in asked for pk in stopped.bots}
    keys = {pk for stopped in asked for pk in stopped.keys}
    named = ApiKey.objects.filter(service_user=OuterRef("pk"), pk__in=keys)
    rows = ServiceUser.objects.filter(
        Q(pk__in=bots) | Q(pk__in=ApiKey.objects.filter(pk__in=keys).values("service_user"))
    )
    found = [
        (bot, account, {key for (key,) in its_keys})
        for bot, account, permissions, its_keys in rows.values_list(
            "pk", "account_id", "permissions", Rows(named, "pk")
        )
        if Permission.WITHDRAW in permissions
    ]
    return [
        tuple(sorted({account for bot, account, its in found if bot in stopped.bots or its & set(stopped.keys)}))
        for stopped in asked
    ]
