"""The pages about groups: allowed, refused, another Organization, bad input, and as many statements for more."""

from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from policies.changes import propose
from policies.models import ChangeRequest, Group, State
from policies.operations import CreateGroup, create_group
from policies.views.descriptions import described
from policies.workflows import Workflow
from tests.policies.conftest import page, yes
from tests.policies.groups.conftest import ask_of, create, ids, in_it

pytestmark = pytest.mark.django_db
LIST, NEW = reverse("policies:groups"), reverse("policies:new_group")


def at(group, what="group"):
    return reverse(f"policies:{what}", args=[group.pk])


def read(client, url, **sent) -> str:
    return unescape(client.get(url, sent or None).content.decode())


def said(client, url, sent) -> str:
    answer = client.post(url, sent)
    assert answer.status_code == 200, answer.status_code
    return unescape(answer.content.decode())


def form_of(client, group) -> dict[str, object]:
    """The form on its page as a browser would send it back untouched."""
    form = client.get(at(group)).context["form"]
    return {"name": form["name"].value(), "members": form["members"].value(), "seen": form["seen"].value(), "note": ""}


@pytest.fixture
def finance(owner, ben, cleo) -> Group:
    propose(create_group, actor=owner, params=CreateGroup("Finance", tuple(sorted((ben.pk, cleo.pk)))))
    return Group.objects.get(organization=owner.organization)


class TestList:
    def test_it_names_who_is_in_each_what_asks_for_it_and_what_waits(self, finance, ana, fay, audit, browser):
        create(ana, "Board", fay)
        text = read(browser(audit), LIST)
        for words in ("Finance", "Ben Adeyemi, Cleo Novak", "no policy", "Create the group Board"):
            assert words in text
        assert "Create a group" not in text

    def test_without_groups_it_says_what_one_is(self, owner, audit, browser):
        assert "Create the first one" in read(browser(owner), LIST)
        text = read(browser(audit), LIST)
        assert "There is no group yet." in text
        assert "Creating one takes Initiate on Manage Access." in text

    def test_it_is_reached_from_members_and_policies(self, owner, browser):
        client = browser(owner)
        for start in ("accounts:members", "policies:policies"):
            assert f'href="{LIST}"' in read(client, reverse(start))

    def test_as_many_statements_for_twenty(self, finance, owner, ben, browser):
        client = browser(owner)
        client.get(LIST)
        with CaptureQueriesContext(connection) as few:
            client.get(LIST)
        for number in range(20):
            create(owner, f"Team {number + 20}", ben)
        with CaptureQueriesContext(connection) as many:
            client.get(LIST)
        assert len(many) == len(few)

    def test_of_many_members_some_are_named_and_the_others_counted(self, house, make, browser):
        make("All", *(house.member(f"m{number}") for number in range(15)))
        assert "and 3 more" in read(browser(house.olive), LIST)


