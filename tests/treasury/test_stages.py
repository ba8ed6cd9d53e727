"""Every stage that a venue can say has its words, for people and for bots."""

import pytest

from portal.api.handlers.funding import STATUS
from portal.treasury.operations.withdrawal_descriptions import MOVING, PROGRESS, UNSENT
from portal.treasury.settlement import ENDS
from portal.treasury.views.withdrawals import STAGES
from portal.venues.types import UNDERWAY, Stage

# What the protocol knows (reference §11).
KNOWN = {"Initial", "Pending", "Settled", "Success", "Failure"}
PROPS = {"", "cancel-pending", "canceled", "cancel-denied", "return", "onhold"}


@pytest.mark.parametrize("words", [STATUS, PROGRESS, STAGES])
def test_each_stage_has_words(words):
    assert set(words) == set(Stage)


def test_no_two_stages_read_alike():
    assert len({badge for badge, _ in PROGRESS.values()}) == len(set(STAGES.values())) == len(Stage)


def test_bots_are_told_what_the_protocol_knows():
    assert {status for status, _ in STATUS.values()} <= KNOWN
    assert {prop for _, prop in STATUS.values()} <= PROPS


def test_what_nobody_knows_of_has_neither_ended_nor_is_it_unsent():
    assert not UNDERWAY & (set(ENDS) | UNSENT)


def test_what_has_ended_moves_no_more():
    assert not MOVING & (set(ENDS) | UNSENT | {Stage.UNKNOWN})
