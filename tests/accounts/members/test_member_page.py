"""The page of one member, and what can be done from there."""

import re

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import grants
from accounts.grants import Given
from accounts.models import Account, Authenticator, Member, Session
from policies.models import ChangeRequest, State
from policies.workflows import Right, Workflow

pytestmark = pytest.mark.django_db
POSTS = ("suspend", "lift", "remove", "reset-factors", "end-sessions")
# What has a page of its own that says what it will do.
SHOWN_FIRST = ("suspend", "end-sessions")


def page(member, *more):
    return "/".join(["/members", str(member.pk), *more, ""])


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_it_says_everything_about_one_member(client, audit, ana, sign_in):
    sign_in(Client(), ana)
    sign_in(client, audit)
    text = text_of(client.get(page(ana)))
    for told in ("Ana Ruiz", "ana@demo.test", "Authenticator app", "Verified", "by authenticator app", "member since"):
        assert told in text
    assert "You need Initiate on Manage Access" in text
    assert "Change rights" not in text


def test_rights_are_a_matrix_with_what_is_implied(client, owner, ana, world, sign_in):
    Account.objects.create(organization=world.organization, name="Payroll", created_at=timezone.now())
    sign_in(client, owner)
    text = text_of(client.get(page(ana)))
    rows = re.findall(r"<tr> <th scope=\"row\">(.*?)</tr>", text)
    assert len(rows) == 2 + 2 * 3
    assert re.findall(r"<td>(.*?)</td>", rows[0]) == [
        " implied ",
        " <b>yes</b> ",
        ' <span class="quiet">no</span> ',
        ' <span class="quiet">no</span> ',
    ]
    assert "All Accounts" in rows[2]
    assert "Main" in rows[3]


def test_rights_are_asked_for_by_ticking(client, ana, audit, sign_in, code):
    sign_in(client, ana)
    form = client.get(page(audit, "rights")).context["form"]
    before = form["before"].value()
    posted = {"before": before, "rights": ["manage_access:initiate", "initiate_withdrawal:view"], "code": code(ana)}
    answer = client.post(page(audit, "rights"), posted)
    change = ChangeRequest.objects.latest("pk")
    assert answer.url == f"/requests/{change.reference}/"
    assert change.params["after"] == [
        {"workflow": "manage_access", "right": "initiate", "account_id": None},
        {"workflow": "initiate_withdrawal", "right": "view", "account_id": None},
    ]
    assert client.get(answer.url).status_code == 200
    assert "already asked" in text_of(client.post(page(audit, "rights"), posted))


def test_a_preset_fills_the_form_and_is_copied(client, owner, audit, sign_in, code):
    """M2: copied, never referenced."""
    sign_in(client, owner)
    form = client.get(page(audit, "rights") + "?preset=approver").context["form"]
    ticked = [box.value for line in form.lines() for box in line.boxes if box.is_checked]
    client.post(page(audit, "rights"), {"before": form["before"].value(), "rights": ticked, "code": code(owner)})
    held = grants.of(audit)
    assert {one.workflow for one in held if one.right is Right.APPROVE} == set(Workflow)
    assert client.get(page(audit, "rights") + "?preset=nonsense").status_code == 200


def test_rights_as_they_are_held_are_no_change(client, owner, audit, sign_in, code):
    """Nobody is asked to agree to nothing."""
    sign_in(client, owner)
    form = client.get(page(audit, "rights")).context["form"]
    posted = {"before": form["before"].value(), "rights": form["rights"].value(), "code": code(owner)}
    assert "Nothing would change." in text_of(client.post(page(audit, "rights"), posted))
    assert not ChangeRequest.objects.filter(operation="accounts.change_rights").exists()


def test_rights_on_one_account_of_several_are_ticked_in_its_line(client, owner, audit, world, sign_in, code):
    reserve = Account.objects.create(organization=world.organization, name="Reserve", created_at=timezone.now())
    sign_in(client, owner)
    form = client.get(page(audit, "rights")).context["form"]
    assert [(line.title, line.account) for line in form.lines()].count(("Initiate Withdrawal", "Reserve")) == 1
    ticks = [f"initiate_withdrawal:initiate:{reserve.pk}"]
    client.post(page(audit, "rights"), {"before": form["before"].value(), "rights": ticks, "code": code(owner)})
    assert grants.of(audit) == (Given(Workflow.INITIATE_WITHDRAWAL, Right.INITIATE, reserve.pk),)


def test_a_form_filled_from_other_rights_is_refused(client, owner, audit, sign_in, code):
    sign_in(client, owner)
    before = client.get(page(audit, "rights")).context["form"]["before"].value()
    grants.give(audit, (Given(Workflow.MANAGE_ACCESS, Right.VIEW),))
    posted = {"before": before, "rights": ["manage_access:initiate"], "code": code(owner)}
    assert "while you were looking" in text_of(client.post(page(audit, "rights"), posted))
    assert grants.of(audit) == (Given(Workflow.MANAGE_ACCESS, Right.VIEW),)


def test_boxes_of_another_organization_are_no_choice(client, owner, audit, world, sign_in, code):
    """AZ-3: post another organization's Account."""
    sign_in(client, owner)
    theirs = Account.objects.get(organization=world.elsewhere)
    before = client.get(page(audit, "rights")).context["form"]["before"].value()
    posted = {"before": before, "rights": [f"initiate_withdrawal:view:{theirs.pk}"], "code": code(owner)}
    assert client.post(page(audit, "rights"), posted).status_code == 200
    assert len(grants.of(audit)) == 4


