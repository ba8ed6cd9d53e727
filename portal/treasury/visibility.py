"""Which Accounts a Member may look into, and in which they may ask."""

from accounts.models import Account, Member
from policies.access import granted
from policies.workflows import Right, Workflow


def accounts_of(member: Member, workflow: Workflow, right: Right = Right.VIEW) -> list[Account]:
    """The Accounts of the member's Organization on which they hold `right` in `workflow`, by name (AZ-7).

    All but View also takes a verified identity (DESIGN M3).
    """
    if right is not Right.VIEW and not member.is_verified:
        return []
    places = {account_id for held, given, account_id in granted(member) if held == workflow and given in right.given_by}
    rows = Account.objects.filter(organization=member.organization_id).order_by("name")
    return list(rows if None in places else rows.filter(pk__in=[place for place in places if place is not None]))
