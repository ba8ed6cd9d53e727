"""What a key may withdraw at most, counted as rules count (DESIGN K4): looked at when it asks, and when it is sent."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.db.models import QuerySet, Subquery

from accounts.models import ServiceUser
from policies.rules.language import INFINITE, Scope, SumOf, Window
from portal.core.display import markup
from portal.treasury.errors import OverCap
from portal.treasury.measures.sums import Counted, sums_of
from portal.treasury.measures.values import in_currency
from portal.treasury.models import Address

if TYPE_CHECKING:
    from policies.models import ChangeRequest

A_DAY: Final = SumOf((Scope.INITIATOR,), Window.DAY)
CAPS: Final = ("withdrawal_cap_hundredths", "daily_cap_hundredths")


def with_caps(book: QuerySet[Address], bot: ServiceUser | None) -> QuerySet[Address]:
    """The addresses with the caps of who asks beside them, so that both are read by one statement."""
    if bot is None:
        return book
    rows = ServiceUser.objects.filter(pk=bot.pk)
    return book.annotate(**{name: Subquery(rows.values(name)) for name in CAPS})


def renew(bot: ServiceUser | None, found: Address) -> None:
    """Have `bot` the caps that were read with this address: who asks was known before the lock, and may have others."""
    if bot is not None:
        for name in CAPS:
            setattr(bot, name, getattr(found, name))


def refuse_over_cap(change: "ChangeRequest", *, account_id: int, initiator: str, hundredths: int | None) -> None:
    """Let a withdrawal through that its key's caps bear; a Member has none. One statement where there is a day's cap.

    `hundredths` is what it is worth, None where nobody knows: that is over every cap.

    Raises: OverCap.
    """
    bot = change.service_user
    if bot is None or (bot.withdrawal_cap is None and bot.daily_cap is None):
        return
    currency = change.organization.currency
    value = INFINITE if hundredths is None else in_currency(hundredths)
    if value == INFINITE:
        raise OverCap(f"{bot.name} has a limit, and nobody knows what this is worth in {currency}.", field="amount")
    if bot.withdrawal_cap is not None and value > bot.withdrawal_cap:
        raise OverCap(_words(bot.name, bot.withdrawal_cap, "at once", value, "This is", currency), field="amount")
    if bot.daily_cap is None:
        return
    # Who asks is all that counts here, whatever it is and wherever it goes.
    counted = Counted(change.organization_id, currency, account_id, "", "", initiator, value, change.pk or 0)
    total = sums_of(counted, (A_DAY,))[A_DAY]
    if total > bot.daily_cap:
        together = "With what it sent and has waiting this is"
        raise OverCap(_words(bot.name, bot.daily_cap, "in 24 hours", total, together, currency), field="amount")


def _words(name: str, most: Decimal, when: str, found: Decimal, what: str, currency: str) -> str:
    is_known = "more, as nobody knows what all of it is worth" if found == INFINITE else markup.said(found, currency)
    return f"{name} withdraws {markup.said(most, currency)} at most {when}. {what} {is_known}."
