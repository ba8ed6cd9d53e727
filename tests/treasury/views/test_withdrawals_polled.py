"""The list of withdrawals while it is open: it is told what became other, and nothing else."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from policies.changes import cancel
from policies.models import ChangeRequest, State
from portal.treasury.models import Withdrawal
from portal.treasury.views import seen_rows
from portal.venues.paper.models import Withdrawal as Held
from tests.treasury.views.pages import LIST

NOW = f"{LIST}now/"


@pytest.fixture
def still(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return time_machine


def seen(answer) -> str:
    """What the page sends along when it asks again."""
    found: str
    (found,) = re.findall(r'hx-get="[^"]*seen=([^"]*)"', answer.content.decode())
    return found


def rows(answer) -> list[str]:
    return re.findall(r'<li class="row" id="(withdrawal-\d+)"', answer.content.decode())


def row(change) -> str:
    return f"withdrawal-{Withdrawal.objects.get(change=change).pk}"


def a_thousand_like(change) -> None:
    """As many withdrawals that have ended, asked after it."""
    sent = Withdrawal.objects.get(change=change)
    held = Held.objects.get(reference=sent.reference)

    def copies(one, **fields):
        kept = {
            field.attname: getattr(one, field.attname) for field in one._meta.concrete_fields if not field.primary_key
        }
        return [type(one)(**kept | {name: give(turn) for name, give in fields.items()}) for turn in range(1000)]

    ChangeRequest.objects.bulk_create(
        copies(
            change,
            number=lambda turn: 1000 + turn,
            reference=lambda turn: f"copy{turn}",
            state=lambda _: State.CANCELLED,
            ended_at=lambda _: timezone.now(),
        )
    )
    numbers = dict(ChangeRequest.objects.filter(reference__startswith="copy").values_list("reference", "pk"))
    Withdrawal.objects.bulk_create(
        copies(sent, change_id=lambda turn: numbers[f"copy{turn}"], reference=lambda turn: f"COPY-{turn}")
    )
    Held.objects.bulk_create(copies(held, reference=lambda turn: f"COPY-{turn}", released_at=lambda _: timezone.now()))


def test_nothing_new_is_an_empty_answer_and_little_work(browser, audit, ask, still):
    client = browser(audit)
    for _ in range(20):
        ask("0.01")
    page = client.get(LIST)
    with CaptureQueriesContext(connection) as counted:
        answer = client.get(NOW, {"seen": seen(page)})
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(counted) <= 6


def test_a_row_that_changed_comes_alone_and_in_its_place(browser, audit, owner, ask, still):
    client = browser(audit)
    first, second, third = ask("0.01"), ask("0.02"), ask("0.03")
    page = client.get(LIST)
    assert rows(page) == [row(third), row(second), row(first)]
    cancel(second.reference, actor=owner, reason="Not now.")
    answer = client.get(NOW, {"seen": seen(page)})
    assert rows(answer) == [row(second)]
    assert f'id="{row(second)}" hx-swap-oob="true"' in answer.content.decode()
    assert "Cancelled" in answer.content.decode()
    assert client.get(NOW, {"seen": seen(answer)}).status_code == 204


def test_a_new_one_comes_first_and_the_others_stay(browser, audit, ask, still):
    client = browser(audit)
    ask("0.01")
    page = client.get(LIST)
    newest = ask("0.02")
    text = client.get(NOW, {"seen": seen(page)}).content.decode()
    assert re.findall(r'hx-swap-oob="([^"]*)"', text) == ["afterbegin:#withdrawals"]
    assert row(newest) in text


def test_what_leaves_the_filter_is_taken_away_and_what_enters_it_comes_where_it_belongs(
    browser, audit, owner, ask, still
):
    client = browser(audit)
    oldest, middle, newest = ask("0.01"), ask("0.02"), ask("0.03")
    waiting, ended = client.get(LIST, {"state": "pending"}), None
    for change in (oldest, newest):
        cancel(change.reference, actor=owner, reason="Not now.")
    ended = client.get(LIST, {"state": "cancelled"})
    assert rows(ended) == [row(newest), row(oldest)]
    answer = client.get(f"{waiting.context['now_url']}&seen={seen(waiting)}")
    assert re.findall(r'<li id="([^"]*)" hx-swap-oob="delete">', answer.content.decode()) == [row(newest), row(oldest)]
    assert rows(answer) == []
    shown = seen_rows.written({int(row(change).split("-")[1]): "00000000" for change in (newest, oldest)})
    cancel(middle.reference, actor=owner, reason="Not now.")
    answer = client.get(NOW, {"seen": shown, "state": "cancelled"}).content.decode()
    assert f'hx-swap-oob="afterend:#{row(newest)}"' in answer
    assert answer.index(f'afterend:#{row(newest)}"') < answer.index(f'id="{row(middle)}"')


def test_when_nothing_can_change_any_more_it_stops_asking(browser, audit, owner, ask, still):
    client = browser(audit)
    change = ask("0.01")
    page = client.get(LIST)
    assert 'hx-trigger="every 20s"' in page.content.decode()
    cancel(change.reference, actor=owner, reason="Not now.")
    answer = client.get(NOW, {"seen": seen(page)}).content.decode()
    assert row(change) in answer
    assert 'id="withdrawals-poll"' in answer
    assert "hx-get" not in answer


def test_how_long_ago_it_was_is_told_as_it_goes_by(browser, audit, ask, still):
    client = browser(audit)
    change = ask("0.01")
    page = client.get(LIST)
    still.shift(timedelta(minutes=5))
    answer = client.get(NOW, {"seen": seen(page)})
    assert rows(answer) == [row(change)]
    assert "5 min ago" in answer.content.decode()


def test_the_thousandth_row_is_told_of_on_its_page_alone(browser, audit, owner, ask, still):
    """Rows further back are told of without a look at the others, by as many statements."""
    client = browser(audit)
    oldest = ask("0.01")
    a_thousand_like(oldest)
    url, pages = LIST, 0
    while True:
        page = client.get(url)
        following = re.search(r'href="(\?after=[^"&]+)" rel="next"', page.content.decode())
        if following is None:
            break
        url, pages = LIST + following[1], pages + 1
    assert pages == 20
    assert row(oldest) in rows(page)
    with CaptureQueriesContext(connection) as nothing:
        again = client.get(f"{page.context['now_url']}&seen={seen(page)}")
    assert again.status_code == 204, again.content.decode()
    cancel(oldest.reference, actor=owner, reason="Not now.")
    with CaptureQueriesContext(connection) as something:
        answer = client.get(f"{page.context['now_url']}&seen={seen(page)}")
    assert rows(answer) == [row(oldest)]
    assert len(nothing) == len(something)


@pytest.mark.parametrize(
    "said", ["", "x", "1.zzzzzzzz", "1", "-", "9" * 30 + ".00000000", "-".join(["1.00000000"] * 300)]
)
def test_a_page_that_does_not_say_what_it_shows_gets_all_of_it(browser, audit, ask, still, said):
    """IN-3: nonsense, and none at all, from a page of an earlier version."""
    change = ask("0.01")
    answer = browser(audit).get(NOW, {"seen": said})
    assert answer.status_code == 200
    assert rows(answer) == [row(change)]
    assert '<ol class="ledger" id="withdrawals">' in answer.content.decode()


def test_rows_of_others_are_no_news_to_whoever_names_them(browser, eve, ask, still):
    """AZ-2: a stranger who names a row learns no more than that it is not in their list."""
    change = ask("0.01")
    answer = browser(eve).get(NOW, {"seen": seen_rows.written({int(row(change).split("-")[1]): "00000000"})})
    unknown = browser(eve).get(NOW, {"seen": seen_rows.written({999_999: "00000000"})})
    assert answer.content.decode().replace(row(change), "?") == unknown.content.decode().replace(
        "withdrawal-999999", "?"
    )
