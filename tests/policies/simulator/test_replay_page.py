"""A replay's pages: started by who has a draft, read by nobody else, asked again while it can still move."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse
from django.utils import timezone

from accounts.middleware import POLLED
from policies.models import Grant, Replay
from policies.replay import runs
from policies.replay.comparison import KEPT
from policies.rules.language import GroupApprovals, Rule
from policies.views.simulator import replays
from policies.workflows import Workflow
from portal.treasury.withdrawals import request_withdrawal
from tests.policies.simulator.conftest import drafted, govern

pytestmark = pytest.mark.django_db


@pytest.fixture
def six_asked(world, treasury_bot):
    """Six withdrawals of a hundred dollars each, which wait."""
    return [
        request_withdrawal(
            actor=treasury_bot.service_user,
            account=world.account,
            key="usd-bank",
            asset="ZUSD",
            amount=Decimal(100),
            api_key=treasury_bot.key,
        )
        for _ in range(6)
    ]


@pytest.fixture
def drafting(world, owner, tiers, six_asked):
    """The Owner would have one of the Board agree from the third hundred dollars of a day on."""
    board = tiers[2].groups[0].group
    drafted(
        owner,
        Rule(approvals=1),
        Rule(groups=(GroupApprovals(board, 1),), amount=Decimal(300), with_day_sum=True),
        Rule(approvals=3, amount=Decimal(500), with_day_sum=True),
    )
    return owner


@pytest.fixture
def by_a_worker(monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", 0)


def started(client):
    answer = client.post(reverse("policies:start_replay"))
    assert answer.status_code == 302
    return answer.headers["Location"]


def text_of(client, address) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_draft_is_tried_on_all_that_was_asked(drafting, browser):
    client = browser(drafting)
    text = text_of(client, started(client))
    # The third and fourth one of the Board besides, the last two two approvals more as well.
    assert "Of 6 requests 4 would have needed more approvals." in text
    assert "2 × 2 more approvals, 4 × 1 more of Board" in text
    assert "When 300 USD or more leaves, alone or together" in text
    assert "has changed since" not in text
    assert "every 2s" not in text


def test_each_difference_leads_to_its_requests(drafting, browser, six_asked):
    client = browser(drafting)
    text = text_of(client, f"{started(client)}?show=more")
    assert [reverse("policies:request", args=[each.reference]) in text for each in six_asked] == 2 * [False] + 4 * [
        True
    ]
    assert "<b>1 approval of Board</b>" in text
    assert "<b>3 approvals, among them 1 of Board</b>" in text


def test_long_lists_come_page_by_page(drafting, browser, six_asked, monkeypatch):
    monkeypatch.setattr(replays, "SIZE", 3)
    client = browser(drafting)
    address = f"{started(client)}?show=more"
    first = client.get(address)
    listing = first.context["found"].listing
    assert len(listing.rows) == 3
    assert "Next page" in first.content.decode()
    second = client.get(f"{address}&after={listing.next}")
    assert [row.change.number for row in second.context["found"].listing.rows] == [six_asked[5].number]
    for nonsense in ("x", "-1", "9" * 30, "²"):
        assert len(client.get(f"{address}&after={nonsense}").context["found"].listing.rows) == 3
    assert client.get(f"{address}x").context["found"].listing is None
    assert client.get(f"{started(client)}?show=denied").context["found"].listing is None


def test_who_may_not_look_at_withdrawals_reads_numbers_alone(ana, browser, six_asked):
    drafted(ana, Rule(approvals=3))
    client = browser(ana)
    address = started(client)
    Grant.objects.filter(member=ana, workflow=Workflow.INITIATE_WITHDRAWAL.value).delete()
    text = text_of(client, f"{address}?show=more")
    assert "6 would have needed 1 more approval" in text
    assert text.count("A request that you may not view") == 6
    assert six_asked[5].reference not in text


def test_one_that_waits_says_so_and_asks_again(drafting, browser, by_a_worker):
    client = browser(drafting)
    address = started(client)
    text = text_of(client, address)
    assert "It waits for a worker." in text
    assert f'hx-get="{address}now/"' in text
    Replay.objects.update(state="running", passed=3, expected=6, started_at=timezone.now(), moved_at=timezone.now())
    part = text_of(client, f"{address}now/")
    assert "<html" not in part
    assert "50 % of 6 requests" in part
    Replay.objects.update(state="waiting")
    runs.run_next()
    part = text_of(client, f"{address}now/")
    assert "4 would have needed more approvals" in part
    assert "every 2s" not in part


def test_what_the_page_asks_by_itself_keeps_no_session_alive(drafting, browser, by_a_worker):
    address = started(browser(drafting))
    assert resolve(f"{address}now/").view_name in POLLED


def test_it_can_be_cancelled(drafting, browser, by_a_worker):
    client = browser(drafting)
    address = started(client)
    client.get(f"{address}cancel/")
    assert Replay.objects.get().state == "waiting"
    assert client.post(f"{address}cancel/").headers["Location"] == address
    text = text_of(client, address)
    assert "You cancelled it" in text
    assert "every 2s" not in text
    client.post(f"{address}cancel/")
    assert "It was over already." in text_of(client, address)


def test_a_second_one_is_refused_while_the_first_is_not_over(drafting, browser, by_a_worker):
    client = browser(drafting)
    started(client)
    assert started(client) == reverse("policies:simulate")
    assert "not over yet" in text_of(client, reverse("policies:simulate"))
    assert Replay.objects.count() == 1


def test_a_failure_says_so(drafting, browser, monkeypatch):
    monkeypatch.setattr(runs, "compare", lambda *_, **__: 1 / 0)
    client = browser(drafting)
    text = text_of(client, started(client))
    assert "It could not be worked out." in text
    assert runs.BROKE_OFF in text


def test_it_shows_the_rules_that_it_ran_on_whatever_came_after(drafting, browser, world):
    client = browser(drafting)
    address = started(client)
    drafted(drafting, Rule(approvals=2))
    govern(world.organization, Rule(approvals=4))
    text = text_of(client, address)
    assert "When 300 USD or more leaves" in text
    assert "Your draft has changed since." in text
    assert "The policy in force has changed since." in text


def test_what_another_version_wrote_is_not_believed(drafting, browser):
    client = browser(drafting)
    address = started(client)
    Replay.objects.update(result={"other": 1}, rules=[{"other": 2}])
    text = text_of(client, address)
    assert "Another version of the portal worked this out" in text
    assert "Another version wrote these rules" in text


def test_without_a_draft_nothing_is_tried(world, owner, audit, browser):
    for member in (owner, audit):
        client = browser(member)
        assert started(client) == reverse("policies:simulate")
        assert "You have no draft of other rules." in text_of(client, reverse("policies:simulate"))
    assert not Replay.objects.exists()


def test_nobody_reads_anothers(drafting, browser, ben, eve):
    address = started(browser(drafting))
    for member in (ben, eve):
        assert browser(member).get(address).status_code == 404
        assert browser(member).get(f"{address}now/").status_code == 404
        assert browser(member).post(f"{address}cancel/").status_code == 404
    assert Replay.objects.get().state == "done"


def test_view_on_policies_is_needed(drafting, browser):
    client = browser(drafting)
    address = started(client)
    Grant.objects.filter(member=drafting, workflow=Workflow.MANAGE_POLICIES.value).delete()
    assert client.get(address).status_code == 403
    assert client.get(f"{address}now/").status_code == 403
    assert client.post(reverse("policies:start_replay")).status_code == 403
    assert client.post(f"{address}cancel/").status_code == 403


def test_the_simulator_lists_what_was_tried(drafting, browser, ben):
    client = browser(drafting)
    address = started(client)
    assert address in text_of(client, reverse("policies:simulate"))
    assert address not in text_of(browser(ben), reverse("policies:simulate"))


def test_the_same_queries_for_one_request_and_many(drafting, browser, six_asked, monkeypatch):
    client, counts = browser(drafting), []
    address = f"{started(client)}?show=more"
    client.get(address)
    for size in (1, 4):
        monkeypatch.setattr(replays, "SIZE", size)
        with CaptureQueriesContext(connection) as found:
            client.get(address)
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_of_many_the_first_are_kept(drafting, browser):
    client = browser(drafting)
    address = started(client)
    replay = Replay.objects.get()
    assert replay.result is not None
    assert replay.found is not None
    replay.result["counts"]["more"] = KEPT + 5
    replay.found["more"] = [[number, 0] for number in range(KEPT)]
    replay.save()
    assert "The first 10,000 are kept" in text_of(client, f"{address}?show=more")
