"""The cast and the ground it stands on: one world for all tests, put back after a test that committed to it."""

import gc
import pickle
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DataError, connection
from django.db.models import CharField
from django.test import Client, RequestFactory, TransactionTestCase, override_settings
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import DjangoDbBlocker

from accounts.api_keys import credentials, usage
from accounts.authentication import session_data
from accounts.authentication.passwords import Argon2Hasher
from accounts.authentication.second_factor_step import Admitted
from accounts.authentication.session_store import SessionStore
from accounts.models import Account, Authenticator, Member
from accounts.views import session_changes
from policies.models import ChangeRequest
from portal.api.handlers import ledger, orders
from portal.core.web.http import Proof
from portal.jobs import mail
from portal.treasury import expired_holds
from tests.collecting.choice import pytest_addoption, pytest_collection_modifyitems
from tests.database import kept_rows, migrated
from tests.factories import people
from tests.factories import world as cast
from tests.factories.world import PASSWORD, Bot, World

__all__ = ["pytest_addoption", "pytest_collection_modifyitems"]

# Nothing that is imported or collected is garbage before the tests run: see `pytest_collection_finish`.
gc.disable()


def pytest_collection_finish() -> None:
    """What is imported by now stays to the end: going through it for garbage again and again took a fifth of the time.

    What tests leave behind in circles is still found, once there is a lot of it. The tenth of all this that is garbage
    stays too: to find it takes every worker half a second.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    gc.enable()


def pytest_runtest_makereport(call: pytest.CallInfo[object]) -> None:
    """What SQLite says of an error in one word for many, it knows more exactly."""
    error = call.excinfo.value.__cause__ if call.excinfo else None
    if isinstance(error, sqlite3.Error) and call.excinfo:
        call.excinfo.value.add_note(f"SQLite: {error.sqlite_errorname}")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """The last thing to be done before the test databases are made."""
    with migrated.kept():
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The cast stands in every test database, and again after a test that committed what it did."""
    original = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
    # Thousands of sign-ins: what a real digest costs has a test of its own.
    Argon2Hasher.time_cost, Argon2Hasher.memory_cost = 1, 64
    with django_db_blocker.unblock():
        _let_commits_not_wait()
        cast.build()
        rows = kept_rows.taken()
    TransactionTestCase._fixture_teardown = lambda case: kept_rows.put_back(rows)  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = original  # type: ignore[attr-defined]


