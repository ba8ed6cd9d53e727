"""Asking the exchange again what it says of a credential that counts, and trying one again that is stopped."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import Account
from portal.audit.record import lock_history
from portal.core.display.descriptions import FieldChange
from portal.core.display.phrases import dated
from portal.core.errors import Unavailable
from portal.venues.kraken.alarms import raise_alarm
from portal.venues.kraken.calling import ask
from portal.venues.kraken.credentials import key_info, nonces
from portal.venues.kraken.credentials.finding import STOPPED, Usable, opened
from portal.venues.kraken.credentials.key_info import KeyInfo
from portal.venues.kraken.credentials.permission_words import permission_words
from portal.venues.kraken.models import Alarm, Credential
from portal.venues.kraken.upstream.outcomes import NotSent, Stopped

GONE: Final = "This key does not count any more: it was replaced, removed, or its Account was disconnected."
SECONDS: Final = 10.0


class NotTold(Unavailable):
    """The exchange refused to say anything of the credential; `errors` are its own."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__(f"The exchange refuses it: {', '.join(errors)}.")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Looked:
    """A credential as the exchange describes it now, and what of that was otherwise when it was last looked at."""

    credential: Credential
    changed: tuple[FieldChange, ...]


def look_again(credential_id: int) -> Looked:
    """Read what the exchange says of it, and keep that; what was changed there raises an alarm.

    Raises: NotSent if nothing has left, Stopped among them; NotTold where the exchange refuses, which stops the
    credential if it means it; AnswerLost where it answers with another shape.
    """
    row = _counting(credential_id)
    if row.stopped_at is not None:
        raise Stopped(STOPPED)
    return _looked(row, opened(row))


def try_again(credential_id: int) -> Looked:
    """The same with one that is stopped: one call, and if the exchange takes it, everything goes out with it again.

    Raises: as `look_again`.
    """
    row = _counting(credential_id)
    take = partial(nonces.take, row.pk, though_stopped=True)
    looked = _looked(row, replace(opened(row), next_nonce=take))
    # One that was stopped anew meanwhile stays so.
    stopped = Credential.objects.filter(pk=row.pk, stopped_at=row.stopped_at)
    stopped.update(stopped_at=None, stopped_because="")
    return looked


def _counting(credential_id: int) -> Credential:
    found = Credential.objects.filter(pk=credential_id, activated_at__isnull=False, removed_at=None)
    row = found.select_related("account").first()
    if row is None:
        raise NotSent(GONE)
    return row


def _looked(row: Credential, credential: Usable) -> Looked:
    answer = ask(credential, key_info.METHOD, seconds=SECONDS)
    if answer.errors:
        raise NotTold(answer.errors)
    return _kept(row.pk, key_info.read(answer.decoded()))


def _kept(credential_id: int, said: KeyInfo) -> Looked:
    """Of two who look at once one finds what was changed, and the other finds it kept."""
    row = Credential.objects.select_related("account").get(pk=credential_id)
    with transaction.atomic():
        # Whoever replaces or removes it holds this too, and takes it first.
        lock_history(row.organization_id)
        row = Credential.objects.select_related("account").get(pk=credential_id)
        before, is_first = dict(_in_words(row)), row.looked_at is None
        row.save(update_fields=said.write_to(row))
        changed = tuple(
            FieldChange(label, before[label], now, grows=_grows(label, before[label], now))
            for label, now in _in_words(row)
            if now != before[label]
        )
        if changed and row.account is not None and not is_first:
            _tell(row, row.account, changed)
    return Looked(row, changed)


def _tell(row: Credential, account: Account, changed: tuple[FieldChange, ...]) -> None:
    what = "; ".join(f"{change.field}: {change.before} → {change.after}" for change in changed)
    said = f"The credential {row.label} of {account.name} ({row.short}) was changed at the exchange. {what}."
    subject = f"{row.pk} at {timezone.now().isoformat()}"
    raise_alarm(account, Alarm.Kind.CREDENTIAL_CHANGED, subject=subject, said=said)


def _in_words(row: Credential) -> Iterator[tuple[str, str]]:
    yield PERMISSIONS, permission_words(sorted(row.permissions))
    yield ALLOW_LIST, ", ".join(sorted(row.ip_allowlist)) or ANYWHERE
    yield "Expires", dated(row.expires_at) if row.expires_at else "never"
    yield "Nonce window", str(row.nonce_window)
    yield "Sees from", dated(row.query_from) if row.query_from else "the beginning"
    yield "Sees until", dated(row.query_until) if row.query_until else "now"
    yield "Account at the exchange", row.owner or "not said"


PERMISSIONS: Final = "Permissions"
ALLOW_LIST: Final = "Allow-list"
ANYWHERE: Final = "any address"


def _grows(label: str, before: str, after: str) -> bool:
    """Whether it can do more than it could, or from more places."""
    if label == ALLOW_LIST and ANYWHERE in (before, after):
        return after == ANYWHERE
    return label in (PERMISSIONS, ALLOW_LIST) and not set(after.split(", ")) <= set(before.split(", "))
