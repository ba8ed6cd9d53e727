"""Requests about groups: of people about themselves, gone stale, kept by a lock, asked again (DESIGN P7)."""

import pytest
from django.utils import timezone

from accounts.members.end_membership import RemoveMember, remove_member
from policies.changes import propose
from policies.models import State
from policies.operations import ChangeGroup, Roster
from policies.operations.groups import renewed_change
from policies.workflows import Workflow
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.errors import DomainError, Refused
from tests.policies.conftest import again, no, yes
from tests.policies.groups.conftest import ask_of, change, create, ids, in_it, remove

pytestmark = pytest.mark.django_db
ACCESS = Workflow.MANAGE_ACCESS


class TestTheirOwn:
    """R3, P2: those who come in or go out are whom the change is about."""

    def test_nobody_joins_or_leaves_a_group_at_once(self, house, make):
        board = make("Board", house.cleo, house.olive)
        assert change(house.olive, make("Team", house.cleo), members=[house.cleo, house.olive]).state == State.PENDING
        assert change(house.olive, board, members=[house.cleo]).state == State.PENDING
        assert create(house.olive, "Mine", house.olive).state == State.PENDING

    def test_to_rename_ones_own_group_is_no_change_of_ones_own(self, house, make):
        assert change(house.olive, make("Board", house.olive), name="Chair").state == State.EXECUTED

    def test_whom_it_is_about_neither_approves_nor_rejects(self, house, make):
        board = make("Board", house.cleo)
        asked = change(house.ana, board, members=[house.ben])
        for member in (house.ben, house.cleo):
            for decide in (yes, no):
                with pytest.raises(DomainError, match="this is about you"):
                    decide(asked, member)
        assert yes(asked, house.fay).state == State.EXECUTED

    def test_what_nobody_else_could_approve_is_refused_when_it_is_asked(self, house, make):
        house.policy(ACCESS, 2)
        with pytest.raises(Refused, match="needs 2 approvals, and only Fay can give one"):
            change(house.ana, make("Board"), members=[house.ben, house.cleo, house.olive])

    def test_who_stays_decides(self, house, make):
        asked = change(house.ana, make("Board", house.ben), members=[house.ben, house.cleo])
        assert yes(asked, house.ben).state == State.EXECUTED


def test_letting_people_out_only_takes_power_so_one_rejection_does_not_end_it(house, make):
    """R5: so that nobody keeps one of their own in."""
    board = make("Board", house.ben, house.cleo)
    out = change(house.ana, board, members=[house.ben])
    assert no(out, house.fay).state == State.PENDING
    assert yes(out, house.ben).state == State.EXECUTED
    in_and_out = change(house.ana, board, members=[house.cleo])
    assert no(in_and_out, house.fay).state == State.REJECTED


class TestStaleness:
    """R6: by field."""

    def test_who_is_in_it_is_one_field(self, house, make):
        board = make("Board", house.ben)
        waiting = change(house.ana, board, members=[house.ben, house.cleo])
        first = change(house.olive, board, members=[house.ben, house.fay])
        stale = again(waiting)
        assert (first.state, stale.state) == (State.EXECUTED, State.STALE)
        assert stale.reason == f"Request {first.number} changed this first: Members."
        assert stale.overtaken[0] == {"name": "Members", "then": "Ben", "now": "Ben, Fay", "wanted": "Ben, Cleo"}

    def test_the_name_is_another_one(self, house, make):
        board = make("Board", house.ben)
        waiting = change(house.ana, board, members=[house.ben, house.cleo])
        change(house.olive, board, name="Directors")
        assert again(waiting).state == State.PENDING
        assert yes(waiting, house.fay).state == State.EXECUTED
        board.refresh_from_db()
        assert (board.name, in_it(board)) == ("Directors", {"Ben", "Cleo"})

    def test_a_removed_group_is_a_changed_one(self, house, make):
        board = make("Board", house.ben)
        waiting = change(house.ana, board, name="Directors")
        remove(house.olive, board)
        assert again(waiting).overtaken[0]["now"] == "removed already"

    def test_who_was_removed_meanwhile_does_not_join(self, house, make):
        joining = change(house.ana, make("Board", house.cleo), members=[house.cleo, house.ben])
        making = create(house.ana, "Other", house.ben)
        propose(remove_member, actor=house.olive, params=RemoveMember(house.ben.pk, ()))
        assert [again(each).state for each in (joining, making)] == [State.STALE, State.STALE]
        assert "Who joins" in again(making).reason

    def test_two_of_one_name_do_not_both_come_about(self, house):
        waiting = create(house.ana, "Finance", house.ben)
        create(house.olive, "finance", house.cleo)
        assert yes(waiting, house.fay).state == State.FAILED
        assert "already" in again(waiting).reason


