"""Peer hw: the quickest way that we know to make the same checks. A WSGI function in front of Django, one statement.

The secret is kept by each process as long as the row's version is the same; everything else the statement itself asks.
"""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from threading import local
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import psycopg
from django.db import connection

from benchmarks.peers import refusals
from benchmarks.peers.balances import amounts
from benchmarks.peers.sealing import unseal

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"
PATH: Final = "/0/private/Balance"
NONCE: Final = re.compile(rb"nonce=([0-9]{1,19})")
HIGHEST: Final = 2**63 - 1
LONGEST: Final = 64
FIND: Final = """
    SELECT id, version, sealed FROM peers_key
    WHERE public = %s AND is_active AND (expires_at IS NULL OR expires_at > now())
"""
CALL: Final = b"""
    WITH spent AS (
        UPDATE peers_key SET last_nonce = %(nonce)s, calls = calls + 1
        WHERE id = %(id)s AND version = %(version)s AND is_active AND (expires_at IS NULL OR expires_at > now())
            AND last_nonce < %(nonce)s
        RETURNING account
    )
    SELECT asset, units - held_by_withdrawals_units
    FROM spent LEFT JOIN paper_balance ON account_id = account ORDER BY asset
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What a process keeps of a key: HMAC-SHA512 keyed with its secret, to be copied for each call."""

    id: int
    version: int
    keyed: hmac.HMAC


def to_database() -> Connection:
    """A connection beside Django's, which commits each statement."""
    parameters = connection.get_connection_params()
    names = ("host", "port", "dbname", "user", "password")
    return psycopg.connect(
        autocommit=True, prepare_threshold=0, **{name: parameters[name] for name in names if name in parameters}
    )


def in_front_of(application: "WSGIApplication", connect: Callable[[], Connection]) -> "WSGIApplication":
    """Answers `Balance` itself, and leaves the rest to `application`. Each thread calls `connect` once."""
    kept = local()
    known: dict[str, Known] = {}

    def cursor() -> "psycopg.Cursor[tuple[Any, ...]]":
        if not hasattr(kept, "cursor"):
            kept.cursor = psycopg.Cursor(connect())
            kept.cursor.format = psycopg.pq.Format.BINARY
        found: psycopg.Cursor[tuple[Any, ...]] = kept.cursor
        return found

    def answering(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "POST":
            return application(environ, start_response)
        body = _answer(environ, cursor(), known)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return answering


def _answer(environ: "WSGIEnvironment", cursor: "psycopg.Cursor[tuple[Any, ...]]", known: dict[str, Known]) -> bytes:
    body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), LONGEST))
    nonce = NONCE.fullmatch(body)
    public = environ.get("HTTP_API_KEY", "")
    # What is kept may be out of date: if no row comes back, the key is looked up again, once.
    for _ in range(2):
        key = known.get(public) or _found(public, cursor)
        if key is None:
            return _refused(refusals.INVALID_KEY)
        known[public] = key
        mac = key.keyed.copy()
        mac.update(PATH.encode() + sha256((nonce[1] if nonce else b"") + body).digest())
        if not hmac.compare_digest(b64encode(mac.digest()).decode(), environ.get("HTTP_API_SIGN", "")):
            return _refused(refusals.INVALID_SIGNATURE)
        if nonce is None or int(nonce[1]) > HIGHEST:
            break
        cursor.execute(CALL, {"nonce": int(nonce[1]), "id": key.id, "version": key.version})
        if rows := cursor.fetchall():
            return json.dumps({"error": [], "result": amounts(row for row in rows if row[0])}).encode()
        known.pop(public, None)
    return _refused(refusals.INVALID_NONCE)


def _found(public: str, cursor: "psycopg.Cursor[tuple[Any, ...]]") -> Known | None:
    row = cursor.execute(FIND, [public]).fetchone()
    if row is None:
        return None
    return Known(row[0], row[1], hmac.new(b64decode(unseal(row[2])), digestmod="sha512"))


def _refused(error: str) -> bytes:
    return json.dumps({"error": [error]}).encode()
