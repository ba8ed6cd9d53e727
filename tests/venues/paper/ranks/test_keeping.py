"""Ranks are kept by the database, whoever writes the rows; adding them up again finds what somebody changed in them."""

from importlib import import_module
from random import Random

import pytest
from django.db import connection, transaction

from portal.venues.paper import reconciliation
from portal.venues.paper.orders.models import Order
from portal.venues.paper.ranks.models import Rank, RankCount
from tests.venues.conftest import open_account, together
from tests.venues.paper.ranks import rows

ranks = import_module("portal.venues.paper.migrations.0003_ranks")


def found():
    return [difference for difference in reconciliation.differences() if ", list " in difference]


@pytest.fixture
def filled(empty):
    """An Account with rows in all three lists."""
    chance = Random(5)
    rows.orders(empty, chance, 30)
    rows.postings(empty, chance, 30)
    rows.trades(empty, chance, 30)
    assert found() == []
    return empty


def test_what_was_there_before_is_numbered_by_the_migration(filled):
    kept = sorted(Rank.objects.values_list("account", "list", "key", "number", "at", "row_id"))
    counts = sorted(RankCount.objects.values_list("account", "list", "key", "count"))
    Rank.objects.all().delete()
    RankCount.objects.all().delete()
    assert found() != []

    with connection.cursor() as cursor:
        for statement in ranks.numbering(connection.vendor):
            cursor.execute(statement)

    assert sorted(Rank.objects.values_list("account", "list", "key", "number", "at", "row_id")) == kept
    assert sorted(RankCount.objects.values_list("account", "list", "key", "count")) == counts


def test_a_rank_that_is_wrong_missing_or_too_many_is_found(filled):
    last = Rank.objects.filter(list="trade").latest("number")
    Rank.objects.filter(pk=last.pk).update(number=last.number + 1)
    trade = f"Account {filled.pk}, list trade: row {last.row_id}"
    assert found() == [
        f"{trade} does not stand there as number {last.number}.",
        f"{trade} stands there as number {last.number + 1}, and should not.",
        f"Account {filled.pk}, list trade: {last.number + 1} rows are not what stands there as their count.",
        f"Account {filled.pk}, list trade: {last.number} stands there as the count of its rows.",
    ]
    last.delete()
    assert f"{trade} does not stand there as number {last.number}." in found()


def test_a_count_that_is_wrong_is_found(filled):
    RankCount.objects.filter(list="order").update(count=7)
    assert f"Account {filled.pk}, list order: 7 stands there as the count of its rows." in found()


def test_an_order_is_ranked_once_however_often_it_is_saved(empty):
    order = rows.order(empty, 1, 0, 5, userref=3)
    order.save()
    order.reason = "Another"
    order.save()
    Order.objects.filter(pk=order.pk).update(reason="")
    assert list(Rank.objects.order_by("key").values_list("key", "number")) == [
        ("", 1),
        ("span:10", 1),
        ("userref:3", 1),
    ]


def test_many_rows_of_one_statement_go_between_those_that_are_there(empty):
    for number, closed in ((1, 10), (2, 30), (3, 50)):
        rows.order(empty, number, 0, closed).save()
    Order.objects.bulk_create([rows.order(empty, number, 0, number) for number in (40, 5, 20, 60)])
    assert found() == []
    assert list(Rank.objects.filter(key="").values_list("number", flat=True).order_by("at")) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.django_db(transaction=True)
def test_rows_written_at_the_same_moment_get_numbers_of_their_own(transactional_db):
    account, other = open_account(), open_account()

    def write(of, first):
        def act():
            for number in range(first, first + 10):
                with transaction.atomic():
                    rows.order(of, number, 0, number % 7, userref=number % 2).save()
                    rows.order(of, 100 + number, 0, number % 5).save()

        return act

    results = together(write(account, 0), write(account, 10), write(other, 0), write(account, 20))

    assert results == [None] * 4
    assert found() == []
    assert RankCount.objects.get(account=account, key="").count == 60
