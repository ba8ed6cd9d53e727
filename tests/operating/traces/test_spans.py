"""What traces hold, decoded by who receives them; and that whoever does not receive them slows nobody."""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections
from django.test import RequestFactory
from django.utils import timezone
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from portal.api.limits import refusal_events
from portal.api.stream import frames
from portal.api.stream.connection import Connection
from portal.api.stream.requests import answerer
from portal.application import application as served
from portal.core.database.prepared import fetch
from portal.core.observing import spans
from portal.jobs import mail, periodic
from portal.jobs.periodic import PeriodicTask
from portal.operating.traces import exporting
from portal.operating.traces.requests import traced
from portal.operating.traces.taking import Taking
from portal.venues.kraken.upstream import transport
from tests.api.calls import Wire
from tests.api.limits.roads import SOURCE, Sent
from tests.operating.receivers import black_hole, receiving
from tests.serving import ROOT, surroundings

pytestmark = pytest.mark.django_db
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def spans_of(posts) -> list[dict[str, object]]:
    """Every span that came, with its notes by name."""
    found = []
    for path, headers, body in posts:
        assert (path, headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert about["service.name"] == "countersign"
            for scope in resource.scope_spans:
                found += [_told(span) for span in scope.spans]
    return found


def _told(span) -> dict[str, object]:
    notes = {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
    assert not span.events, "an event could hold the words of an error"
    return {
        "name": span.name,
        "trace": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "is_fault": span.status.code == 2,
        **notes,
    }


@pytest.fixture(autouse=True)
def _connection_of_the_test():
    """What a server does around a request would close it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def collector():
    with receiving() as found:
        yield found


@pytest.fixture
def take(collector) -> "Iterator[Callable[..., Callable[[], list[dict[str, object]]]]]":
    """Take that share of spans from here on; what it gives sends them and says what came."""
    begun = []

    def begin(share: float = 1.0, endpoint: str = ""):
        found = exporting.Collector(endpoint or collector.url, version="1.2.3")
        begun.append(found)
        spans.take(Taking(found.tracer, share))

        def sent() -> list[dict[str, object]]:
            found.send()
            return spans_of(collector.posts)

        return sent

    yield begin
    spans.take(None)
    for each in begun:
        each.end()


def ask(variables: dict[str, object]) -> tuple[str, bytes]:
    """Status and answer of the application that is served, with what begins traces around it."""
    said: list[str] = []

    def start(status, headers, exc_info=None, /):
        said.append(status)
        return lambda _: None

    answer = b"".join(traced(served)(variables, start))
    return said[0], answer


def call(bot, method: str = "Balance", **environ: str) -> dict[str, object]:
    refusal_events.forget_all()
    status, answer = ask(Sent(Wire(bot), method, environ=dict(environ)).variables())
    assert status == "200 OK"
    found: dict[str, object] = json.loads(answer)
    return found


def page(client, path: str) -> str:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    return ask(RequestFactory().get(path, headers={"cookie": cookies}).environ)[0]


def test_a_call_is_traced_from_the_door_to_its_statements(take, treasury_bot):
    sent = take()
    assert call(treasury_bot)["error"] == []
    found = sent()
    (root,) = [each for each in found if not each["parent"]]
    assert (root["name"], root["countersign.method"]) == ("call Balance", "Balance")
    assert root["http.response.status_code"] == 200
    assert len(str(root["countersign.request_id"])) == 32
    assert "countersign.error" not in root
    parts = [each for each in found if each["parent"]]
    assert parts
    for each in parts:
        assert str(each["name"]).startswith("database ")
        assert each.keys() == {"name", "trace", "id", "parent", "is_fault", "db.operation.name"}
        assert (each["trace"], each["parent"]) == (root["trace"], root["id"])


def test_nothing_in_it_tells_who_or_how_much(take, treasury_bot, collector):
    sent = take()
    result = call(treasury_bot)["result"]
    call(treasury_bot, "WithdrawStatus", HTTP_API_SIGN="AAAA")
    call(treasury_bot, treasury_bot.secret[:20])
    sent()
    written = b"".join(body for _, _, body in collector.posts).decode(errors="replace")
    assert isinstance(result, dict)
    known = (treasury_bot.public, treasury_bot.secret[:20], treasury_bot.service_user.name, SOURCE, *result.values())
    assert [part for part in known if part in written] == []


def test_a_call_that_is_refused_says_with_which_words(take, treasury_bot):
    sent = take()
    call(treasury_bot, HTTP_API_SIGN="AAAA")
    call(treasury_bot, "MakeUpAName")
    roots = [each for each in sent() if not each["parent"]]
    assert [(each["name"], each["countersign.error"]) for each in roots] == [
        ("call Balance", "EAPI:Invalid signature"),
        ("call unknown", "EGeneral:Unknown method"),
    ]


@pytest.mark.urls("tests.dashboard.broken_urls")
def test_a_page_is_traced_by_the_name_of_its_route(take, client, ana, sign_in):
    sent = take()
    sign_in(client, ana)
    paths = ("/members/", "/nowhere/somebody@mail.test/", "/broken/", "/healthz")
    assert [page(client, path)[:3] for path in paths] == ["200", "404", "500", "200"]
    roots = [each for each in sent() if not each["parent"]]
    assert [(each["name"], each["http.response.status_code"]) for each in roots] == [
        ("page accounts:members", 200),
        ("page unknown", 404),
        ("page tests.dashboard.broken_urls.broken", 500),
    ]
    assert {each["http.request.method"] for each in roots} == {"GET"}


@pytest.mark.parametrize(("listed", "is_joined"), [(True, True), (False, False)])
def test_only_a_trusted_proxy_says_which_trace_a_call_belongs_to(take, treasury_bot, settings, listed, is_joined):
    sent = take()
    settings.TRUSTED_PROXIES = [SOURCE] if listed else []
    call(treasury_bot, HTTP_TRACEPARENT=PARENT)
    call(treasury_bot, HTTP_TRACEPARENT=PARENT[:-1] + "0")
    call(treasury_bot, HTTP_TRACEPARENT="00-nonsense")
    calls = [each for each in sent() if each["name"] == "call Balance"]
    assert len(calls) == (2 if listed else 3), "a proxy that traces decides what is taken"
    assert (TRACE in {each["trace"] for each in calls}) is is_joined


def test_of_calls_a_share_is_taken(take, treasury_bot, monkeypatch):
    sent = take(0.25)
    drawn = iter((0.1, 0.3, 0.24, 0.9))
    monkeypatch.setattr(random, "random", lambda: next(drawn))
    for _ in range(4):
        assert call(treasury_bot)["error"] == []
    assert len([each for each in sent() if not each["parent"]]) == 2


def test_a_call_that_is_not_taken_has_no_parts_that_are(take, treasury_bot, collector, monkeypatch):
    sent = take(0.0)
    monkeypatch.setattr("portal.api.gateway.usage.count", lambda *_: transport.send(collector.url, "/0/public/Time"))
    call(treasury_bot, CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8")
    collector.posts.clear()
    assert sent() == []


def test_a_decision_that_is_carried_out_is_a_part(take, client, owner, sign_in, account):
    sent = take()
    sign_in(client, owner)
    form = {"name": "payroll-bot", "account": account.pk, "permissions": ["query-funds"], "nonce_window": "0"}
    with spans.root("test", is_shared=True):
        client.post("/service-users/new/", form)
    (found,) = [each for each in sent() if each["name"] == "decision"]
    assert "payroll" not in str(found)
    assert found["countersign.operation"]


def test_tasks_and_mails_are_traced_whatever_the_share(take, monkeypatch, mailoutbox):
    sent = take(0.0)
    monkeypatch.setattr(periodic, "all_tasks", lambda: (PeriodicTask("tests.broken", 60, lambda: 1 // 0),))
    with pytest.raises(ZeroDivisionError):
        periodic.run_due()
    mail.send("notice", to=["somebody@mail.example.test"], context={"title": "A notice"})
    mail.settle()
    assert len(mailoutbox) == 1
    found = sent()
    (task,) = [each for each in found if each["name"] == "task tests.broken"]
    assert (task["is_fault"], task["error.type"]) == (True, "ZeroDivisionError")
    (queued,) = [each for each in found if each["name"] == "queued portal.jobs.mail.deliver"]
    (letter,) = [each for each in found if each["name"] == "mail"]
    assert (letter["parent"], letter["countersign.mail"]) == (queued["id"], "notice")
    assert "somebody" not in str(found)


def test_what_is_asked_of_an_exchange_is_traced_by_its_method(take, collector):
    sent = take()
    transport.send(collector.url, "/0/private/Balance", body=b"nonce=1", headers={"API-Key": "K"})
    collector.posts.clear()
    (found,) = sent()
    assert (found["name"], found["http.response.status_code"]) == ("exchange Balance", 200)


def test_a_request_of_a_socket_is_traced_by_names_of_ours(take):
    sent = take()

    async def nowhere(_: object) -> None:
        return

    async def both() -> None:
        answer = answerer(None)  # type: ignore[arg-type]
        connection = Connection(1, SOURCE, nowhere, answer)
        for method in ("ping", "a name of their own"):
            await answer(connection, frames.read(json.dumps({"method": method}), timezone.now()))

    asyncio.run(both())
    assert [each["name"] for each in sent()] == ["socket ping", "socket unknown"]


def test_what_goes_round_the_orm_goes_its_own_way_all_the_same(take, monkeypatch):
    """A call that is traced must not take another road than one that is not."""
    sent = take()
    fetch("SELECT 1", {})
    monkeypatch.setattr(type(connections["default"]), "cursor", lambda *_: 1 // 0)
    with spans.root("test", is_shared=True):
        assert list(map(tuple, fetch("SELECT %(a)s + 1", {"a": 1}))) == [(2,)]
        assert len(connection.execute_wrappers) == 1
    monkeypatch.undo()
    assert connection.execute_wrappers == []
    assert [each["name"] for each in sent()] == ["database SELECT", "test"]


def test_a_long_task_has_no_more_parts_than_are_kept(take):
    sent = take()
    with spans.root("test", is_shared=True), connection.cursor() as cursor:
        for _ in range(150):
            cursor.execute("SELECT 1")
    assert len(sent()) == 101


def test_a_collector_that_never_answers_slows_no_call(take, treasury_bot, caplog):
    """What it does not take is dropped: more than is kept in line is asked while it stands still."""
    with black_hole() as url:
        take(endpoint=url)
        for _ in range(exporting.QUEUE + exporting.BATCH):
            with spans.root("test", is_shared=True):
                pass
        assert [call(treasury_bot)["error"] for _ in range(5)] == [[]] * 5


def test_a_collector_that_is_away_is_said_once(take, treasury_bot, collector, caplog):
    collector.status = 400
    sent = take()
    for _ in range(3):
        call(treasury_bot)
        sent()
    collector.status = 200
    call(treasury_bot)
    sent()
    said = [each.getMessage() for each in caplog.records if each.name == exporting.__name__]
    assert said == ["Traces are not taken by their collector; they are dropped meanwhile", "Traces are taken again"]


@pytest.mark.parametrize(
    ("endpoint", "posted"),
    [
        ("http://collector.test:4318", "http://collector.test:4318/v1/traces"),
        ("http://collector.test:4318/", "http://collector.test:4318/v1/traces"),
        ("https://collector.test/otlp/traces", "https://collector.test/otlp/traces"),
    ],
)
def test_an_endpoint_is_the_address_of_a_collector(endpoint, posted):
    assert exporting.address(endpoint) == posted


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://collector.test", "http://"])
def test_what_is_no_endpoint_is_refused(endpoint):
    with pytest.raises(ValueError, match="PORTAL_TRACES_ENDPOINT"):
        exporting.address(endpoint)


def loaded(tmp_path, **settings: str) -> set[str]:
    """The packages that a server has loaded once it is ready to answer."""
    program = "import sys, portal.asgi; print(*{name.partition('.')[0] for name in sys.modules})"
    variables = surroundings() | {"PORTAL_DEBUG": "1", "PORTAL_VAR": str(tmp_path), **settings}
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=True)
    return set(found.stdout.split())


def test_without_an_endpoint_nothing_of_it_is_loaded(tmp_path):
    """A start stays as short as it was."""
    without = loaded(tmp_path)
    assert without & {"opentelemetry", "sentry_sdk", "requests"} == set()
    with black_hole() as url:
        assert "opentelemetry" in loaded(tmp_path, PORTAL_TRACES_ENDPOINT=url)
