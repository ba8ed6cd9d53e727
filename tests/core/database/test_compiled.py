"""A queryset that is compiled once: it keeps the text, and nothing that one call alone knows gets into that."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Exists, F, Q, Value
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Member, User
from portal.core.database.compiled import given
from portal.core.database.compiled.statement import compiled
from portal.core.database.rows import Rows

pytestmark = pytest.mark.django_db


def of_user(**found):
    """The people of one place, and whether that place is open."""
    rows = Member.objects.filter(organization=given.key("organization"), user__in=given.keys("users"))
    open_now = Exists(Member.objects.active(given.instant("now")).filter(organization=given.key("organization")))
    return User.objects.filter(pk=given.key("user")).values(places=Rows(rows, "pk"), is_open=open_now, **found)


def test_it_says_what_the_queryset_says_of_whatever_is_given(world):
    statement = compiled(of_user())
    for member in world.members.values():
        for users in ([], [member.user_id], [one.user_id for one in world.members.values()]):
            [row] = statement.run(
                user=member.user_id, organization=member.organization_id, users=users, now=timezone.now()
            )
            there = Member.objects.filter(organization=member.organization, user__in=users)
            assert sorted(pk for (pk,) in row["places"]) == sorted(there.values_list("pk", flat=True))
            assert row["is_open"] is True


def test_the_clock_is_that_of_the_call(world, ana):
    statement = compiled(of_user())
    later = timezone.now() + timedelta(days=7)
    rows = Member.objects.filter(organization=ana.organization)
    rows.update(suspended_at=timezone.now(), suspended_until=later)
    for now, is_open in ((later - timedelta(seconds=1), False), (later, True), (timezone.now(), False)):
        known = {"user": ana.user_id, "organization": ana.organization_id, "users": [], "now": now}
        assert [row["is_open"] for row in statement.run(**known)] == [is_open]


def test_there_may_be_no_row(world, ana):
    known = {"organization": ana.organization_id, "users": [], "now": timezone.now()}
    assert compiled(of_user()).run(user=0, **known) == []


def test_it_says_the_same_where_somebody_watches_the_queries(world, ana):
    statement = compiled(of_user())
    known = {"organization": ana.organization_id, "users": [ana.user_id], "now": timezone.now(), "user": ana.user_id}
    unseen = statement.run(**known)
    with CaptureQueriesContext(connection) as queries:
        assert statement.run(**known) == unseen == [{"places": [[ana.pk]], "is_open": True}]
    assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_it_says_the_same_when_the_server_has_it_prepared(world, ana, eve):
    statement = compiled(of_user())
    for _ in range(8):
        for member in (ana, eve):
            known = {"organization": member.organization_id, "users": [member.user_id], "user": member.user_id}
            assert statement.run(**known, now=timezone.now()) == [{"places": [[member.pk]], "is_open": True}]


@pytest.mark.parametrize(
    "known",
    [
        lambda: Q(pk=7),
        lambda: Q(email="ana@demo.test"),
        lambda: Q(name="Ana Ruiz"),
        lambda: Q(name="Ana"),
        lambda: Q(name=""),
        lambda: Q(name="it''s"),
        lambda: Q(last_login__lt=timezone.now()),
        lambda: Q(last_login__date=timezone.localdate()),
        lambda: Q(pk__in=[1, 2]),
        lambda: Q(pk=1),
        lambda: Q(is_active=Value(True)),
        lambda: Q(pk__in=Member.objects.active().values("user")),
    ],
)
def test_what_could_be_a_value_of_one_call_is_refused(known):
    with pytest.raises(TypeError, match="compiled once"):
        compiled(of_user().filter(known()))


@pytest.mark.parametrize("column", [F("name"), F("last_login"), Lower("email")])
def test_a_column_that_it_could_not_read_is_refused(column):
    with pytest.raises(TypeError, match="column of"):
        compiled(of_user(more=column))


def test_a_word_of_the_code_stands_in_the_text_itself():
    """PostgreSQL looks along an index with a condition only where the statement says the same."""
    text = compiled(of_user().filter(memberships__identity="verified")).text
    assert "'verified'" in text
    assert "%s" not in text
