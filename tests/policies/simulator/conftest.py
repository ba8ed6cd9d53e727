"""A policy by amount, and a draft of its author's, in the demo's Organization, whose currency is the US dollar."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from policies.models import Group, GroupMember, Policy, PolicyDraft
from policies.rules.language import Among, GroupApprovals, Rule
from policies.snapshot.stored_rules import written_rules
from policies.workflows import Workflow
from tests.factories.world import World

WITHDRAWAL = Workflow.INITIATE_WITHDRAWAL


def govern(organization, *rules, **fields) -> Policy:
    """Put these rules in force."""
    most = max((rule.approvals for rule in rules), default=1) or 1
    policy, _ = Policy.objects.update_or_create(
        organization=organization,
        workflow=WITHDRAWAL.value,
        defaults={
            "approvals": most,
            "always": True,
            "open_hours": 72,
            "rules": written_rules(rules),
            "changed_at": timezone.now(),
            **fields,
        },
    )
    return policy


def drafted(author, *rules) -> PolicyDraft:
    """What its author has written so far."""
    draft, _ = PolicyDraft.objects.update_or_create(
        author=author,
        workflow=WITHDRAWAL.value,
        defaults={
            "organization": author.organization,
            "rules": written_rules(rules),
            "open_hours": 72,
            "base": "0" * 64,
            "updated_at": timezone.now(),
        },
    )
    return draft


def asked(world, **typed):
    """A withdrawal of ten dollars by the bot to the bank, but for what is `typed`."""
    bot = world.bot("treasury-bot").service_user
    return {
        "who": f"service_user:{bot.pk}",
        "account": str(world.account.pk),
        "asset": "ZUSD",
        "amount": "10",
        "to": "usd-bank",
        **typed,
    }


def simulated(client: Client, world: World, **typed) -> str:
    answer = client.get(reverse("policies:simulate"), asked(world, **typed))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def board(world) -> Group:
    """Cleo alone is on the board."""
    group = Group.objects.create(organization=world.organization, name="Board", created_at=timezone.now())
    GroupMember.objects.create(group=group, member=world.members["cleo"])
    return group


@pytest.fixture
def tiers(world, board) -> tuple[Rule, ...]:
    """One approval, two from 1,000 USD on, one of the Board besides from 100,000 on; nothing in bitcoin below that."""
    rules = (
        Rule(approvals=1),
        Rule(approvals=2, amount=Decimal(1000), with_day_sum=True),
        Rule(groups=(GroupApprovals(board.pk, 1),), amount=Decimal(100_000)),
        Rule(deny=True, assets=Among(("XXBT",)), younger_hours=1),
    )
    govern(world.organization, *rules)
    return rules
