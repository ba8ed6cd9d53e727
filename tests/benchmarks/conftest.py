"""The peers' table of keys, beside the portal's, and a key in it that calls for the Account of the cast."""

import base64
import json
import secrets
from dataclasses import dataclass

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from benchmarks.counting.wsgi_call import called, environ_of
from benchmarks.load.signing import Key as Caller
from benchmarks.peers.models import Key
from benchmarks.peers.sealing import seal
from portal.application import application


@dataclass
class Peer:
    """A key as the peers know it, and as its bot does."""

    row: Key
    caller: Caller


def make_table() -> None:
    editor = connection.schema_editor()
    editor.deferred_sql = []
    with connection.cursor() as cursor:
        cursor.execute(editor.table_sql(Key)[0])


def asked_of_portal(request: bytes):
    return json.loads(called(application, environ_of(request)))


@pytest.fixture
def in_this_transaction(db, monkeypatch):
    """Servers leave a connection that does not commit by itself; here that is the test's own."""
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)


@pytest.fixture
def sealing(monkeypatch):
    monkeypatch.setenv("BENCHMARK_SEALING_KEY", Fernet.generate_key().decode())


@pytest.fixture
def peer(sealing, in_this_transaction, account) -> Peer:
    make_table()
    return make_peer(account.pk)


def make_peer(account_id: int) -> Peer:
    secret = base64.b64encode(secrets.token_bytes(64)).decode()
    row = Key.objects.create(
        public=secrets.token_hex(28),
        sealed=seal(secret.encode()),
        account=account_id,
        scopes=["query-funds"],
        allow_list=["10.0.0.0/8"],
    )
    return Peer(row, Caller(row.public, secret, "10.1.2.3"))
