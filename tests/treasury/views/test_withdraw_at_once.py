"""Withdrawals that wait for nobody: each takes a second factor shown for exactly that."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from policies.changes import ask_again, cancel
from policies.models import Policy
from policies.rules.language import Rule
from policies.snapshot.stored_rules import written_rules
from portal.core.errors import Refused
from portal.core.factors import TOTP
from portal.core.web.http import Proof
from portal.treasury.idempotency import SentForm, digest_of
from portal.treasury.models import Address, Withdrawal
from portal.treasury.quotes import preview
from tests.treasury.conftest import ASKED, HAD
from tests.treasury.views.pages import NEW, confirm, errors, text


def ungoverned():
    Policy.objects.filter(workflow="initiate_withdrawal").delete()


class TestAtOnce:
    """DESIGN P2: who holds Execute, where nothing asks for more."""

    def test_it_takes_a_factor_for_exactly_this(self, browser, typed, owner, code, standing):
        """SU-2: money is always fresh, and its step-up is bound to what was reviewed."""
        ungoverned()
        client = browser(owner)
        review = client.post(NEW, typed()).url
        page = client.get(review)
        assert "You send" in text(page)
        assert page.context["form"].asks_code, "although the sign-in was moments ago"

        assert "code" in errors(confirm(client, review))
        assert standing() == (HAD, 0)

        answer = confirm(client, review, code=code(owner))

        assert answer["Location"] == reverse("treasury:withdrawal", args=[Withdrawal.objects.get().reference])
        assert standing() == (HAD - ASKED, 0)

    def test_a_factor_shown_for_one_does_not_serve_another(self, browser, typed, owner, code, standing):
        """SU-2: step up for A, post a Decision for B."""
        ungoverned()
        client = browser(owner)
        first, second = client.post(NEW, typed()).url, client.post(NEW, typed("2")).url
        code_of_first = code(owner)
        confirm(client, first, code=code_of_first)

        for form in ({"code": code_of_first}, {}):
            assert "code" in errors(confirm(client, second, **form))
        assert standing() == (HAD - ASKED, 0)

    @pytest.mark.parametrize("proof", ["none", "loose", "of another form", "of other content", "stale"])
    def test_the_road_itself_refuses_what_was_not_proved(self, proof, owner, ask, standing, world):
        """SU-2: also where a policy was taken away between the review, which said that it waits, and the button."""
        ungoverned()
        at = timezone.now() - timedelta(seconds=301 if proof == "stale" else 0)
        digest = digest_of(preview(Address.objects.get(key="btc-cold"), Decimal("1.25")).params(Decimal("0.00005")))
        proofs = {
            "none": None,
            "loose": Proof(TOTP, at),
            "of another form": Proof(TOTP, at, "B" * 16, digest),
            "of other content": Proof(TOTP, at, "A" * 16, "0" * 64),
            "stale": Proof(TOTP, at, "A" * 16, digest),
        }

        with pytest.raises(Refused, match="factor"):
            ask(actor=owner, api_key=None, form=SentForm("A" * 16, digest, proofs[proof]))
        with pytest.raises(Refused, match="factor"):
            ask(actor=owner, api_key=None)
        assert standing() == (HAD, 0)
        assert not Withdrawal.objects.exists()

    def test_asking_again_takes_a_factor_for_exactly_this_as_well(self, browser, owner, ask, standing, code):
        """SU-2: what waited and was taken back goes out at once when it is asked anew under other rules."""
        waited = ask(actor=owner, api_key=None)
        cancel(waited.reference, actor=owner)
        ungoverned()
        client, again = browser(owner), reverse("policies:ask_again", args=[waited.reference])
        assert "sent at once" in text(client.get(again))

        answer = client.post(again, {"note": ""})

        assert "code" in errors(answer), "although the sign-in was moments ago"
        assert standing() == (HAD, 0)
        assert client.post(again, {"note": "", "code": code(owner)}).status_code == 302
        assert standing() == (HAD - ASKED, 0)

    @pytest.mark.parametrize("proof", ["none", "loose", "of another", "stale"])
    def test_nothing_is_sent_again_on_what_was_not_proved(self, proof, owner, ask, standing):
        """SU-2: asked of the operation too, where the rules change between the page and its button."""
        waited, at = ask(actor=owner, api_key=None), timezone.now()
        cancel(waited.reference, actor=owner)
        ungoverned()
        proofs = {
            "none": None,
            "loose": Proof(TOTP, at),
            "of another": Proof(TOTP, at, "B" * 16, waited.digest),
            "stale": Proof(TOTP, at - timedelta(seconds=301), waited.reference, waited.digest),
        }

        with pytest.raises(Refused, match="second factor"):
            ask_again(waited.reference, member=owner, proof=proofs[proof])
        assert standing() == (HAD, 0)


class TestRules:
    """DESIGN P7: what it takes hangs on what it is worth."""

    def ruled(self, settings):
        """A bitcoin is 64,000 dollars: from there on it takes two, also of who holds Execute."""
        settings.PAPER_PRICES = "still"
        rules = (Rule(approvals=1, always=False), Rule(approvals=2, amount=Decimal(64_000)))
        Policy.objects.filter(workflow="initiate_withdrawal").update(rules=written_rules(rules))

    def test_the_review_says_what_this_one_takes(self, browser, typed, owner, code, settings, standing):
        self.ruled(settings)
        client = browser(owner)
        small, large = (client.post(NEW, typed(amount)).url for amount in ("0.5", "1"))
        assert "You send" in text(client.get(small))
        assert "This will wait for 2 approvals." in text(client.get(large))
        assert confirm(client, small, code=code(owner)).status_code == 302
        assert standing() == (HAD - 5_000_000_000, 0)
        assert confirm(client, large).status_code == 302
        assert standing() == (HAD - 15_000_000_000, 10_000_000_000)

    def test_the_review_says_that_it_is_denied(self, browser, typed, owner, settings, standing):
        settings.PAPER_PRICES = "still"
        rules = (Rule(approvals=1, always=False), Rule(deny=True, amount=Decimal(64_000)))
        Policy.objects.filter(workflow="initiate_withdrawal").update(rules=written_rules(rules))
        client = browser(owner)
        review = client.post(NEW, typed("1")).url
        assert "The policy denies this." in text(client.get(review))
        assert "denies this, however many agree" in text(confirm(client, review))
        assert standing() == (HAD, 0)
