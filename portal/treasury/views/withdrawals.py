"""What was asked to be sent, and how far it has got."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Account
from policies import changes
from policies.access import needs
from policies.models import ChangeRequest, State
from policies.workflows import Right, Workflow
from portal.core import actors
from portal.core.display import markup
from portal.core.errors import DomainError
from portal.core.money import from_units
from portal.core.paging import MAX_CURSOR, keyset
from portal.core.web.http import MemberRequest
from portal.treasury import destination_html, expired_holds
from portal.treasury.models import Withdrawal
from portal.treasury.operations.withdrawal_descriptions import MOVING, live_progress, progress, shown_amount
from portal.treasury.views import seen_rows
from portal.treasury.visibility import accounts_of
from portal.treasury.withdrawals import cancel_withdrawal
from portal.venues.registry import venue
from portal.venues.types import UNDERWAY, Stage, WithdrawalRow

WORKFLOW: Final = Workflow.INITIATE_WITHDRAWAL
REFERENCE: Final = re.compile(r"[A-Z0-9-]{1,40}", re.ASCII)
# What each stage means, to people.
STAGES: Final = {
    Stage.HELD: "The amount is off the free balance and waits for people.",
    Stage.AGREED: "Enough people agreed. It is handed to the exchange in a moment.",
    Stage.SENDING: "It is with the exchange, which has not answered yet.",
    Stage.SOUGHT: "The exchange's answer was lost. It is being looked for there, and is not sent again.",
    Stage.UNKNOWN: "Nobody knows whether the exchange has it. People have to say; nothing is sent again by itself.",
    Stage.REFUSED: "The exchange did not take it, and the amount is given back.",
    Stage.INITIAL: "It was handed to the network a moment ago.",
    Stage.ON_HOLD: "The exchange has it on hold for reasons of its own; only people there can say why.",
    Stage.PENDING: "The network has it and has not sent it yet.",
    Stage.SETTLED: "It was sent, and waits for confirmations.",
    Stage.SUCCESS: "It has arrived.",
    Stage.FAILURE: "It failed at the network.",
    Stage.RETURNING: "The exchange sends it back to the Account.",
    Stage.CANCELING: "The exchange was asked to call it back, and has not said whether it can.",
    Stage.RECALLED: "The exchange called it back before it left; the amount is in the balance there.",
    Stage.CANCELED: "It was never sent, and the amount was given back.",
}


# What an exchange may still call back; no simulated network does.
CALLABLE: Final = frozenset({Stage.AGREED, Stage.INITIAL, Stage.ON_HOLD, Stage.PENDING})
CALLED_BACK: Final = "It is called back, or the exchange tries to; its stage says how that went."
TOO_LATE: Final = "It cannot be called back any more."


@dataclass(frozen=True, slots=True)
class Row:
    """One withdrawal of the list, as its request asked for it and as its venue sees it now."""

    pk: int
    change: ChangeRequest
    account: Account
    reference: str
    key: str
    network: str
    ends: SafeString
    actor_kind: str
    state: SafeString
    txid: str
    is_moving: bool

    @property
    def mark(self) -> str:
        """What tells whether a page that shows it shows it as it is."""
        age = markup.age(self.change.created_at)
        return seen_rows.mark(self.change.number, self.account.name, self.key, self.state, self.txid, age)


@require_safe
@needs(WORKFLOW, Right.VIEW)
def withdrawals(request: MemberRequest) -> HttpResponse:
    """The withdrawals of the Accounts that the member may view, newest first."""
    context = _list(request)
    context["may_ask"] = bool(accounts_of(request.member, WORKFLOW, Right.INITIATE))
    context["states"] = State.choices
    return render(request, "treasury/withdrawals.html", context)


@require_safe
@needs(WORKFLOW, Right.VIEW)
def withdrawals_now(request: MemberRequest) -> HttpResponse:
    """What became other since the page was shown, asked for by itself while something moves; that is no activity.

    A page that does not say what it shows gets all rows; one to which there is nothing to tell gets an empty answer,
    and keeps asking.
    """
    context, shown = _list(request), seen_rows.read(request.GET.get("seen", ""))
    if shown is None:
        return render(request, "treasury/_withdrawals.html", context)
    rows: dict[int, Row] = {row.pk: row for row in context["rows"]}
    news = seen_rows.compare(shown, {pk: row.mark for pk, row in rows.items()})
    is_still = not (context["is_moving"] or context["is_waiting"])
    if news.is_nothing and not is_still:
        return HttpResponse(status=204)
    context |= {
        "changed": [rows[pk] for pk in news.changed],
        "come": [_put_in(rows[pk], before) for pk, before in news.come],
        "gone": news.gone,
    }
    return render(request, "treasury/_withdrawals_changes.html", context)


@require_safe
@needs(WORKFLOW, Right.VIEW)
def withdrawal(request: MemberRequest, reference: str) -> HttpResponse:
    """One withdrawal: what was asked, where it went and how far it has got."""
    return render(request, "treasury/withdrawal.html", _one(request, reference))


@require_safe
@needs(WORKFLOW, Right.VIEW)
def withdrawal_now(request: MemberRequest, reference: str) -> HttpResponse:
    """How far it has got, asked for by the page itself; that is no activity."""
    return render(request, "treasury/_withdrawal.html", _one(request, reference))


@require_safe
@needs(WORKFLOW, Right.VIEW)
def withdrawal_stage(request: MemberRequest, reference: str) -> HttpResponse:
    """The stage alone, asked for by its request's page; that is no activity."""
    found = _found(request, reference)
    return HttpResponse(live_progress(venue(found.account.venue).withdrawal(reference)))