class TestWhenAMembershipEnds:
    def test_who_is_removed_is_in_no_group_any_more_and_each_remembers_it(self, house, make):
        board, team = make("Board", house.ben, house.cleo), make("Team", house.ben)
        asked = propose(remove_member, actor=house.olive, params=RemoveMember(house.ben.pk, ()))
        assert (in_it(board), in_it(team)) == ({"Cleo"}, set())
        events = AuditEvent.objects.filter(kind=EventKind.GROUP_CHANGED.value).order_by("pk")
        assert [(event.subject_label, event.data) for event in events] == [
            (name, {"change": asked.reference, "left": ["Ben"]}) for name in ("Board", "Team")
        ]

    def test_who_is_suspended_stays(self, house, make):
        board = make("Board", house.ben)
        house.ben.suspended_at = timezone.now()
        house.ben.save()
        assert in_it(board) == {"Ben"}
        assert change(house.olive, board, members=[house.ben, house.cleo]).state == State.EXECUTED

    def test_an_empty_group_can_be_filled_again(self, house, make):
        team = make("Team", house.ben)
        propose(remove_member, actor=house.olive, params=RemoveMember(house.ben.pk, ()))
        assert change(house.olive, team, members=[house.cleo]).state == State.EXECUTED


class TestLocks:
    """P4: while a locked rule names the group."""

    @pytest.mark.parametrize("what", ["in", "out", "name"])
    def test_a_change_of_what_a_locked_rule_names_never_runs_at_once(self, house, make, what):
        board = make("Board", house.ben, house.cleo, house.fay)
        ask_of(house, board, 1, locked=True)
        members = {"in": [house.ben, house.cleo, house.fay, house.otto], "out": [house.ben, house.cleo], "name": None}
        asked = change(house.olive, board, members=members[what], name="Chair" if what == "name" else None)
        assert asked.state == State.PENDING
        assert asked.required_besides == {"groups": [[board.pk, 1]]}

    def test_other_groups_are_changed_as_ever(self, house, make):
        ask_of(house, make("Board", house.ben, house.cleo, house.fay), 1, locked=True)
        assert change(house.olive, make("Team", house.ben), members=[house.cleo]).state == State.EXECUTED

    def test_without_a_lock_too(self, house, make):
        board = make("Board", house.ben, house.cleo, house.fay)
        ask_of(house, board, 1)
        assert change(house.olive, board, members=[house.ben, house.cleo]).state == State.EXECUTED


def test_asked_again_it_wants_the_same_of_the_group_as_it_is_now(house, make):
    board = make("Board", house.ben, house.cleo)
    asked = change(house.ana, board, members=[house.ben, house.fay])
    old = ChangeGroup(
        board.pk, Roster("Board", ids([house.ben, house.cleo])), Roster("Board", ids([house.ben, house.fay]))
    )
    change(house.olive, board, name="Chair", members=[house.ben, house.cleo, house.otto])
    wanted = renewed_change(old, again(asked))
    assert wanted.before == Roster("Chair", ids([house.ben, house.cleo, house.otto]))
    assert wanted.after == Roster("Chair", ids([house.ben, house.fay, house.otto]))
