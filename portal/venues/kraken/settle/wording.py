"""A request to settle a withdrawal in plain words: what would be written, and what is known."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.html import format_html

from policies import registry
from policies.payload import decode
from portal.core.database.one_reading import once
from portal.core.display import markup
from portal.core.display.descriptions import Description, Fact, FieldChange, Notice
from portal.core.display.phrases import counted
from portal.core.errors import NotFound
from portal.core.money import from_units, plain
from portal.venues.kraken.models import Look, Step, Withdrawal
from portal.venues.kraken.reading.names import CODES
from portal.venues.kraken.settle.params import Outcome, Settle
from portal.venues.kraken.withdrawals.matching import plain_asset

if TYPE_CHECKING:
    from policies.models import ChangeRequest

WORDS: Final = {
    Outcome.WENT_OUT: "it went out",
    Outcome.SEND_AGAIN: "it did not go out; send it again",
    Outcome.GIVE_UP: "it did not go out; give it up",
}
AFTERWARDS: Final = {
    Outcome.WENT_OUT: "executed",
    Outcome.SEND_AGAIN: "sent again, under a new nonce",
    Outcome.GIVE_UP: "failed, and the amount given back",
}
BEWARE: Final = {
    Outcome.WENT_OUT: Notice(
        "wait", "It counts as sent.", "If it was not, the money stays at the exchange, and nobody is told so again."
    ),
    Outcome.SEND_AGAIN: Notice(
        "stop",
        "If it did go out, it goes out twice.",
        "Look at the exchange itself, by hand, before you agree. It is looked for once more before it is sent.",
    ),
    Outcome.GIVE_UP: Notice(
        "wait",
        "The amount counts as free again.",
        "If it did go out after all, it appears as a withdrawal that nothing here asked for.",
    ),
}


def settlement(change: "ChangeRequest") -> Description:
    """Who says what of which withdrawal, and what the exchange listed."""
    params: Settle = decode(registry.get(change.operation).params, change.params)
    row = found(params)
    if row is None:
        raise NotFound("There is no such withdrawal.")
    code, looks = code_of(row), list(Look.objects.filter(withdrawal=row).order_by("-pk"))
    amount = markup.said(from_units(row.amount_units, row.decimals), code)
    sentence = format_html(
        "<b>{}</b> says of the withdrawal of <b>{}</b> to <b>{}</b>, of which nobody knows: <b>{}</b>.",
        change.initiator_label,
        amount,
        row.key,
        WORDS[params.outcome],
    )
    facts = [
        Fact("Withdrawal", format_html('<a href="{}">{}</a>', evidence(row), row.reference)),
        Fact("Amount", markup.amount(plain(from_units(row.amount_units, row.decimals)), code)),
        Fact("To", row.address),
        Fact("Sent", markup.moment(row.sent_at) if row.sent_at else "never"),
        Fact("Looked for", _looked(looks)),
    ]
    if params.refid:
        facts.append(Fact("The exchange's reference", markup.code(params.refid)))
        facts.append(Fact("Listed by the exchange", _listed(looks, params.refid)))
    panel = (
        Fact("Settle", row.reference),
        Fact("Because", WORDS[params.outcome]),
        *((Fact("Reference", params.refid),) if params.refid else ()),
        Fact("Amount", amount),
    )
    changes = (FieldChange("Withdrawal", Step(row.step).label, AFTERWARDS[params.outcome]),)
    notices = (BEWARE[params.outcome],) if change.is_open else ()
    return Description(sentence, tuple(facts), panel, changes=changes, notices=notices)


def withdrawal_of(change: "ChangeRequest") -> Withdrawal | None:
    """The withdrawal that the request is about."""
    return found(decode(registry.get(change.operation).params, change.params))


def found(params: Settle) -> Withdrawal | None:
    """The same, by what is asked of it; a page reads it once."""
    rows = Withdrawal.objects.filter(reference=params.reference, account=params.account_id)
    return once(("withdrawal to settle", params.account_id, params.reference), rows.first)


def code_of(row: Withdrawal) -> str:
    """What people call its asset, without asking anybody."""
    plain_name = plain_asset(row.asset)
    return CODES.get(plain_name, plain_name)


def evidence(row: Withdrawal) -> str:
    """The page with all that is known of it."""
    return reverse("kraken:unknown_withdrawal", args=[row.reference])


def _looked(looks: Sequence[Look]) -> str:
    heard = sum(not look.trouble for look in looks)
    return f"{counted(heard, 'time')}; {counted(len(looks) - heard, 'time')} without an answer"


def _listed(looks: Sequence[Look], refid: str) -> str:
    """Whether any look has seen that reference, and as what."""
    for look in looks:
        for each in look.listed:
            if each.get("refid") == refid:
                return f"{each.get('amount')} {each.get('asset')} to {each.get('key')}, fee {each.get('fee')}"
    return "no: it was never in its list"