class TestNew:
    def test_it_is_made_at_once_by_who_may(self, owner, ben, browser):
        client = browser(owner)
        assert "This happens at once." in read(client, NEW)
        answer = client.post(NEW, {"name": "Finance", "members": [ben.pk], "note": ""})
        assert answer.headers["Location"] == LIST
        assert in_it(Group.objects.get()) == {"Ben Adeyemi"}

    def test_it_is_asked_for_by_others_and_read_by_who_decides(self, owner, ana, ben, cleo, fay, browser):
        client = browser(ana)
        assert "This will wait for 1 approval." in read(client, NEW)
        answer = client.post(NEW, {"name": "Finance", "members": [ben.pk, cleo.pk], "note": "For the audit."})
        change = ChangeRequest.objects.get(member=ana)
        assert answer.headers["Location"] == reverse("policies:request", args=[change.reference])
        text = unescape(page(browser(fay), change))
        for words in ("create the group", "Ben Adeyemi", "not in it", "in the group", "For the audit."):
            assert words in text
        assert yes(change, fay).state == State.EXECUTED

    @pytest.mark.parametrize("who", ["ben", "audit"])
    def test_it_is_for_who_may_ask(self, world, who, browser):
        client = browser(world.members[who])
        assert client.get(NEW).status_code == 403
        assert client.post(NEW, {"name": "Finance"}).status_code == 403

    @pytest.mark.parametrize(
        ("typed", "says"),
        [
            ({"name": ""}, "This field is required."),
            ({"name": "x" * 61}, "at most 60 characters"),
            ({"name": "Fin\u200bance"}, "Remove the invisible characters"),
            ({"name": "FINANCE"}, "There is a group named FINANCE already"),
            ({"members": []}, "Choose one member at least."),
            ({"members": ["x"]}, "Somebody you chose is no member any more."),
        ],
    )
    def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
        self, finance, owner, fay, browser, typed, says
    ):
        text = said(browser(owner), NEW, {"name": "Board", "members": [fay.pk], "note": "My note", **typed})
        assert says in text
        assert "My note" in text
        if "name" in typed:
            assert f'value="{fay.pk}" checked' in " ".join(text.split())
        assert Group.objects.count() == 1

    def test_somebody_of_another_organization_cannot_be_chosen(self, owner, eve, browser):
        text = said(browser(owner), NEW, {"name": "Board", "members": [eve.pk], "note": ""})
        assert "Somebody you chose is no member any more." in text
        assert "Eve Aldous" not in text

    def test_more_than_eighty_are_refused_beside_the_field(self, house, browser):
        many = [house.member(f"m{number}").pk for number in range(81)]
        text = said(browser(house.olive), NEW, {"name": "All", "members": many, "note": ""})
        assert "80 members at most; these are 81." in text

    def test_it_takes_a_second_factor(self, owner, ben, browser):
        client = browser(owner)
        with time_machine.travel(timezone.now() + timedelta(minutes=15), tick=False):
            text = said(client, NEW, {"name": "Finance", "members": [ben.pk], "note": ""})
        assert "Write the six digits" in text
        assert not Group.objects.exists()

    def test_what_it_takes_is_said_as_the_boxes_are_ticked(self, owner, ana, browser):
        """P2: a change of one's own never runs at once."""
        assert "This happens at once." in read(browser(owner), NEW, ticks=1, members=[ana.pk])
        assert "This will wait for 1 approval." in read(browser(owner), NEW, ticks=1, members=[owner.pk])


class TestOne:
    def test_who_may_look_reads_who_is_in_it_and_changes_nothing(self, finance, audit, browser):
        client = browser(audit)
        text = read(client, at(finance))
        for words in ("2 members", "Ben Adeyemi", "Cleo Novak", "Changing it takes Initiate on Manage Access."):
            assert words in text
        assert "<form" not in text[text.index("<main") :]
        for what in ("change_group", "remove_group"):
            assert client.post(at(finance, what), {}).status_code == 403

    def test_a_change_is_made_at_once_by_who_may(self, finance, owner, ben, fay, browser):
        client = browser(owner)
        sent = form_of(client, finance) | {"name": "Treasury", "members": [ben.pk, fay.pk]}
        assert client.post(at(finance, "change_group"), sent).headers["Location"] == at(finance)
        finance.refresh_from_db()
        assert (finance.name, in_it(finance)) == ("Treasury", {"Ben Adeyemi", "Fay Lindholm"})

    def test_others_ask_and_who_decides_reads_who_comes_and_who_goes(self, finance, ana, ben, fay, owner, browser):
        client = browser(ana)
        client.post(at(finance, "change_group"), form_of(client, finance) | {"members": [ben.pk, fay.pk]})
        change = ChangeRequest.objects.get(member=ana)
        text = unescape(page(browser(owner), change))
        told = described(change)
        assert told is not None
        sentence = " ".join(strip_tags(told.sentence).split())
        assert sentence == "Ana Ruiz asks to change the group Finance: Fay Lindholm joins, Cleo Novak leaves."
        for words in ("Join", "Fay Lindholm", "Leave", "Cleo Novak", "In it then", "Ben Adeyemi, Fay Lindholm"):
            assert words in text
        assert "no policy; being in it gives nothing yet" in text
        assert "Change the group Finance" in read(client, at(finance))
        assert yes(change, owner).state == State.EXECUTED
        assert "Fay Lindholm" in unescape(page(browser(owner), change))

    def test_a_form_of_before_is_refused_and_keeps_what_was_typed(self, finance, owner, ben, fay, browser):
        client = browser(owner)
        old = form_of(client, finance)
        client.post(at(finance, "change_group"), old | {"members": [ben.pk, fay.pk]})
        text = said(client, at(finance, "change_group"), old | {"name": "Treasury"})
        assert "changed while you were looking" in text
        assert 'value="Treasury"' in text

    def test_what_changes_nothing_is_refused(self, finance, owner, browser):
        client = browser(owner)
        assert "Nothing would change." in said(client, at(finance, "change_group"), form_of(client, finance))

    def test_it_is_removed(self, finance, owner, browser):
        client = browser(owner)
        assert client.post(at(finance, "remove_group"), {"note": ""}).headers["Location"] == LIST
        assert client.get(at(finance)).status_code == 404
        assert "There is no group yet." in read(client, LIST)

    def test_who_is_suspended_is_said_to_be(self, finance, owner, ben, browser):
        ben.suspended_at = timezone.now()
        ben.save()
        assert "Ben Adeyemi (suspended)" in read(browser(owner), LIST)
        assert "suspended" in read(browser(owner), at(finance))

    def test_two_hundred_members_are_boxes_with_a_way_past_them(self, house, make, browser):
        for number in range(200):
            house.member(f"m{number}", factor=False)
        group = make("Board", house.cleo)
        client = browser(house.olive)
        client.get(at(group))
        with CaptureQueriesContext(connection) as statements:
            text = read(client, at(group))
        assert text.count('name="members"') == 206
        assert text.index(f'value="{house.cleo.pk}"') < text.index(f'value="{house.ana.pk}"'), "who is in it first"
        assert 'href="#after-members"' in text
        assert len(statements) <= 15


