"""What asking for one more address would lead to, as the pages that ask for one say it."""

from typing import TYPE_CHECKING

from policies.forecast import Forecast, forecast
from policies.rules import lock_names_destinations
from policies.snapshot import gather
from policies.workflows import Workflow

if TYPE_CHECKING:
    from accounts.models import Account, Member


def of_an_addition(member: "Member", account: "Account") -> Forecast:
    """One more address, which a lock may hold (P4)."""
    facts = gather(member.organization)
    protected = lock_names_destinations(facts.policies)
    return forecast(member, Workflow.MANAGE_ADDRESSES, facts=facts, account_id=account.pk, protected=protected)
