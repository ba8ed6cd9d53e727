"""AP-3: whatever arrives under /0/, the answer is HTTP 200 and an envelope; through Django and in front of it."""

import io
import json
from typing import Any
from wsgiref.types import WSGIApplication

import psycopg
import pytest
from django.db import OperationalError, connection

from portal.api import gateway, methods, middleware
from portal.api.call import Call, Reply
from portal.api.middleware import bot_api
from portal.api.protocol.parameters import NoParameters
from portal.core.database import at_hand
from portal.core.web.security_headers import SECURITY_HEADERS
from tests.api.calls import FORM, Wire, next_nonce, only_error, sign


def behind(environ, start_response):
    """Stands for Django: what it answers shows that the call went past the bots' API."""
    start_response("404 Not Found", [("Content-Type", "text/html")])
    return [b"a page"]


class Counting(io.BytesIO):
    """A body that knows how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.taken += len(piece)
        return piece


class Door:
    """Calls the WSGI application as a server does."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application
        self.status = ""
        self.headers: dict[str, str] = {}

    def send(self, path: str, *, body: bytes = b"", verb: str = "POST", **environ: Any) -> bytes:
        def start_response(status, headers, exc_info=None):
            self.status, self.headers = status, dict(headers)
            return lambda _: None

        given = {
            "REQUEST_METHOD": verb,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "CONTENT_TYPE": FORM,
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            **environ,
        }
        given = {name: value for name, value in given.items() if value is not None}
        return b"".join(self.application(given, start_response))

    def error(self, path: str, **given: Any) -> str:
        answer = json.loads(self.send(path, **given))
        assert self.status == "200 OK"
        assert self.headers["Content-Type"] == "application/json"
        return only_error(answer)


@pytest.fixture
def renewals(monkeypatch) -> list[str]:
    """Notes when old connections would be closed; really closing them would end a test's transaction."""
    noted: list[str] = []
    monkeypatch.setattr(middleware, "tidy", lambda: noted.append("renewed"))
    return noted


@pytest.fixture
def door(renewals) -> Door:
    return Door(bot_api(behind))


def signed(wire: Wire, method: str = "Balance", extra: str = "") -> dict[str, Any]:
    nonce = str(next_nonce())
    body = f"nonce={nonce}{extra}".encode()
    signature = sign(wire.bot.secret, f"/0/private/{method}", nonce, body)
    return {"body": body, "HTTP_API_KEY": wire.bot.public, "HTTP_API_SIGN": signature}