class TestNamed:
    """By a rule of a policy."""

    def test_the_rule_is_shown_and_the_group_cannot_be_removed(self, house, make, browser):
        board = make("Board", house.ben, house.cleo, house.fay)
        ask_of(house, board, 2, locked=True)
        client = browser(house.olive)
        text = read(client, at(board))
        for words in (
            "Initiate Withdrawal: 2 approvals, locked",
            "2 approvals of Board",
            "A policy asks for it: Initiate Withdrawal.",
            "Protected, because a locked rule asks for this group.",
        ):
            assert words in text
        assert "Remove group" not in text
        assert "The policy of Initiate Withdrawal asks for" in said(client, at(board, "remove_group"), {"note": ""})

    def test_the_rule_itself_is_for_who_may_look_at_policies(self, house, make, browser):
        board = make("Board", house.ben, house.cleo)
        ask_of(house, board, 1)
        house.otto.grants.filter(workflow=Workflow.MANAGE_POLICIES).delete()
        text = read(browser(house.otto), at(board))
        assert "Initiate Withdrawal: 1 approval" in text
        assert "Whatever is asked" not in text

    def test_whoever_comes_in_is_marked_as_getting_power(self, house, make, browser):
        board = make("Board", house.ben, house.cleo)
        ask_of(house, board, 1)
        client = browser(house.ana)
        client.post(at(board, "change_group"), form_of(client, board) | {"members": [house.ben.pk, house.fay.pk]})
        text = unescape(page(browser(house.olive), ChangeRequest.objects.get(member=house.ana)))
        assert '<ins class="grow">in the group</ins>' in " ".join(text.split())
        assert "This gives people power." in text
        assert "Initiate Withdrawal: 1 approval" in text


def test_of_many_who_move_the_sentence_counts_and_the_page_names_all(house, make, browser):
    board = make("Board", house.ben)
    client = browser(house.ana)
    many = [house.olive, house.ana, house.otto, house.cleo]
    client.post(at(board, "change_group"), form_of(client, board) | {"members": ids(many), "name": "Directors"})
    change = ChangeRequest.objects.get(member=house.ana)
    told = described(change)
    assert told is not None
    sentence = " ".join(strip_tags(told.sentence).split())
    assert sentence == "Ana asks to change the group Board: 4 members join, Ben leaves, it is called Directors."
    rows = [
        ("Name", "Board", "Directors"),
        *((name, "not in it", "in the group") for name in ("Ana", "Cleo", "Olive", "Otto")),
    ]
    assert [(field.field, field.before, field.after) for field in told.changes] == [
        *rows,
        ("Ben", "in the group", "not in it"),
    ]


def test_a_members_page_names_their_groups(finance, owner, ben, fay, browser):
    client = browser(owner)
    assert f'href="{at(finance)}"' in read(client, reverse("accounts:member", args=[ben.pk]))
    assert f'href="{at(finance)}"' not in read(client, reverse("accounts:member", args=[fay.pk]))


def test_the_history_leads_to_the_group_while_there_is_one(finance, owner, browser):
    client = browser(owner)
    text = read(client, reverse("dashboard:history"))
    assert f'href="{at(finance)}"' in text
    assert "in: Ben Adeyemi, Cleo Novak" in text
    client.post(at(finance, "remove_group"), {"note": ""})
    text = read(client, reverse("dashboard:history"))
    assert "removed the group" in text
    assert f'href="{at(finance)}"' not in text