def test_changing_rights_takes_a_second_factor(client, owner, audit, sign_in, code):
    """SU-1: rights."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, owner)
        before = client.get(page(audit, "rights")).context["form"]["before"].value()
        clock.shift(301)
        posted = {"before": before, "rights": ["manage_access:view"]}
        assert "Authentication code" in text_of(client.post(page(audit, "rights"), posted))
        assert len(grants.of(audit)) == 4
        assert client.post(page(audit, "rights"), {**posted, "code": code(owner)}).status_code == 302
        assert len(grants.of(audit)) == 1


def test_each_button_does_what_it_says(client, owner, ana, ben, sign_in, code):
    sign_in(Client(), ben)
    sign_in(client, owner)
    shown = client.get(page(ben, "end-sessions")).context["form"].shown
    assert client.post(page(ben, "end-sessions"), {"reason": "A tab left open.", "shown": shown}).url == page(ben)
    assert not Session.objects.filter(member=ben).exists()
    client.post(page(ben, "suspend"), {"reason": "A stolen laptop."})
    assert "is suspended" in text_of(client.get(page(ben)))
    client.post(page(ben, "lift"), {"code": code(owner)})
    ben.refresh_from_db()
    assert ben.is_active
    client.post(page(ben, "reset-factors"), {"code": code(owner)})
    assert not Authenticator.objects.filter(user=ben.user).exists()
    assert "approves nothing, and finishes nothing alone, of money, access and policies" in text_of(
        client.get(page(ben))
    )
    assert client.post(page(ana, "remove"), {"code": code(owner)}).status_code == 302
    text = text_of(client.get(page(ana)))
    assert "was removed" in text
    assert "Member removed" in text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_who_signs_themselves_out_everywhere_is_led_to_the_sign_in(client, owner, sign_in, headers):
    """WB-7: the session of this very request is gone when it would be saved."""
    sign_in(client, owner)
    shown = client.get(page(owner, "end-sessions")).context["form"].shown
    answer = client.post(page(owner, "end-sessions"), {"reason": "All of mine.", "shown": shown}, headers=headers)
    assert "/sign-in/" in (answer.headers.get("Location"), answer.headers.get("HX-Redirect"))
    assert not Session.objects.filter(session_key=client.cookies["session"].value).exists()
    assert not Session.objects.filter(user=owner.user).exists()
    assert client.get(page(owner)).status_code == 302


def test_what_cannot_be_done_says_why(client, ana, owner, sign_in):
    sign_in(client, ana)
    text = text_of(client.get(page(owner)))
    assert "change only by a transfer of ownership" in text
    text = text_of(client.get(page(ana)))
    assert "Nobody suspends themselves" in text
    assert "Change your own factors under Security" in text


def test_a_refusal_of_the_operation_stands_on_the_page(client, owner, ben, cleo, sign_in, code):
    sign_in(client, owner)
    client.post(page(ben, "remove"), {"code": code(owner)})
    assert "nobody can finish" in text_of(client.post(page(cleo, "remove"), {"code": code(owner)}))


def test_who_approves_asks_to_lift_on_the_page(client, ana, ben, cleo, sign_in, code):
    Member.objects.filter(pk=ben.pk).update(suspended_at=timezone.now(), suspended_by=ana)
    sign_in(client, cleo)
    assert "Lift suspension" in text_of(client.get(page(ben)))
    assert client.post(page(ben, "lift"), {"code": code(cleo)}).status_code == 302
    assert ChangeRequest.objects.latest("pk").state == State.PENDING


@pytest.mark.parametrize("what", [*POSTS, "rights"])
def test_who_may_only_look_does_none_of_it(client, audit, ana, sign_in, what):
    """AZ-1: refused by the view, and nothing changes."""
    sign_in(client, audit)
    answer = client.post(page(ana, what), {"rights": []})
    assert answer.status_code == (200 if what == "lift" else 403)
    ana.refresh_from_db()
    assert ana.is_active
    assert not ChangeRequest.objects.filter(member=audit).exists()


@pytest.mark.parametrize("what", ["", *POSTS, "rights", "identity"])
def test_the_neighbours_members_do_not_exist(client, eve, ana, sign_in, what):
    """AZ-2: foreign ids give 404 like unknown ids."""
    sign_in(client, eve)
    path = page(ana, what) if what else page(ana)
    send = client.post if what in POSTS else client.get
    assert send(path).status_code == 404
    assert send(path.replace(str(ana.pk), "987654")).status_code == 404


@pytest.mark.parametrize("what", POSTS)
def test_nothing_of_it_happens_by_looking(client, owner, ana, sign_in, what):
    """CR-16: GET never decides; what shows nothing first leads to the page that it belongs to."""
    sign_in(client, owner)
    before = ChangeRequest.objects.count()
    answer = client.get(page(ana, what))
    assert answer.status_code == (200 if what in SHOWN_FIRST else 302)
    assert what in SHOWN_FIRST or answer.url == page(ana)
    assert ChangeRequest.objects.count() == before


def test_a_long_history_takes_as_many_queries_as_a_short_one(client, owner, audit, sign_in):
    sign_in(client, owner)
    client.get(page(audit))
    with CaptureQueriesContext(connection) as few:
        client.get(page(audit))
    for _ in range(10):
        sign_in(Client(), audit)
    with CaptureQueriesContext(connection) as many:
        client.get(page(audit))
    assert len(many) == len(few)
