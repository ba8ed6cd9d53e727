"""What is counted is exact: the same work gives the same numbers, and more work gives more."""

import pytest
from django.db import connection

from benchmarks.counting import question
from benchmarks.counting.counted import counted, counted_alone
from benchmarks.counting.question import Question
from benchmarks.counting.wsgi_call import ask, environ_of
from benchmarks.load import answers
from benchmarks.load.signing import Key, signed
from benchmarks.load.wires import BadAnswer
from portal.application import application

pytestmark = pytest.mark.django_db


def two_statements() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.execute("SELECT 2")


def test_statements_functions_and_bytecodes_are_counted():
    found = counted(two_statements)
    assert found.statements == 2
    assert found == counted(two_statements)


def test_more_work_is_more():
    little, much = counted(lambda: sum(each for each in range(3))), counted(lambda: sum(each for each in range(30)))
    assert little.statements == much.statements == 0
    assert much.functions > little.functions
    assert much.bytecodes > little.bytecodes


def test_what_makes_work_ready_is_not_counted():
    def ready():
        two_statements()
        return lambda: sum(each for each in range(3))

    assert counted_alone(ready) == counted(lambda: sum(each for each in range(3)))


def test_a_signed_call_of_the_portal_is_counted_alike_each_time(treasury_bot, in_this_transaction, settings):
    settings.API_LIMITS, settings.TRUSTED_PROXIES = False, ["127.0.0.1"]
    call = signed(Key(treasury_bot.public, treasury_bot.secret, "10.1.2.3"), "Balance")
    first, second = (counted(lambda: answers.result(ask(application, call))) for _ in range(2))
    assert first.statements == second.statements <= 2
    assert abs(first.bytecodes - second.bytecodes) <= first.bytecodes // 100


def test_a_request_is_handed_over_as_a_server_would():
    environ = environ_of(signed(Key("public", "c2VjcmV0", "10.1.2.3"), "Balance")())
    assert environ["REQUEST_METHOD"] == "POST"
    assert environ["PATH_INFO"] == "/0/private/Balance"
    assert environ["HTTP_X_FORWARDED_FOR"] == "10.1.2.3"
    assert environ["HTTP_API_KEY"] == "public"
    assert len(environ["wsgi.input"].read()) == int(environ["CONTENT_LENGTH"])


def test_an_answer_of_another_status_is_no_answer():
    def away(_, start_response):
        start_response("503 Service Unavailable", [])
        return [b"later"]

    with pytest.raises(BadAnswer, match="503"):
        ask(away, lambda: b"GET / HTTP/1.1\r\n\r\n")


def test_questions_go_to_another_process_and_come_back_as_they_were():
    asked = [Question("AddOrder", Key("public", "c2VjcmV0", "10.1.2.3"), "AddOrder", fields={"pair": "XBTUSD"})]
    assert question.read(question.written(asked)) == asked
