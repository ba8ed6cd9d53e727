"""What was asked to be sent, and how far it has got."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.models import Account
from policies.access import needs
from policies.models import ChangeRequest, State
from policies.workflows import Right, Workflow
from portal.core import actors, markup
from portal.core.http import MemberRequest
from portal.core.paging import keyset
from portal.treasury.models import Withdrawal
from portal.treasury.operations.wording import progress
from portal.treasury.viewing import accounts_of
from portal.treasury.withdrawals import release_expired
from portal.venues.registry import venue
from portal.venues.types import WithdrawalRow


@dataclass(frozen=True, slots=True)
class Row:
    """One withdrawal of the list, as its request asked for it and as its venue sees it now."""

    change: ChangeRequest
    account: Account
    reference: str
    key: str
    network: str
    actor_kind: str
    state: SafeString


@require_safe
@needs(Workflow.INITIATE_WITHDRAWAL, Right.VIEW)
def withdrawals(request: MemberRequest) -> HttpResponse:
    """The withdrawals of the Accounts that the member may view, newest first."""
    accounts = accounts_of(request.member, Workflow.INITIATE_WITHDRAWAL)
    for account in accounts:
        release_expired(account.pk)
    rows = Withdrawal.objects.filter(organization=request.organization, account__in=accounts)
    page = keyset(rows.select_related("account", "change"), after=request.GET.get("after"))
    seen = _seen_by_venues(page.rows)
    return render(
        request,
        "treasury/withdrawals.html",
        {"page": page, "rows": [_row(withdrawal, seen[withdrawal.reference]) for withdrawal in page.rows]},
    )


def _seen_by_venues(found: Sequence[Withdrawal]) -> dict[str, WithdrawalRow]:
    """One statement for each venue."""
    references = defaultdict(list)
    for withdrawal in found:
        references[withdrawal.account.venue].append(withdrawal.reference)
    rows: dict[str, WithdrawalRow] = {}
    for name, of_venue in references.items():
        rows |= venue(name).withdrawals_by_reference(of_venue)
    return rows


def _row(withdrawal: Withdrawal, seen: WithdrawalRow) -> Row:
    change = withdrawal.change
    state = change.shown_state
    return Row(
        change=change,
        account=withdrawal.account,
        reference=withdrawal.reference,
        key=seen.destination.key,
        network=seen.destination.network,
        actor_kind=actors.SERVICE_USER if change.service_user_id else actors.MEMBER,
        state=progress(seen.stage) if state is State.EXECUTED else markup.state(state),
    )