@pytest.mark.django_db
class TestInFrontOfDjango:
    def test_a_signed_call_is_answered_without_django(self, door, readonly):
        answer = json.loads(door.send("/0/private/Balance", **signed(readonly)))
        assert answer["error"] == []
        assert "XXBT" in answer["result"]
        assert door.headers["Content-Length"] == str(len(json.dumps(answer, separators=(",", ":"))))

    def test_old_connections_are_renewed_before_and_after(self, door, readonly, renewals, monkeypatch):
        monkeypatch.setattr(gateway, "answer", lambda call: renewals.append("answered") or Reply(b"{}"))
        door.send("/0/private/Balance")
        assert renewals == ["renewed", "answered", "renewed"]

    def test_other_paths_go_to_django(self, door):
        for path in ("/", "/inbox/", "/00/private/Balance", "/0.", "/v2"):
            assert door.send(path) == b"a page"

    @pytest.mark.parametrize(
        "path", ["/0", "/0/", "/0/private", "/0/public", "/0/x", "/0//private/Balance", "/0/Public/Time", "/0/\xff"]
    )
    def test_nothing_under_the_prefix_reaches_django(self, door, path):
        assert door.error(path) == "EGeneral:Unknown method"

    @pytest.mark.parametrize("verb", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", ""])
    def test_a_wrong_verb_is_an_unknown_method(self, door, verb):
        assert door.error("/0/private/Balance", verb=verb, body=b"nonce=1") == "EGeneral:Unknown method"

    def test_a_query_string_on_a_private_route_is_refused(self, door, readonly):
        error = door.error("/0/private/Balance", QUERY_STRING="amount=9", **signed(readonly))
        assert error == "EGeneral:Invalid arguments"

    def test_plain_http_is_refused_and_never_redirected(self, door, readonly):
        for path in ("/0/private/Balance", "/0/public/Time"):
            assert door.error(path, **signed(readonly), **{"wsgi.url_scheme": "http"}) == "EAPI:Bad request"
            assert "Location" not in door.headers

    def test_plain_http_is_enough_while_trying_it_out(self, door, readonly, settings):
        settings.DEBUG = True
        answer = json.loads(door.send("/0/private/Balance", **signed(readonly), **{"wsgi.url_scheme": "http"}))
        assert answer["error"] == []

    def test_only_a_listed_proxy_can_say_https(self, door, readonly, settings):
        """WB-10: forged X-Forwarded-Proto."""
        plain = {"wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": "https"}
        assert door.error("/0/private/Balance", **signed(readonly), **plain) == "EAPI:Bad request"
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        assert json.loads(door.send("/0/private/Balance", **signed(readonly), **plain))["error"] == []

    def test_an_oversized_body_is_refused_before_it_is_read(self, door, settings):
        """AP-12: oversized body is not read whole."""
        body = Counting(b"x" * (settings.API_BODY_LIMIT + 1))
        environ = {"CONTENT_LENGTH": str(settings.API_BODY_LIMIT + 1), "wsgi.input": body}
        assert door.error("/0/private/Balance", **environ) == "EGeneral:Invalid arguments"
        assert body.taken == 0

    def test_a_body_without_a_length_is_read_up_to_the_limit(self, door, settings):
        body = Counting(b"x" * (settings.API_BODY_LIMIT * 3))
        environ = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
        assert door.error("/0/private/Balance", **environ, **{"wsgi.input": body}) == "EGeneral:Invalid arguments"
        assert body.taken == settings.API_BODY_LIMIT + 1

    def test_a_short_body_without_a_length_is_answered(self, door, readonly):
        environ = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
        assert json.loads(door.send("/0/private/Balance", **signed(readonly), **environ))["error"] == []

    def test_a_body_without_an_end_is_not_waited_for(self, door):
        environ = {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}
        assert door.error("/0/private/Balance", **environ) == "EGeneral:Invalid arguments"
        assert door.error("/0/private/Balance", CONTENT_LENGTH=None) == "EAPI:Invalid key"

    @pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 40, "100"])
    def test_a_length_that_is_not_true_is_refused(self, door, length):
        assert door.error("/0/private/Balance", body=b"nonce=1", CONTENT_LENGTH=length) == "EGeneral:Invalid arguments"

    @pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
    def test_other_media_types_are_refused(self, door, media_type):
        error = door.error("/0/private/Balance", CONTENT_TYPE=media_type, body=b"nonce=1")
        assert error == "EGeneral:Invalid arguments"

    def test_a_charset_or_a_missing_media_type_is_fine(self, door, readonly):
        for media_type in (FORM + "; charset=utf-8", FORM.upper(), "", None):
            answer = json.loads(door.send("/0/private/Balance", CONTENT_TYPE=media_type, **signed(readonly)))
            assert answer["error"] == []

    def test_a_nonce_in_a_header_beside_the_body_is_refused(self, door, readonly):
        """AP-4: in both header and body."""
        error = door.error("/0/private/Balance", HTTP_API_NONCE="1", **signed(readonly))
        assert error == "EGeneral:Invalid arguments"

    def test_every_answer_carries_the_constant_headers(self, door, readonly):
        for path in ("/0/private/Balance", "/0/public/Time", "/0/x"):
            door.send(path, **signed(readonly))
            assert door.headers.items() >= SECURITY_HEADERS.items()
            assert door.headers["Cache-Control"] == "no-store"
            assert not {name.lower() for name in door.headers} & {"set-cookie", "location", "vary", "server"}
            assert not any(name.lower().startswith("access-control") for name in door.headers)

    def test_an_unexpected_error_is_logged_and_hidden(self, door, readonly, monkeypatch, caplog):
        def broken(caller, parameters):
            raise RuntimeError("the reason")

        monkeypatch.setitem(methods.PRIVATE, "Balance", methods.private_method(NoParameters, broken))
        assert door.error("/0/private/Balance", **signed(readonly)) == "EGeneral:Internal error"
        assert "the reason" in caplog.text
        assert readonly.bot.secret not in caplog.text

    def test_a_failing_database_is_unavailable(self, door, readonly, monkeypatch, caplog):
        def broken(caller, parameters):
            raise OperationalError("gone")

        monkeypatch.setitem(methods.PRIVATE, "Balance", methods.private_method(NoParameters, broken))
        assert door.error("/0/private/Balance", **signed(readonly)) == "EService:Unavailable"
        assert "gone" in caplog.text