@require_POST
@needs(WORKFLOW, Right.VIEW)
def call_back(request: MemberRequest, reference: str) -> HttpResponse:
    """Have the exchange call back what it has taken, for whoever's side asked for it."""
    found = _found(request, reference)
    try:
        is_called_back = cancel_withdrawal(actor=request.member, account_id=found.account_id, reference=reference)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        say = messages.success if is_called_back else messages.error
        say(request, CALLED_BACK if is_called_back else TOO_LATE)
    return redirect("treasury:withdrawal", reference=reference)


def _list(request: MemberRequest) -> dict[str, Any]:
    accounts = accounts_of(request.member, WORKFLOW)
    for account in accounts:
        expired_holds.release_due(account.pk)
    codes = {asset.id: asset.code for account in accounts for asset in venue(account.venue).assets()}
    chosen = {
        "account": _one_of(request, "account", [str(account.pk) for account in accounts]),
        "asset": _one_of(request, "asset", list(codes)),
        "state": _one_of(request, "state", list(State.values)),
    }
    rows = Withdrawal.objects.filter(organization=request.organization, account__in=accounts)
    for name, column in (("account", "account"), ("asset", "asset"), ("state", "change__state")):
        if chosen[name]:
            rows = rows.filter(**{column: chosen[name]})
    after = request.GET.get("after", "")[:MAX_CURSOR]
    page = keyset(rows.select_related("account", "change"), after=after)
    seen = _seen_by_venues(page.rows)
    shown_rows = [_row(row, seen[row.reference]) for row in page.rows]
    query = urlencode(
        {**{name: value for name, value in chosen.items() if value}, **({"after": after} if after else {})}
    )
    now_url = f"{reverse('treasury:withdrawals_now')}?{query}"
    shows = seen_rows.written({row.pk: row.mark for row in shown_rows})
    return {
        "page": page,
        "rows": shown_rows,
        "accounts": accounts,
        "assets": sorted(codes.items(), key=lambda item: item[1]),
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "now_url": now_url,
        "poll_url": f"{now_url}{'&' if query else ''}{urlencode({'seen': shows})}",
        "is_moving": any(row.is_moving for row in shown_rows),
        "is_waiting": any(row.change.is_open for row in shown_rows),
    }


def _put_in(row: Row, before: int | None) -> SafeString:
    """A new row on its way into a page that stands already: after the one before it, or first of all."""
    place = f"afterend:#withdrawal-{before}" if before else "afterbegin:#withdrawals"
    return format_html(
        '<ol hx-swap-oob="{}">{}</ol>', place, render_to_string("treasury/_withdrawal_row.html", {"row": row})
    )


def _found(request: MemberRequest, reference: str) -> Withdrawal:
    """The withdrawal of that reference, as far as the reader may view its Account."""
    accounts = accounts_of(request.member, WORKFLOW)
    rows = Withdrawal.objects.filter(organization=request.organization, account__in=accounts, reference=reference)
    related = rows.select_related("account", "change__member__user", "change__service_user")
    found = related.first() if REFERENCE.fullmatch(reference) else None
    if found is None:
        raise Http404("There is no such withdrawal.")
    return found


def _one(request: MemberRequest, reference: str) -> dict[str, object]:
    found = _found(request, reference)
    if found.change.is_past_its_time:
        changes.expire(found.change.reference)
        found.change.refresh_from_db()
    row = venue(found.account.venue).withdrawal(reference)
    return {
        "change": found.change,
        "account": found.account,
        "reference": reference,
        "amount": shown_amount(from_units(found.amount_units, row.asset.decimals), row),
        "receiver": destination_html.receiver(row.destination),
        "key": row.destination.key,
        "state": found.change.shown_state,
        "stage": progress(row.stage),
        "meaning": STAGES[row.stage],
        "said": row.said,
        "page_of_venue": row.page,
        "may_call_back": row.stage in CALLABLE and venue(found.account.venue).is_real,
        "txid": row.txid or "",
        "is_moving": row.stage in MOVING,
        "is_waiting": found.change.is_open,
        "actor_kind": _actor_kind(found.change),
        "is_own": found.change.member_id == request.member.pk,
        "now_url": reverse("treasury:withdrawal_now", args=[reference]),
    }


def _one_of(request: MemberRequest, name: str, choices: Sequence[str]) -> str:
    value = request.GET.get(name, "")
    return value if value in choices else ""


def _seen_by_venues(found: Sequence[Withdrawal]) -> dict[str, WithdrawalRow]:
    """One statement for each venue."""
    references = defaultdict(list)
    for row in found:
        references[row.account.venue].append(row.reference)
    rows: dict[str, WithdrawalRow] = {}
    for name, of_venue in references.items():
        rows |= venue(name).withdrawals_by_reference(of_venue)
    return rows


def _row(found: Withdrawal, seen: WithdrawalRow) -> Row:
    change = found.change
    state = change.shown_state
    target = seen.destination
    return Row(
        pk=found.pk,
        change=change,
        account=found.account,
        reference=found.reference,
        key=target.key,
        network=target.network,
        ends=destination_html.ends(target.network, target.address),
        actor_kind=_actor_kind(change),
        state=progress(seen.stage) if state is State.EXECUTED or seen.stage in UNDERWAY else markup.state(state),
        txid=seen.txid or "",
        is_moving=seen.stage in MOVING,
    )


def _actor_kind(change: ChangeRequest) -> str:
    return actors.SERVICE_USER if change.service_user_id else actors.MEMBER
