"""What the tests about people and bots share."""

from collections.abc import Callable
from datetime import datetime
from html import unescape
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.api_keys.lifecycle import Credential, NonceUsed, Refusal, Spent, find, spend
from accounts.authentication.passwords import Argon2Hasher
from accounts.models import Account
from accounts.organizations.founding import add_member
from policies.models import ChangeRequest, Policy
from policies.workflows import Right, Workflow
from tests.factories.world import World
from tests.policies.conftest import make_user


@pytest.fixture
def race() -> Callable[..., list[object]]:
    """Run something in so many threads at the same moment, each on its own connection; errors are answers."""

    def run(act: Callable[[int], object], racers: int) -> list[object]:
        gate = Barrier(racers)
        answers: list[object] = [None] * racers

        def one(number: int) -> None:
            try:
                connection.ensure_connection()
                gate.wait()
                answers[number] = act(number)
            except Exception as error:  # noqa: BLE001 - the test looks at it
                answers[number] = error
            finally:
                connection.close()

        threads = [Thread(target=one, args=(number,)) for number in range(racers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    return run


@pytest.fixture
def locked(world: World) -> World:
    """Three approvals on withdrawals, locked. Ben, Cleo, Fay and Gus approve everywhere; nothing else is governed."""
    policies = Policy.objects.filter(organization=world.organization)
    policies.exclude(workflow=Workflow.INITIATE_WITHDRAWAL.value).delete()
    policies.update(approvals=3, is_locked=True)
    gus = add_member(world.organization, make_user("gus"), rights=[(workflow, Right.APPROVE) for workflow in Workflow])
    world.members["gus"] = gus
    return world


@pytest.fixture
def new_bot(account: Account) -> dict[str, object]:
    """The form for a new bot, filled in as a cautious person would."""
    return {
        "name": "payroll-bot",
        "account": account.pk,
        "permissions": ["query-funds", "withdraw-funds"],
        "expires_at": "2099-01-31T12:00",
        "query_start": "",
        "query_end": "",
        "nonce_window": "0",
        "ip_allow_list": "203.0.113.0/28",
    }


def request_words(client: Client, change: ChangeRequest) -> str:
    """What the page of a request says to whoever `client` is signed in as, without its markup."""
    text = client.get(reverse("policies:request", args=[change.reference])).content.decode()
    return " ".join(unescape(strip_tags(text)).split())


def live(public: str) -> Credential:
    """The credential of a key that works."""
    credential = find(public)
    assert credential is not None
    return credential


def called(
    public: str, nonce: int, *, source: str = "203.0.113.9", now: datetime | None = None
) -> Spent | NonceUsed | Refusal | None:
    """One call as the API makes it: found, spent, and looked at once more if the key has changed."""
    for _ in range(2):
        credential = find(public)
        if credential is None:
            return None
        answer = spend_as(credential, nonce, source=source, now=now)
        if answer is not Refusal.CHANGED:
            return answer
    return Refusal.CHANGED


def spend_as(
    credential: Credential, nonce: int, *, source: str = "203.0.113.9", now: datetime | None = None, cost: float = 1.0
) -> Spent | NonceUsed | Refusal:
    return spend(credential, nonce=nonce, source=source, cost=cost, now=now or timezone.now())


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each run of Argon2."""
    runs: list[str] = []
    for name in ("encode", "verify"):
        original = getattr(Argon2Hasher, name)

        def counting(self: Argon2Hasher, *given: str, name: str = name, original: object = original) -> object:
            runs.append(name)
            return original(self, *given)  # type: ignore[operator]

        monkeypatch.setattr(Argon2Hasher, name, counting)
    return runs
