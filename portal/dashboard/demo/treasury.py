"""Making the demo: two Organizations, by what the portal itself does when people do it."""

from decimal import Decimal

from django.db import transaction

from accounts.models import Organization
from accounts.organizations.founding import add_member, create_organization
from policies.changes import propose
from policies.operations import configure_policy
from policies.workflows import Workflow
from portal.core import call_origin
from portal.dashboard.demo import making, plan
from portal.venues.paper.funding import deposit


@transaction.atomic
def build() -> bool:
    """Make whatever of the demo is missing, all or nothing; False if it stood already."""
    with call_origin.origin(source="", via="demo"):
        made = [_demo_treasury()] if not Organization.objects.filter(name=plan.DEMO).exists() else []
        made += [_elsewhere()] if not Organization.objects.filter(name=plan.ELSEWHERE).exists() else []
    return bool(made)


def _demo_treasury() -> Organization:
    organization = create_organization(name=plan.DEMO, currency="USD", owner=making.person(*plan.OWNER))
    for email, name, right in plan.PEOPLE:
        add_member(organization, making.person(email, name), rights=[(workflow, right) for workflow in Workflow])
    owner = organization.members.get(is_owner=True)
    account = organization.accounts.get()
    for asset, amount in plan.MONEY:
        deposit(account.pk, asset, Decimal(amount), reference=f"demo-{account.pk}-{asset}")
    for key, asset, method, address in plan.ADDRESSES:
        making.address(owner, account, key=key, asset=asset, method=method, address=address)
    for name, permissions, websocket in plan.BOTS:
        making.bot(owner, account, name, permissions, websocket=websocket)
    for policy in (*plan.POLICIES, plan.withdrawals(making.group(owner, *plan.BOARD))):
        propose(configure_policy, actor=owner, params=policy)
    return organization


def _elsewhere() -> Organization:
    organization = create_organization(name=plan.ELSEWHERE, currency="EUR", owner=making.person(*plan.EVE))
    eve = organization.members.get(is_owner=True)
    account = organization.accounts.get()
    deposit(account.pk, "BTC", Decimal(3), reference=f"demo-{account.pk}-BTC")
    making.address(eve, account, key="eve-cold", asset="BTC", method="Bitcoin", address=plan.ADDRESSES[0][3])
    making.bot(eve, account, plan.EVES_BOT, plan.EVERYTHING)
    return organization