@pytest.mark.django_db
class TestThroughDjango:
    def test_the_middleware_answers_the_same(self, readonly):
        nonce = str(next_nonce())
        response = readonly.send("Balance", f"nonce={nonce}".encode(), nonce=nonce)
        assert "XXBT" in Wire.read(response)["result"]
        assert response.headers.items() >= SECURITY_HEADERS.items()
        assert response.headers["Cache-Control"] == "no-store"
        assert not response.cookies

    @pytest.mark.parametrize("verb", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
    def test_a_wrong_verb_is_an_unknown_method(self, client, verb):
        response = client.generic(verb, "/0/private/Balance", secure=True)
        assert only_error(Wire.read(response)) == "EGeneral:Unknown method"

    def test_nothing_is_redirected_or_shown_as_a_page(self, client):
        for path in ("/0/", "/0/private", "/0/private/Balance/", "/0/public/Time/", "/0/favicon.ico"):
            assert Wire.read(client.post(path, secure=True))["error"]
            assert Wire.read(client.get(path, secure=True))["error"]
        response = client.post("/0/private/Balance", b"nonce=1", content_type=FORM)
        assert only_error(Wire.read(response)) == "EAPI:Bad request"

    def test_an_oversized_body_is_refused(self, readonly, settings):
        body = b"nonce=1&a=" + b"x" * settings.API_BODY_LIMIT
        assert only_error(Wire.read(readonly.send("Balance", body, nonce="1"))) == "EGeneral:Invalid arguments"

    def test_a_query_string_is_refused(self, readonly):
        nonce = str(next_nonce())
        response = readonly.send("Balance", f"nonce={nonce}".encode(), nonce=nonce, query="?amount=9")
        assert only_error(Wire.read(response)) == "EGeneral:Invalid arguments"


def test_what_could_forge_a_line_of_the_log_is_written_out(monkeypatch, caplog):
    def broken(_):
        raise RuntimeError

    monkeypatch.setitem(methods.PUBLIC, "Time", methods.public_method(NoParameters, broken))
    call = Call("GET", "/0/public/Time", "", b"", "", "", "", "", is_secure=True)
    assert b"Internal error" in gateway.answer(call).body
    assert gateway._loggable("/0/\n2026 INFO \x1b[31m") == r"'/0/\n2026 INFO \x1b[31m'"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_costs_one_call(readonly, caplog, monkeypatch):
    """Hot path: the call whose connection dies under it is answered, not repeated; the next one has a new one."""
    if connection.vendor != "postgresql":
        pytest.skip("only a server can hang up")
    door = Door(bot_api(behind))
    assert json.loads(door.send("/0/private/Balance", **signed(readonly)))["error"] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [backend])
    # The server hangs up after the look at the connection, and before the statement.
    monkeypatch.setattr(at_hand, "is_closed", lambda _: False)
    assert door.error("/0/private/Balance", **signed(readonly)) == "EService:Unavailable"
    assert json.loads(door.send("/0/private/Balance", **signed(readonly)))["error"] == []
    assert "The database failed" in caplog.text
