"""What the things in a rule are called, read from the Organization (DESIGN P7)."""

from decimal import Decimal

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from policies.models import Group
from policies.rule_words import names_of, sentence
from policies.rules.language import Among, GroupApprovals, Rule, initiator_id
from policies.snapshot import gather


def test_names_are_those_of_the_organization_and_of_no_other(world, ana, eve, treasury_bot):
    group = Group.objects.create(organization=world.organization, name="Finance", created_at=timezone.now())
    names = names_of(world.organization, gather(world.organization))
    assert names.currency == world.organization.currency
    assert names.group(group.pk) == "Finance"
    assert names.account(str(world.account.pk)) == world.account.name
    assert names.initiator(initiator_id("member", ana.pk)) == ana.user.name
    assert names.initiator(initiator_id("service_user", treasury_bot.service_user.pk)) == "treasury-bot (service user)"
    assert names.initiator(initiator_id("member", eve.pk)) == "somebody who is gone"


def test_what_no_rule_names_is_not_read(world):
    """Most policies name groups and amounts alone, and pages show fifty rules."""
    group = Group.objects.create(organization=world.organization, name="Finance", created_at=timezone.now())
    facts = gather(world.organization)
    rule = Rule(groups=(GroupApprovals(group.pk, 2),), amount=Decimal(5000), accounts=Among((str(world.account.pk),)))
    with CaptureQueriesContext(connection) as queries:
        assert "2 approvals of Finance" in sentence(rule, names_of(world.organization, facts))
    assert len(queries) == 0
