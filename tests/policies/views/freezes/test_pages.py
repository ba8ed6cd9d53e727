"""The pages of freezes: freezing by the form, the list, lifting and freezing for longer (DESIGN §4)."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from policies.access import grant
from policies.models import ChangeRequest, Freeze, State
from policies.workflows import Right, Workflow
from tests.policies.views.freezes.conftest import LIST, MONEY, NEW, WHY, frozen, text_of

pytestmark = pytest.mark.django_db


def typed(**fields) -> dict[str, str]:
    return {"where": "manage_access", "address": "", "hours": "72", "reason": WHY, **fields}


def test_freezing_by_the_form(reader, ana, code):
    answer = reader(ana).post(NEW, typed(hours="3"), follow=True)
    assert answer.redirect_chain[0][0] == LIST
    made = Freeze.objects.get()
    assert (made.label, made.made_by, made.reason) == ("Manage Access", ana, WHY)
    assert made.ends_at - made.started_at == timedelta(hours=3)
    assert "Manage Access is frozen." in text_of(answer)


def test_freezing_asks_for_a_second_factor_that_was_shown_lately(reader, ana, code, time_machine):
    client = reader(ana)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    assert "Authentication code" in text_of(client.get(NEW))
    client.post(NEW, typed())
    assert not Freeze.objects.exists()
    client.post(NEW, typed(code=code(ana)))
    assert Freeze.objects.exists()


def test_a_link_has_chosen_what_is_frozen(reader, ana, world):
    account = world.account.pk
    page = reader(ana).get(f"{NEW}?where=initiate_withdrawal:{account}&address=btc-cold").content.decode()
    assert re.search(rf'value="initiate_withdrawal:{account}"\s+selected', page)
    assert 'value="btc-cold"' in page


def test_one_address_is_frozen_by_its_name(reader, ana, world):
    reader(ana).post(NEW, typed(where=f"initiate_withdrawal:{world.account.pk}", address="BTC-cold"))
    made = Freeze.objects.get()
    assert (made.label, made.account, len(made.destination)) == (
        "Initiate Withdrawal from Main to BTC-cold", world.account, 64,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"where": ""}, "where", "Choose what is frozen."),
        ({"where": "manage_time"}, "where", "manage_time"),
        ({"where": "initiate_withdrawal:999999"}, "where", "999999"),
        ({"hours": "73"}, "hours", "72"),
        ({"hours": "0"}, "hours", "1"),
        ({"hours": "many"}, "hours", "whole number"),
        ({"reason": ""}, "reason", "Say why"),
        ({"reason": "a" * 201}, "reason", "200"),
        ({"reason": "un\u202eseen"}, "reason", "invisible"),
        ({"where": "manage_access", "address": "btc-cold"}, "address", "from one Account"),
        ({"address": "a" * 65}, "address", "64"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_lost(reader, ana, fields, field, said):
    answer = reader(ana).post(NEW, typed(**fields))
    form = answer.context["form"]
    assert said in " ".join(form.errors[field]), form.errors
    assert not Freeze.objects.exists()
    if field != "reason":
        assert WHY in answer.content.decode()


def test_an_address_that_the_book_does_not_have_spends_no_code(reader, ana, world, code, time_machine):
    client = reader(ana)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    where, now = f"initiate_withdrawal:{world.account.pk}", code(ana)
    answer = client.post(NEW, typed(where=where, address="nowhere", code=now))
    assert answer.context["form"].errors["address"] == ["Main has no address of that name."]
    client.post(NEW, typed(where=where, address="btc-cold", code=now))
    assert Freeze.objects.exists()


def test_a_second_one_of_the_same_member_is_refused_with_the_reason(reader, ana):
    frozen(ana)
    answer = reader(ana).post(NEW, typed(where="manage_policies"))
    assert "nobody has two at a time" in text_of(answer)
    assert Freeze.objects.count() == 1


@pytest.mark.parametrize("name", ["ben", "audit"])
def test_without_initiate_there_is_no_form(reader, world, name):
    client = reader(world.members[name])
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, typed()).status_code == 403
    assert not Freeze.objects.exists()
    assert "Freezing takes Initiate on a workflow." in text_of(client.get(LIST))


def test_only_what_one_may_ask_for_is_offered(reader, audit, world):
    grant(audit, MONEY, Right.INITIATE, world.account)
    client = reader(audit)
    choices = dict(client.get(NEW).context["form"].fields["where"].choices)
    assert choices == {"": "Choose", f"initiate_withdrawal:{world.account.pk}": "Initiate Withdrawal from Main"}
    answer = client.post(NEW, typed(where="initiate_withdrawal"))
    assert "where" in answer.context["form"].errors


def test_the_list_shows_what_runs_with_who_why_and_until_when_and_what_has_ended(reader, ana, owner, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    frozen(ana, hours=1)
    lifted = frozen(owner, Workflow.MANAGE_POLICIES)
    Freeze.objects.filter(pk=lifted.pk).update(ended_at=now, ended_by="Ben Okafor")
    text = text_of(reader(ana).get(LIST))
    assert "Manage Access By" in text
    assert WHY in text
    assert "lifted by a request of Ben Okafor" in text
    places = [text.index(words) for words in ("Frozen now", "Manage Access By", "Ended", "lifted by a request")]
    assert places == sorted(places)
    time_machine.move_to(now + timedelta(hours=1), tick=False)
    text = text_of(reader(ana).get(LIST))
    assert "Nothing is frozen." in text
    assert "by itself" in text


def test_lifting_and_freezing_for_longer_are_asked_on_their_pages(reader, ana, world):
    made = frozen(world.members["owner"])
    client = reader(ana)
    page = text_of(client.get(f"{LIST}{made.pk}/lift/"))
    assert "Lift the freeze of Manage Access" in page
    assert "This will wait for 1 approval." in page
    for road, fields in (("lift", {"note": "It is found."}), ("longer", {"hours": "100", "note": "Not yet."})):
        answer = client.post(f"{LIST}{made.pk}/{road}/", fields)
        change = ChangeRequest.objects.latest("pk")
        assert answer.url == reverse("policies:request", args=[change.reference])
        assert (change.state, change.note, change.subject) == (State.PENDING, fields["note"], f"freeze:{made.pk}")
    listed = text_of(client.get(LIST))
    assert "Lift the freeze of Manage Access waits as request" in listed
    assert "Freeze Manage Access for longer waits as request" in listed


@pytest.mark.parametrize("hours", ["0", "721", "4", "x"])
def test_longer_is_refused_beside_the_hours(reader, ana, world, hours):
    made = frozen(world.members["owner"])
    answer = reader(ana).post(f"{LIST}{made.pk}/longer/", {"hours": hours, "note": "Not yet."})
    assert answer.context["form"].errors["hours"]
    assert "Not yet." in answer.content.decode()
    assert not ChangeRequest.objects.filter(subject=f"freeze:{made.pk}").exists()


def test_who_approves_lifts_and_who_views_does_neither(reader, ben, audit, ana):
    made = frozen(ana)
    client = reader(ben)
    assert client.get(f"{LIST}{made.pk}/lift/").status_code == 200
    assert client.get(f"{LIST}{made.pk}/longer/").status_code == 404
    client = reader(audit)
    for road in ("lift", "longer"):
        assert client.get(f"{LIST}{made.pk}/{road}/").status_code == 404
        assert client.post(f"{LIST}{made.pk}/{road}/", {"hours": "100"}).status_code == 404
    assert f"{LIST}{made.pk}/lift/" not in client.get(LIST).content.decode()


def test_what_has_ended_has_no_pages_any_more(reader, ana):
    made = frozen(ana)
    Freeze.objects.filter(pk=made.pk).update(ended_at=timezone.now())
    for road in ("lift", "longer"):
        assert reader(ana).get(f"{LIST}{made.pk}/{road}/").status_code == 404
