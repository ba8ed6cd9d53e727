"""The pages of one withdrawal and of all: where each stands, and to whom it is shown."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from policies.access import grant
from policies.models import Grant
from policies.workflows import Right, Workflow
from tests.treasury.conftest import HAD
from tests.treasury.views.pages import LIST, text


class TestOne:
    def test_it_shows_where_it_stands_and_its_request(self, browser, audit, ask, approve, ben, cleo, time_machine):
        time_machine.move_to(timezone.now(), tick=False)
        change = approve(ask(), ben)
        client, url = browser(audit), reverse("treasury:withdrawal", args=[change.withdrawal.reference])
        page = client.get(url)
        assert "Pending" in text(page)
        assert "On hold" in text(page)
        assert reverse("policies:request", args=[change.reference]) in page.content.decode()
        assert 'hx-trigger="every 20s"' in page.content.decode()

        approve(change, cleo)
        assert 'hx-trigger="every 2s"' in client.get(url).content.decode()
        time_machine.shift(10)

        now = client.get(f"{url}now/")
        assert "Success" in text(now)
        assert re.search(r"[0-9a-f]{64}", text(now))
        assert "hx-get" not in now.content.decode(), "what has arrived asks no more"

    def test_that_of_others_is_unknown(self, browser, audit, eve, ask, world):
        """AZ-2: foreign ids give 404 like unknown ids, fragments too; and another Account's."""
        url = reverse("treasury:withdrawal", args=[ask().withdrawal.reference])
        vault = Account.objects.create(organization=world.organization, name="Vault", created_at=timezone.now())
        Grant.objects.filter(member=audit, workflow=Workflow.INITIATE_WITHDRAWAL).delete()
        grant(audit, Workflow.INITIATE_WITHDRAWAL, Right.VIEW, vault)

        for client in (browser(eve), browser(audit)):
            for path in (url, f"{url}now/", "/withdrawals/AAAAAAA-BBBBBB-CCCCCC/"):
                assert client.get(path).status_code == 404

    def test_what_has_expired_is_shown_so_and_given_back(self, browser, audit, ask, standing, time_machine):
        """CR-12: nobody has to wait for a job."""
        time_machine.move_to(timezone.now(), tick=False)
        change = ask()
        time_machine.shift(72 * 3600)

        assert "Expired" in text(browser(audit).get(reverse("treasury:withdrawal", args=[change.withdrawal.reference])))
        assert standing() == (HAD, 0)


class TestList:
    def test_it_is_filtered_by_account_asset_and_state(self, browser, audit, ask, approve, ben, cleo, world):
        approve(ask("1"), ben, cleo)
        ask("2", key="eth-cold", asset="ETH")
        get = browser(audit).get

        for query, shown, hidden in (
            ({"asset": "XXBT"}, "btc-cold", "eth-cold"),
            ({"state": "pending"}, "eth-cold", "btc-cold"),
            ({"state": "executed", "account": world.account.pk}, "btc-cold", "eth-cold"),
        ):
            page = text(get(LIST, query))
            assert f"To {shown}" in page
            assert f"To {hidden}" not in page
        assert "No withdrawal fits this filter." in text(get(LIST, {"state": "failed"}))
        everything = text(get(LIST, {"state": "password", "asset": "'", "account": "10" * 99, "after": "%%%"}))
        assert "To btc-cold" in everything
        assert "To eth-cold" in everything

    def test_its_polling_is_no_activity_and_keeps_the_filter(self, browser, audit, ask, time_machine):
        """SI-7: poll every minute for 31 frozen minutes, be signed out."""
        time_machine.move_to(timezone.now(), tick=False)
        change = ask()
        client = browser(audit)
        url = client.get(LIST, {"state": "pending"}).context["now_url"]
        assert url == "/withdrawals/now/?state=pending"
        one = f"{reverse('treasury:withdrawal', args=[change.withdrawal.reference])}now/"

        for _ in range(3):
            assert client.get(url).status_code == client.get(one).status_code == 200
            time_machine.shift(601)

        assert client.get(url, headers={"HX-Request": "true"})["HX-Redirect"] == "/sign-in/"

    def test_it_takes_as_many_queries_filtered_for_many_rows(self, browser, audit, ask):
        client = browser(audit)

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get(LIST, {"asset": "XXBT", "state": "pending"})
            return len(captured)

        ask("0.01")
        queries()
        before = queries()
        for _ in range(9):
            ask("0.01")
        assert queries() == before
