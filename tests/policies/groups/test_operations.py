"""Making groups, changing them and removing them, each asked for by Manage Access (DESIGN P7)."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.members.end_membership import RemoveMember, remove_member
from policies.changes import propose
from policies.drafts import put
from policies.models import Group, GroupMember, Policy, State
from policies.operations import ChangeGroup, CreateGroup, Roster, change_group, create_group
from policies.operations.group_rosters import MAX_GROUPS, MAX_MEMBERS
from policies.operations.groups import renewed_change
from policies.rules.language import GroupApprovals, Rule
from policies.workflows import Workflow
from portal.audit import chain
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, DomainError, Invalid, NotFound, Refused
from tests.policies.conftest import again, is_untouched, no, yes
from tests.policies.groups.conftest import ask_of, change, create, ids, in_it, remove

pytestmark = pytest.mark.django_db
ACCESS = Workflow.MANAGE_ACCESS


def last(kind) -> AuditEvent:
    return AuditEvent.objects.filter(kind=kind.value).latest("pk")


def test_a_group_is_made_at_once_by_whoever_may_finish_alone(house):
    asked = create(house.olive, "Finance", house.cleo, house.ben)
    group = Group.objects.get()
    assert (asked.state, asked.workflow, group.name) == (State.EXECUTED, ACCESS, "Finance")
    assert in_it(group) == {"Ben", "Cleo"}
    event = last(EventKind.GROUP_CREATED)
    assert (event.workflow, event.subject_label) == (ACCESS.value, "Finance")
    assert event.data == {"change": asked.reference, "joined": ["Ben", "Cleo"]}
    assert chain.verify(house.organization.pk) is None


def test_it_waits_for_an_approval_of_whoever_only_asks(house):
    asked = create(house.ana, "Finance", house.ben)
    assert (asked.state, Group.objects.count()) == (State.PENDING, 0)
    assert yes(asked, house.cleo).state == State.EXECUTED
    assert in_it(Group.objects.get()) == {"Ben"}


@pytest.mark.parametrize("who", ["otto", "ben"])
def test_who_may_not_ask_makes_none(house, who):
    with pytest.raises(Refused, match="does not hold Initiate on Manage Access"):
        create(house.people[who], "Finance", house.cleo)
    assert is_untouched(house)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "Give the group a name"),
        (" Finance", "without space at its ends"),
        ("Fin\u202eance", "cannot be seen"),
        ("x" * 61, "At most 60 characters"),
        ("BOARD", "named BOARD already"),
        ("B0ard", "or one like it"),
    ],
)
def test_a_name_that_is_wrong_is_refused_beside_its_field(house, make, name, says):
    make("Board", house.cleo)
    with pytest.raises(Invalid, match=says) as wrong:
        create(house.olive, name, house.ben)
    assert wrong.value.field == ("title" if name == "Fin\u202eance" else "name")


def test_a_name_of_sixty_letters_is_taken(house):
    assert create(house.olive, "x" * 60, house.ben).state == State.EXECUTED
    assert create(house.olive, "İ" * 60, house.ben).state == State.EXECUTED


def test_a_name_is_free_again_once_its_group_is_removed(house, make):
    remove(house.olive, make("Board", house.cleo))
    assert create(house.olive, "board", house.ben).state == State.EXECUTED


def test_the_same_name_next_door_is_no_matter(house, next_door, make):
    make("Board", next_door.eve, organization=next_door.organization)
    assert create(house.olive, "Board", house.ben).state == State.EXECUTED


def test_the_database_keeps_names_apart_around_the_form(house, make):
    make("Board")
    with pytest.raises(IntegrityError), transaction.atomic():
        make("bOARD")


def test_a_group_without_members_is_refused(house, make):
    with pytest.raises(Invalid, match="one member at least") as wrong:
        create(house.olive, "Finance")
    assert wrong.value.field == "members"
    with pytest.raises(Invalid, match="one member at least"):
        change(house.olive, make("Board", house.cleo), members=[])


def test_a_group_has_eighty_members_at_most_each_once(house):
    many = tuple(range(1, MAX_MEMBERS + 2))
    with pytest.raises(Invalid, match="80 members at most; these are 81"):
        propose(create_group, actor=house.olive, params=CreateGroup("All", many))
    with pytest.raises(Invalid, match="each member once"):
        propose(create_group, actor=house.olive, params=CreateGroup("All", (house.ben.pk, house.ben.pk)))


def test_there_are_fifty_groups_at_most(house, make):
    for number in range(MAX_GROUPS - 1):
        make(f"Team {number * 7 + 100}")
    waiting = create(house.ana, "Other", house.ben)
    create(house.olive, "Last", house.ben)
    with pytest.raises(Conflict, match="50 groups at most"):
        create(house.olive, "One more", house.ben)
    assert yes(waiting, house.cleo).state == State.FAILED
    assert "50 groups at most" in again(waiting).reason


@pytest.mark.parametrize("who", ["eve", "gone"])
def test_who_is_no_member_here_is_not_found(house, next_door, make, who):
    """Of another Organization it does not show that they exist; who was removed is a member no more."""
    house.member("gone")
    house.gone.removed_at = timezone.now()
    house.gone.save()
    stranger = next_door.eve if who == "eve" else house.gone
    with pytest.raises(NotFound, match="no such member"):
        create(house.olive, "Finance", house.ben, stranger)
    board = make("Board", house.cleo)
    with pytest.raises(NotFound, match="no such member"):
        change(house.olive, board, members=[house.cleo, stranger])


def test_a_group_of_another_organization_is_not_found(house, next_door, make):
    theirs = make("Theirs", next_door.eve, organization=next_door.organization)
    with pytest.raises(NotFound):
        change(house.olive, theirs, name="Ours")
    with pytest.raises(NotFound):
        remove(house.olive, theirs)
    assert is_untouched_group(theirs)


def is_untouched_group(group) -> bool:
    group.refresh_from_db()
    return (group.name, group.removed_at) == ("Theirs", None) and in_it(group) == {"Eve"}


def test_a_change_renames_lets_in_and_lets_out(house, make):
    board = make("Board", house.cleo, house.fay)
    asked = change(house.olive, board, name="Directors", members=[house.ben, house.fay])
    board.refresh_from_db()
    assert (asked.state, board.name, in_it(board)) == (State.EXECUTED, "Directors", {"Ben", "Fay"})
    data = last(EventKind.GROUP_CHANGED).data
    assert (data["before"], data["after"], data["joined"], data["left"]) == ("Board", "Directors", ["Ben"], ["Cleo"])


def test_a_change_that_changes_nothing_is_refused(house, make):
    with pytest.raises(Invalid, match="Nothing would change"):
        change(house.olive, make("Board", house.cleo))


def test_what_was_not_seen_is_not_written_over(house, make):
    board = make("Board", house.cleo)
    seen = Roster("Board", ids([house.fay]))
    with pytest.raises(Conflict, match="was changed since"):
        propose(
            change_group,
            actor=house.olive,
            params=ChangeGroup(board.pk, seen, Roster("Board", ids([house.fay, house.ben]))),
        )
    with pytest.raises(Conflict, match="was changed since"):
        propose(
            change_group,
            actor=house.olive,
            params=ChangeGroup(board.pk, Roster("Bored", ids([house.cleo])), Roster("Chair", ids([house.cleo]))),
        )
    assert in_it(board) == {"Cleo"}


def test_a_removed_group_is_in_no_list_and_nobody_is_in_it(house, make):
    board = make("Board", house.cleo)
    assert remove(house.olive, board).state == State.EXECUTED
    board.refresh_from_db()
    assert board.removed_at is not None
    assert not GroupMember.objects.exists()
    assert last(EventKind.GROUP_REMOVED).data["left"] == ["Cleo"]
    with pytest.raises(NotFound):
        remove(house.olive, board)
    with pytest.raises(NotFound):
        change(house.olive, board, name="Again")


@pytest.mark.parametrize("locked", [False, True])
def test_a_group_that_a_policy_names_is_not_removed(house, make, locked):
    board = make("Board", house.ben, house.cleo, house.fay)
    ask_of(house, board, locked=locked)
    with pytest.raises(Conflict, match="The policy of Initiate Withdrawal asks for approvals of Board"):
        remove(house.olive, board)


def test_a_group_that_came_to_be_named_is_not_removed_by_an_older_request(house, make):
    board = make("Board", house.ben, house.cleo, house.fay)
    asked = remove(house.ana, board)
    ask_of(house, board)
    assert yes(asked, house.ben).state == State.FAILED
    assert "asks for approvals of Board" in again(asked).reason


def test_nobody_removes_a_group_that_an_unreadable_policy_may_name(house, make):
    board = make("Board", house.cleo)
    house.policy(Workflow.INITIATE_WITHDRAWAL, 1)
    Policy.objects.update(rules=[{"what": "is this"}])
    with pytest.raises(Conflict, match="The policy of Initiate Withdrawal"):
        remove(house.olive, board)


@pytest.mark.parametrize("who", ["ana", "otto"])
def test_a_group_that_somebody_writes_rules_about_is_not_removed(house, make, who):
    board, author = make("Board", house.ben), house.people[who]
    put(author, Workflow.MANAGE_ACCESS, Rule(groups=(GroupApprovals(board.pk, 1),)), key="", terms=None)
    with pytest.raises(Conflict, match=f"{author.label} is writing rules for Manage Access that ask for .* of Board"):
        remove(house.olive, board)
    author.suspended_at = timezone.now()
    author.save()
    assert remove(house.olive, board).state == State.EXECUTED, "who is kept out could not take it out of there"


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
