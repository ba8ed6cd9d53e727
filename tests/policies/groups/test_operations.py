"""Making groups, changing them and removing them, each asked for by Manage Access (DESIGN P7)."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from policies.changes import propose
from policies.drafts import put
from policies.models import Group, GroupMember, Policy, State
from policies.operations import ChangeGroup, CreateGroup, Roster, change_group, create_group
from policies.operations.group_rosters import MAX_GROUPS, MAX_MEMBERS
from policies.rules.language import GroupApprovals, Rule
from policies.workflows import Workflow
from portal.audit import chain
from portal.audit.kinds import EventKind
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, Invalid, NotFound, Refused
from tests.policies.conftest import again, is_untouched, yes
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
