"""Which Accounts a Member may look into."""

from accounts.models import Account, Member
from policies.access import granted
from policies.workflows import Workflow


def accounts_of(member: Member, workflow: Workflow) -> list[Account]:
    """The Accounts of the member's Organization on which they hold any right in `workflow`, by name (AZ-7).

    Every right there implies View.
    """
    places = {account_id for held, _, account_id in granted(member) if held == workflow}
    rows = Account.objects.filter(organization=member.organization_id).order_by("name")
    return list(rows if None in places else rows.filter(pk__in=[place for place in places if place is not None]))
