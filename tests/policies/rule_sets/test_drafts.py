"""Rules that somebody is still writing: theirs alone, and obeyed by nothing (DESIGN P7)."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from policies import drafts
from policies.models import Policy, PolicyDraft
from policies.rules import Terms
from policies.rules.language import MAX_RULES, Rule
from policies.workflows import Workflow
from portal.core.errors import Conflict, NotFound

MONEY = Workflow.INITIATE_WITHDRAWAL
SMALL, LARGE = Rule(approvals=1), Rule(approvals=2, amount=Decimal(5000))
TERMS = Terms(MONEY, 3, always=True, open_hours=24)


def rules(member):
    draft = drafts.find(member, MONEY)
    return draft and drafts.rules_of(draft)


def test_a_draft_begins_from_the_policy_in_force_and_is_its_authors_alone(house):
    drafts.begin(house.ana, MONEY, TERMS)
    assert rules(house.ana) == TERMS.rule_set
    assert rules(house.olive) is None
    assert drafts.find(house.ana, Workflow.MANAGE_ACCESS) is None
    assert not Policy.objects.filter(organization=house.organization).exists()
    drafts.put(house.ana, MONEY, LARGE, key="", terms=None)
    assert drafts.begin(house.ana, MONEY, TERMS).open_hours == 24
    assert rules(house.ana) == (*TERMS.rule_set, LARGE)


def test_a_rule_is_written_in_its_place_and_one_that_is_gone_beside_the_others(house):
    drafts.put(house.ana, MONEY, SMALL, key="", terms=None)
    drafts.put(house.ana, MONEY, LARGE, key="", terms=None)
    other = Rule(approvals=4)
    assert drafts.put(house.ana, MONEY, other, key=drafts.key_of(SMALL), terms=None)
    assert rules(house.ana) == (other, LARGE)
    assert not drafts.put(house.ana, MONEY, SMALL, key=drafts.key_of(SMALL), terms=None)
    assert rules(house.ana) == (other, LARGE, SMALL)
    drafts.remove(house.ana, MONEY, drafts.key_of(LARGE))
    assert rules(house.ana) == (other, SMALL)
    with pytest.raises(NotFound, match="no such rule"):
        drafts.remove(house.ana, MONEY, drafts.key_of(LARGE))
    with pytest.raises(NotFound, match="no draft"):
        drafts.remove(house.olive, MONEY, drafts.key_of(SMALL))


def test_a_draft_holds_as_many_rules_as_a_policy(house):
    full = Terms(MONEY, 1, always=True, open_hours=24, rules=(SMALL,) * MAX_RULES)
    drafts.begin(house.ana, MONEY, full)
    with pytest.raises(Conflict, match="50 rules at most"):
        drafts.put(house.ana, MONEY, LARGE, key="", terms=None)
    assert drafts.put(house.ana, MONEY, LARGE, key=drafts.key_of(SMALL), terms=None)
    assert len(rules(house.ana)) == MAX_RULES


def test_what_this_version_cannot_read_is_not_written_over(house):
    drafts.begin(house.ana, MONEY, TERMS)
    PolicyDraft.objects.update(rules=[{"approvals": 1}])
    with pytest.raises(Conflict, match="cannot be read"):
        drafts.put(house.ana, MONEY, LARGE, key="", terms=None)
    drafts.discard(house.ana, MONEY)
    assert rules(house.ana) is None


def test_a_policy_that_says_something_else_has_another_base(house):
    others = (
        None,
        Terms(MONEY, 2, always=True, open_hours=24),
        Terms(MONEY, 3, always=False, open_hours=24),
        Terms(MONEY, 3, always=True, open_hours=25),
        Terms(MONEY, 3, always=True, open_hours=24, rules=(SMALL, LARGE)),
    )
    assert len({drafts.base_of(terms) for terms in (*others, TERMS)}) == 6
    draft = drafts.begin(house.ana, MONEY, None)
    drafts.carry_on(house.ana, MONEY, TERMS)
    draft.refresh_from_db()
    assert draft.base == drafts.base_of(TERMS)


def test_the_database_holds_one_draft_of_each_author_within_one_organization(house, next_door):
    row = {"workflow": MONEY, "base": "", "updated_at": timezone.now()}
    PolicyDraft.objects.create(organization=house.organization, author=house.ana, **row)
    for more in (
        {"organization": house.organization, "author": house.ana},
        {"organization": house.organization, "author": next_door.eve},
        {"organization": house.organization, "author": house.olive, "open_hours": 0},
        {"organization": house.organization, "author": house.olive, "workflow": "money"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            PolicyDraft.objects.create(**{**row, **more})
