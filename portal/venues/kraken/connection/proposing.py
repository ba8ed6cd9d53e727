"""Credentials between being typed and counting: sealed rows that a request names, wiped when it ends otherwise."""

from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Account
from policies.models import ChangeRequest
from portal.core.errors import Conflict, Invalid
from portal.core.secrets.sealing import seal
from portal.venues.kraken.connection import refusals
from portal.venues.kraken.connection.params import Proposed
from portal.venues.kraken.connection.trial import Tried
from portal.venues.kraken.exchanges import Exchange
from portal.venues.kraken.models import Credential, Purpose

WIPED = "What was typed for this request is wiped: type the credentials again, in a new request."


def keep(organization_id: int, exchange: Exchange, tried: Iterable[Tried]) -> tuple[Proposed, ...]:
    """Seal each into a row of its own. For the transaction that asks; nothing of it stays if the request is refused."""
    proposed = []
    for each in tried:
        row = Credential(
            organization_id=organization_id,
            exchange=exchange.name,
            purpose=each.typed.purpose,
            label=each.typed.label,
            public=each.typed.public,
            nonce=each.nonce,
            proposed_at=timezone.now(),
        )
        each.info.write_to(row)
        row.sealed_secret = seal(each.typed.secret.encode(), place=row.place)
        row.save()
        proposed.append(named(row))
    return tuple(proposed)


def named(row: Credential) -> Proposed:
    """How a request names a row, with what the exchange said of it."""
    return Proposed(
        id=row.pk,
        public=row.public,
        purpose=Purpose(row.purpose),
        permissions=tuple(row.permissions),
        ip_allowlist=tuple(row.ip_allowlist),
        expires_at=row.expires_at,
        query_from=row.query_from,
        query_until=row.query_until,
        nonce_window=row.nonce_window,
    )


def take(change: ChangeRequest, credentials: Sequence[Proposed], exchange: str) -> None:
    """Bind the rows to the request that names them, and look at them. Raises: as `check`."""
    ids = [each.id for each in credentials]
    rows = Credential.objects.filter(organization=change.organization_id, pk__in=ids, request="", activated_at=None)
    rows.update(request=change.reference)
    check(change, credentials, exchange)


def check(change: ChangeRequest, credentials: Sequence[Proposed], exchange: str) -> list[Credential]:
    """The rows of a request, locked, in its order; each as it was typed for it, and none connected meanwhile.

    Raises: Conflict if one is wiped or in use; Invalid if the same was typed twice.
    """
    ids = [each.id for each in credentials]
    if len({each.public for each in credentials}) < len(ids):
        raise Invalid(refusals.TWICE)
    waiting = Credential.objects.select_for_update(no_key=True).filter(
        organization=change.organization_id, request=change.reference, exchange=exchange, activated_at=None
    )
    rows = {row.pk: row for row in waiting.filter(pk__in=ids, removed_at=None).order_by("pk")}
    found = [rows.get(each.id) for each in credentials]
    for row, each in zip(found, credentials, strict=True):
        if row is None or named(row) != each:
            raise Conflict(WIPED)
    if active().filter(public__in=[each.public for each in credentials]).exists():
        raise Conflict(refusals.USED_HERE)
    return [row for row in found if row is not None]


def activate(account: Account, rows: Sequence[Credential]) -> None:
    """Let them count for the Account from now on. Raises: Conflict if one was connected elsewhere at this moment."""
    now = timezone.now()
    try:
        with transaction.atomic():
            for row in rows:
                row.account, row.activated_at = account, now
                row.save(update_fields=["account", "activated_at"])
    except IntegrityError as error:
        raise Conflict(refusals.USED_HERE) from error


def wipe(*, change: ChangeRequest) -> None:
    """Forget the secrets that were typed for a request which ends otherwise than carried out."""
    waiting = Credential.objects.filter(request=change.reference, activated_at=None, removed_at=None)
    waiting.update(sealed_secret="", removed_at=timezone.now())


def retire(rows: QuerySet[Credential]) -> int:
    """Forget the secrets of credentials that count, how many those were."""
    return rows.filter(removed_at=None).update(sealed_secret="", removed_at=timezone.now())


def active() -> QuerySet[Credential]:
    """Every credential that counts, of whatever Account."""
    return Credential.objects.filter(activated_at__isnull=False, removed_at=None)