def _let_commits_not_wait() -> None:
    """What a server that fails would lose is lost with the test database anyway; who connects from now on sees no other
    difference."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{connection.settings_dict["NAME"]}" SET synchronous_commit TO off')
        connection.close()


@pytest.fixture(autouse=True, scope="session")
def _no_value_is_longer_than_its_column() -> Iterator[None]:
    """What PostgreSQL would refuse fails on SQLite too, which looks at no length."""
    original = CharField.get_db_prep_save

    def prepared(field: CharField, value: object, connection: object) -> object:  # type: ignore[type-arg]
        if isinstance(value, str) and field.max_length is not None and len(value) > field.max_length:
            raise DataError(f"{field} takes {field.max_length} characters, and this has {len(value)}.")
        return original(field, value, connection)  # type: ignore[arg-type]

    CharField.get_db_prep_save = prepared  # type: ignore[assignment,method-assign]
    yield
    CharField.get_db_prep_save = original  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_put_off() -> Iterator[None]:
    """Nothing writes beside a test, and nothing is said of what was there before it."""
    at_once = {"KEY_USE_WRITTEN_EVERY": 0, "METRICS_WRITTEN_EVERY": 0}
    with override_settings(READINESS_KEPT_SECONDS=0, METRICS_KEPT_SECONDS=0, **at_once):
        yield


@pytest.fixture(autouse=True)
def _no_credential_survives() -> Iterator[None]:
    """Keys, their use and pages are kept in the process, and tests share one."""
    credentials._cache.clear()
    usage.forget_all()
    expired_holds.forget()
    for pages in (ledger.NEWEST, orders.NEWEST):
        pages.forget()
    yield
    credentials._cache.clear()


@pytest.fixture(scope="session")
def _cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> bytes:
    """The cast as it is read once: nothing of it is other at the beginning of the next test."""
    with django_db_blocker.unblock():
        return pickle.dumps(cast.load())


@pytest.fixture
def world(db: None, _cast: bytes) -> World:
    """`Demo Treasury` with its people and bots, and its neighbour `Elsewhere`."""
    found: World = pickle.loads(_cast)
    return found


@pytest.fixture
def account(world: World) -> Account:
    return world.account


@pytest.fixture
def owner(world: World) -> Member:
    return world.members["owner"]


@pytest.fixture
def ana(world: World) -> Member:
    """Asks: Initiate everywhere."""
    return world.members["ana"]


@pytest.fixture
def ben(world: World) -> Member:
    """Approves everywhere, as Cleo and Fay do."""
    return world.members["ben"]


@pytest.fixture
def cleo(world: World) -> Member:
    return world.members["cleo"]


@pytest.fixture
def fay(world: World) -> Member:
    return world.members["fay"]


@pytest.fixture
def audit(world: World) -> Member:
    """Views everywhere and nothing else."""
    return world.members["audit"]


@pytest.fixture
def eve(world: World) -> Member:
    """Owner of the Organization next door."""
    return world.members["eve"]


@pytest.fixture
def treasury_bot(world: World) -> Bot:
    """Every permission, made by the Owner."""
    return world.bot("treasury-bot")


@pytest.fixture
def trading_bot(world: World) -> Bot:
    """Everything but Withdraw."""
    return world.bot("trading-bot")


@pytest.fixture
def readonly_bot(world: World) -> Bot:
    return world.bot("readonly-bot")


@pytest.fixture
def code() -> Callable[[Member], str]:
    """The Member's current authentication code, made fresh again whatever was used before."""
    return people.code


@pytest.fixture
def sign_in() -> Callable[[Client, Member], None]:
    """Open a client's session as of one who has just shown their password and their app.

    What the two steps take and leave is looked at where signing in is the subject; here it would be half of the work.
    Whoever has a session already goes through both.
    """

    def signed(client: Client, member: Member) -> None:
        if settings.SESSION_COOKIE_NAME in client.cookies:
            _sign_in_by_code(client, member)
            return
        request = RequestFactory().get("/")
        request.session = SessionStore()
        app = Authenticator.objects.get(user=member.user, places=member)
        session_changes.open_session(request, Admitted(member, app))
        session_data.note_agent(request.session, "")
        request.session.save()
        Member.objects.filter(pk=member.pk).update(last_seen_at=timezone.now())
        client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key or ""

    return signed


@pytest.fixture
def sign_in_by_code() -> Callable[[Client, Member], None]:
    """Sign a client in with password and code, as a browser does: the history and the mail know of it."""
    return _sign_in_by_code


def _sign_in_by_code(client: Client, member: Member) -> None:
    client.post(reverse("accounts:sign_in"), {"email": member.user.email, "password": PASSWORD})
    answer = client.post(reverse("accounts:verify"), {"code": people.code(member)})
    assert answer.status_code == 302, answer.content.decode()


@pytest.fixture
def fresh() -> Callable[..., Proof]:
    """A second factor shown just now, bound to a request when one is given."""

    def proof(change: ChangeRequest | None = None) -> Proof:
        return people.proof(change)

    return proof


@pytest.fixture
def mailed(
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]], mailoutbox: list[EmailMessage]
) -> Callable[[Callable[[], object]], list[EmailMessage]]:
    """Do something as if it had committed, and say what mail it sent."""

    def sent(act: Callable[[], object]) -> list[EmailMessage]:
        DBTaskResult.objects.all().delete()
        before = len(mailoutbox)
        with django_capture_on_commit_callbacks(execute=True):
            act()
        mail.settle()
        return mailoutbox[before:]

    return sent
