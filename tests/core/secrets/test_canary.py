"""A wrong sealing key under the right name is refused before it seals anything (fault operations-F7)."""

import os
import subprocess
import sys
from io import StringIO
from threading import Barrier, Thread, get_ident

import pytest
from django.conf import settings as real
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError, connection

from portal.core.models import SealingCanary
from portal.core.secrets import canary, sealing
from tests.core.secrets.conftest import drawn


def name_of(text: str) -> str:
    return text.partition(":")[0]


@pytest.mark.django_db
def test_a_wrong_key_under_the_right_name_is_refused_at_the_start(with_keys):
    """fault operations-F7: it started, was ready, and sealed what no other node could open."""
    with_keys(f"k1:{drawn()},-k2:{drawn()}")
    canary.refuse_wrong_keys()
    canary.refuse_wrong_keys()
    assert set(SealingCanary.objects.values_list("key", flat=True)) == {"k1", "k2"}
    with_keys(f"k1:{drawn()}")
    with pytest.raises(ImproperlyConfigured, match="'k1' is not the key"):
        canary.refuse_wrong_keys()
    assert [error.id for error in canary.check_samples(None, databases=["default"])] == ["core.E004"]
    with pytest.raises(SystemCheckError, match="'k1' is not the key"):
        call_command("work", once=True, skip_checks=False)


@pytest.mark.django_db
def test_where_secrets_lie_already_the_first_to_come_must_open_them(with_keys, world):
    """fault operations-F7: an installation of before, whose first start has the wrong key, leaves no wrong sample."""
    right = real.SEALING_KEYS
    with_keys(f"{name_of(right)}:{drawn()}")
    with pytest.raises(ImproperlyConfigured):
        canary.refuse_wrong_keys()
    assert not SealingCanary.objects.exists()
    with_keys(right)
    canary.refuse_wrong_keys()
    assert SealingCanary.objects.get().key == name_of(right)


@pytest.mark.django_db
def test_what_is_said_to_be_done_has_been_opened(with_keys, world):
    """fault operations-F7: `--left` compared names, and said that the right key could go."""
    with_keys(f"{name_of(real.SEALING_KEYS)}:{drawn()}")
    with pytest.raises(CommandError, match=r"do not open: .*accounts_"):
        call_command("rotatesealingkeys", left=True, stdout=StringIO())


def test_a_database_that_is_away_lets_a_server_start(db, monkeypatch):
    def gone(*_args, **_kwargs):
        raise OperationalError

    with connection.execute_wrapper(gone):
        canary.refuse_wrong_keys()
        assert canary.check_samples(None, databases=["default"]) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_nodes_that_start_first_with_different_keys_one_is_refused(monkeypatch):
    """fault operations-F7: two real connections, each with a key of its own under the same name."""
    keys = [drawn(), drawn()]
    meeting = Barrier(2)
    outcomes: list[object] = [None, None]
    boxes = [sealing.parse_sealing_keys(f"fresh:{key}") for key in keys]
    mine: dict[int, dict[str, bytes]] = {}
    monkeypatch.setattr(sealing, "_keys", lambda: mine[get_ident()])
    create = canary._leave_sample

    def meet(name):
        meeting.wait(20)
        return create(name)

    monkeypatch.setattr(canary, "_leave_sample", meet)

    def start(place):
        mine[get_ident()] = boxes[place]
        try:
            outcomes[place] = canary.wrong_keys()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            outcomes[place] = error
        finally:
            connection.close()

    threads = [Thread(target=start, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [["fresh"], []]
    assert SealingCanary.objects.filter(key="fresh").count() == 1


INSIDE_ITS_EVENT_LOOP = "import asyncio\nasync def serve(): import portal.wsgi\nasyncio.run(serve())"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("program", ["import portal.wsgi", INSIDE_ITS_EVENT_LOOP], ids=["before", "inside"])
def test_a_server_with_a_wrong_key_does_not_start(program):
    """fault operations-F7: as a server loads it, in a process of its own, before or inside its event loop."""
    canary.refuse_wrong_keys()
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        host, port = database["HOST"], database["PORT"]
        url = f"postgres://{database['USER']}:{database['PASSWORD']}@{host}:{port}/{database['NAME']}"

    def started(key):
        environment = {**os.environ, "DATABASE_URL": url, "PORTAL_DEBUG": "1", "PORTAL_SEALING_KEYS": key}
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=real.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    wrong = started(f"{name_of(real.SEALING_KEYS)}:{drawn()}")
    assert wrong.returncode != 0
    assert "is not the key that has sealed this database" in wrong.stderr
    right = started(real.SEALING_KEYS)
    assert right.returncode == 0, right.stderr
