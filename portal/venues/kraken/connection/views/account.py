"""The page of one Account: whether it is connected, by which credentials, and what the exchange says of each."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account
from policies.access import allows, needs
from policies.models import OPEN_STATES, ChangeRequest
from policies.workflows import Right, Workflow
from portal.audit.kinds import EventKind
from portal.audit.record import Outcome, record
from portal.core.display.descriptions import Notice
from portal.core.errors import TooMany, Unavailable
from portal.core.web.http import MemberRequest
from portal.venues.kraken import exchanges, inspection
from portal.venues.kraken.connection import refusals
from portal.venues.kraken.connection.asking import count_trial
from portal.venues.kraken.connection.beware import warnings
from portal.venues.kraken.connection.connections import counting
from portal.venues.kraken.connection.uses import named_uses
from portal.venues.kraken.credentials.permission_words import permission_words
from portal.venues.kraken.models import Connection, Credential, Purpose, Tier

GONE = "There is no such credential, or it was replaced or removed meanwhile."


@dataclass(frozen=True, slots=True)
class Row:
    """One credential as the page shows it; `permissions` in words."""

    credential: Credential
    permissions: str
    warnings: tuple[Notice, ...]


@require_safe
@needs(Workflow.MANAGE_ACCESS, Right.VIEW)
def account(request: MemberRequest, pk: int) -> HttpResponse:
    """What the Account is connected to, and by what."""
    found = account_of(request, pk)
    connection = Connection.objects.filter(account=found).first()
    is_connected = connection is not None and connection.disconnected_at is None
    credentials = list(counting(found.pk).order_by("-purpose", "pk")) if is_connected else []
    now = timezone.now()
    context = {
        "account": found,
        "connection": connection,
        "is_connected": is_connected,
        "is_listed": connection is not None and exchanges.exchange(connection.exchange) is not None,
        "tier": Tier(connection.tier).label if connection else "",
        "rows": [Row(row, permission_words(row.permissions), warnings(row, now)) for row in credentials],
        "can_withdraw": any(row.purpose == Purpose.WITHDRAW for row in credentials),
        "uses": named_uses(found.pk) if is_connected else [],
        "waiting": _waiting(found),
        "may_ask": allows(request.member, Workflow.MANAGE_ACCESS, Right.INITIATE),
        "may_freeze": allows(request.member, Workflow.INITIATE_WITHDRAWAL, Right.INITIATE, found.pk),
    }
    return render(request, "kraken/account.html", context)


@require_POST
@needs(Workflow.MANAGE_ACCESS, Right.INITIATE)
def try_again(request: MemberRequest, pk: int, credential: int) -> HttpResponse:
    """One trial of a credential that is stopped, or one more look at one that is not."""
    row = credential_of(request, pk, credential)
    try:
        count_trial(request.member)
        looked = inspection.try_again(row.pk)
    except TooMany as error:
        messages.error(request, f"{row.short} was not tried.\n{error.message}")
    except inspection.NotTold as error:
        said = refusals.of(error.errors, "GetApiKeyInfo", Purpose(row.purpose), fields="").message
        _record(request, row, "refused", "; ".join(error.errors))
        messages.error(request, f"The exchange refuses {row.short}.\n{said}")
    except Unavailable as error:
        _record(request, row, "failed", error.message)
        messages.error(request, f"Nothing is known of {row.short}.\n{error.message}")
    else:
        _record(request, row, "success", "")
        changed = "; ".join(f"{change.field}: {change.before} → {change.after}" for change in looked.changed)
        messages.success(request, f"The exchange takes {row.short}.\n{changed or 'It says the same of it as before.'}")
    return redirect("kraken:account", pk)


def account_of(request: MemberRequest, pk: int) -> Account:
    """An Account of the Organization. Raises: Http404."""
    found = Account.objects.filter(organization=request.organization, pk=pk).first()
    if found is None:
        raise Http404("There is no such Account.")
    return found


def connection_of(request: MemberRequest, pk: int, *, is_open: bool = True) -> Connection:
    """The connection of such an Account, open, or not any more. Raises: Http404."""
    rows = Connection.objects.select_related("account").filter(account__organization=request.organization, account=pk)
    found = rows.filter(disconnected_at__isnull=is_open).first()
    if found is None:
        raise Http404("There is no such Account, or it was connected or disconnected meanwhile.")
    return found


def credential_of(request: MemberRequest, pk: int, credential: int) -> Credential:
    """A credential that counts for such an Account. Raises: Http404."""
    found = counting(pk).filter(organization=request.organization, pk=credential).first()
    if found is None:
        raise Http404(GONE)
    return found


def _waiting(account: Account) -> list[ChangeRequest]:
    """What is asked about the connection, and not decided."""
    rows = ChangeRequest.objects.filter(organization=account.organization_id, state__in=OPEN_STATES)
    about = rows.filter(subject__startswith=f"connection:{account.pk}:") | rows.filter(
        subject__in=[f"connection:{account.pk}", f"account:{account.name.lower()}"], operation__startswith="kraken."
    )
    return list(about.order_by("number"))


def _record(request: MemberRequest, row: Credential, outcome: Outcome, said: str) -> None:
    with transaction.atomic():
        record(
            EventKind.CREDENTIAL_TRIED,
            actor=request.member,
            subject=row,
            workflow=Workflow.MANAGE_ACCESS,
            account_id=row.account_id,
            outcome=outcome,
            credential=row.short,
            said=said,
        )
