"""An answer that says nothing for certain: fenced, looked for at once and again, adopted or left to people."""

import json
from decimal import Decimal
from typing import Any

import pytest

from policies.models import State
from portal.venues.kraken.models import Alarm, Credential, Step
from portal.venues.kraken.withdrawals import sending
from tests.gateway.proxy import faults
from tests.gateway.proxy.traffic import Answer

pytestmark = pytest.mark.django_db
CUT, LOST = faults.cut_before, faults.answer_lost
TWO_ERRORS = faults.shape({"error": ["EAPI:Invalid key", "EService:Timeout"]}, executed=True)
# What becomes of a Withdraw that met it, at once: its step, and whether the exchange has it.
DONE, GONE, SOUGHT = Step.ACCEPTED, Step.RELEASED, Step.LOST
TABLE = {
    # Executed, and the answer is no answer: found by the look.
    "answer lost": (faults.answer_lost, DONE, True),
    "reset after": (faults.reset_after, DONE, True),
    "cut in the middle": (faults.cut_in_the_middle, DONE, True),
    "longer than it is": (faults.longer_than_it_is, DONE, True),
    "shorter than it is": (faults.shorter_than_it_is, DONE, True),
    "gzip broken": (faults.gzip_broken, DONE, True),
    "gzip in name only": (faults.gzip_in_name_only, DONE, True),
    "truncated, executed": (faults.truncated_json(executed=True), DONE, True),
    "502, executed": (faults.page(502, executed=True), DONE, True),
    "520, executed": (faults.page(520, executed=True), DONE, True),
    "525, executed": (faults.page(525, executed=True), DONE, True),
    "unavailable, executed": (faults.error("EService:Unavailable", executed=True), DONE, True),
    "busy, executed": (faults.error("EService:Busy", executed=True), DONE, True),
    "internal error, executed": (faults.error("EGeneral:Internal error", executed=True), DONE, True),
    "an unknown string, executed": (faults.error("ENew:Something", executed=True), DONE, True),
    "invalid nonce, executed all the same": (faults.error("EAPI:Invalid nonce", executed=True), DONE, True),
    "an unknown general string, executed": (faults.error("EGeneral:Something new", executed=True), DONE, True),
    "a doubt beside a refusal, executed": (TWO_ERRORS, SOUGHT, True),
    "an error beside a result": (faults.error("EFunding:Failed", executed=True, result={"refid": "X"}), DONE, True),
    "no reference": (faults.shape({"error": [], "result": {}}, executed=True), DONE, True),
    "another shape": (faults.shape({"error": [], "result": ["refid"]}, executed=True), DONE, True),
    "no envelope": (faults.shape(["refid"], executed=True), DONE, True),
    "not text": (faults.shape(b"\xff\xfe\x00", executed=True), DONE, True),
    # It came through, in some other way than usual.
    "gzipped": (faults.gzipped, DONE, True),
    "dripping": (faults.dripping(1), DONE, True),
    # Not executed, and nobody can tell.
    "cut before": (faults.cut_before, SOUGHT, False),
    "reset before": (faults.reset_before, SOUGHT, False),
    "truncated": (faults.truncated_json(executed=False), SOUGHT, False),
    "502": (faults.page(502, executed=False), SOUGHT, False),
    "504": (faults.page(504, executed=False), SOUGHT, False),
    "520": (faults.page(520, executed=False), SOUGHT, False),
    "522": (faults.page(522, executed=False), SOUGHT, False),
    "525": (faults.page(525, executed=False), SOUGHT, False),
    "unavailable": (faults.error("EService:Unavailable"), SOUGHT, False),
    "busy": (faults.error("EService:Busy"), SOUGHT, False),
    "timeout": (faults.error("EService:Timeout"), SOUGHT, False),
    "internal error": (faults.error("EGeneral:Internal error"), SOUGHT, False),
    "an unknown string": (faults.error("ENew:Something"), SOUGHT, False),
    "a redirect": (faults.redirect(302, "https://example.test/0/private/Withdraw"), SOUGHT, False),
    # The exchange says that it has not done it, and one look bears that out.
    "invalid nonce": (faults.wrong_nonce, GONE, False),
    "rate limit": (faults.error("EAPI:Rate limit exceeded"), GONE, False),
    "too many requests": (faults.error("EGeneral:Too many requests"), GONE, False),
    "throttled": (faults.error("EService:Throttled"), GONE, False),
    "throttled until": (faults.error("EService: Throttled: 1700000000"), GONE, False),
    # A rule of the exchange says no.
    "insufficient": (faults.error("EFunding:Invalid amount"), GONE, False),
    "unknown key": (faults.error("EFunding:Unknown withdraw key"), GONE, False),
    "max fee": (faults.error("EFunding:Max fee exceeded"), GONE, False),
    "arguments": (faults.error("EGeneral:Invalid arguments"), GONE, False),
    "a warning and an error": (faults.error("WGeneral:Danger", "EFunding:Invalid amount"), GONE, False),
    "permission": (faults.error("EGeneral:Permission denied"), GONE, False),
    "disabled": (faults.error("EAccount:Disabled"), GONE, False),
}


@pytest.mark.parametrize("fault", TABLE)
def test_what_becomes_of_a_withdraw_that_meets_a_fault(real, fault):
    meets, step, is_there = TABLE[fault]
    change = real.agreed()
    real.proxy.on("Withdraw", meets, times=1)
    for _ in range(2):
        real.tend()
    assert (real.step(change), bool(real.there())) == (step, is_there)
    assert len(real.proxy.requests("Withdraw")) == 1
    assert real.state(change) == {DONE: State.EXECUTED, GONE: State.FAILED, SOUGHT: State.APPROVED}[step]


@pytest.mark.parametrize("executed", [True, False])
def test_slower_than_is_waited_for(real, monkeypatch, executed):
    monkeypatch.setattr(sending, "SECONDS", 1.0)
    change = real.agreed()
    held = faults.HeldBack(executed=executed)
    real.proxy.on("Withdraw", held, times=1)
    real.tend()
    assert real.step(change) == (DONE if executed else SOUGHT)
    held.let_go()
    # The fence was answered under a later nonce: the call that was late is not accepted any more.
    assert len(real.there()) == (1 if executed else 0)


def test_the_fence_has_a_later_nonce_of_the_same_credential(real):
    real.agreed()
    real.proxy.on("Withdraw", LOST, times=1)
    real.tend()
    (sent,), (look, *_) = (
        real.proxy.requests("Withdraw"),
        [each for each in real.proxy.requests("WithdrawStatus") if each.key == real.withdrawing.public],
    )
    assert look.nonce > sent.nonce
    assert look.key == sent.key


def test_what_is_not_found_is_looked_for_after_one_two_and_ten_minutes_then_it_is_for_people(real, later):
    change = real.agreed()
    real.proxy.on("Withdraw", CUT, times=1)
    real.tend()
    counted = []
    for seconds in (30, 61, 62, 121, 130, 599, 601, 700):
        with later(seconds):
            real.tend()
        counted.append((seconds, len(real.looks(change)), real.step(change)))
    assert counted == [
        (30, 1, Step.LOST),
        (61, 2, Step.LOST),
        (62, 2, Step.LOST),
        (121, 3, Step.LOST),
        (130, 3, Step.LOST),
        (599, 3, Step.LOST),
        (601, 4, Step.UNKNOWN),
        (700, 4, Step.UNKNOWN),
    ]
    assert (real.state(change), real.there()) == (State.APPROVED, [])
    assert len(real.proxy.requests("Withdraw")) == 1
    (alarm,) = Alarm.objects.filter(kind=Alarm.Kind.UNKNOWN_WITHDRAWAL)
    assert alarm.subject == change.withdrawal.reference


def test_no_alarm_before_ten_minutes(real, later):
    real.agreed()
    real.proxy.on("Withdraw", CUT, times=1)
    real.tend()
    with later(121):
        real.tend()
    assert not Alarm.objects.exists()


def test_what_turns_up_later_is_adopted(real, later):
    """The exchange writes its list a while after it has accepted."""
    change = real.agreed()
    real.proxy.on("Withdraw", LOST, times=1)
    real.proxy.on("WithdrawStatus", faults.changed(lambda _: {"withdrawals": [], "next_cursor": None}), times=1)
    real.tend()
    assert real.step(change) == Step.LOST
    with later(61):
        real.tend()
    assert (real.step(change), real.row(change).refid) == (Step.ACCEPTED, real.there()[0]["refid"])
    assert real.state(change) == State.EXECUTED


def test_even_when_people_were_told_that_nobody_knows(real, later):
    change = real.agreed()
    real.proxy.on("Withdraw", LOST, times=1)
    hidden = faults.changed(lambda _: {"withdrawals": [], "next_cursor": None})
    real.proxy.on("WithdrawStatus", hidden, times=4)
    for seconds in (0, 61, 121, 601):
        with later(seconds):
            real.tend()
    assert real.step(change) == Step.UNKNOWN
    with later(3601):
        real.tend()
    assert (real.step(change), real.state(change)) == (Step.ACCEPTED, State.EXECUTED)


def test_more_than_one_that_could_be_it_is_for_people_at_once_with_all_shown(real):
    change = real.agreed()
    by_hand = [
        real.customer.result("everything", "Withdraw", asset="XBT", key="btc-cold", amount="1.25")["refid"]
        for _ in range(2)
    ]
    real.proxy.on("Withdraw", CUT, times=1)
    real.tend()
    assert real.step(change) == Step.UNKNOWN
    (look,) = real.looks(change)
    assert sorted(look.found) == sorted(by_hand)
    assert {row["refid"] for row in look.listed} == set(by_hand)


def test_what_is_anothers_is_not_adopted(real):
    first = real.agreed()
    real.tend()
    second = real.agreed()
    real.proxy.on("Withdraw", CUT, times=1)
    real.tend()
    assert (real.step(first), real.step(second)) == (Step.ACCEPTED, Step.LOST)
    assert real.looks(second)[0].found == []


def test_what_left_before_it_was_agreed_is_not_adopted(real):
    real.customer.result("everything", "Withdraw", asset="XBT", key="btc-cold", amount="1.25")

    def long_ago(result):
        for row in result["withdrawals"]:
            row["time"] -= 125
        return result

    change = real.agreed()
    real.proxy.on("WithdrawStatus", faults.changed(long_ago))
    real.proxy.on("Withdraw", CUT, times=1)
    real.tend()
    assert real.step(change) == Step.LOST


def test_another_alike_waits_until_it_is_known_what_became_of_the_first(real, later):
    """Never two alike in flight: neither could be told from the other."""
    first = real.agreed()
    real.proxy.on("Withdraw", CUT, times=1)
    real.tend()
    second, other = real.agreed(), real.agreed("2")
    real.tend()
    assert [real.step(change) for change in (first, second, other)] == [Step.LOST, Step.INTENDED, Step.ACCEPTED]
    assert "alike" in real.row(second).trouble


@pytest.mark.parametrize(
    "unheard", [faults.page(502, executed=False), faults.cut_before, faults.error("EService:Unavailable"),
                faults.shape({"error": [], "result": "nothing"})]
)  # fmt: skip
def test_a_look_that_does_not_hear_the_exchange_teaches_nothing(real, later, unheard):
    change = real.agreed()
    real.proxy.on("Withdraw", faults.wrong_nonce, times=1)
    real.proxy.on("WithdrawStatus", unheard, times=1)
    real.tend()
    assert real.step(change) == Step.LOST
    assert real.looks(change)[0].trouble
    with later(21):
        real.tend()
    assert (real.step(change), real.state(change)) == (Step.RELEASED, State.FAILED)


def test_without_a_look_for_ten_minutes_it_is_unknown_not_given_back(real, later):
    change = real.agreed()
    real.proxy.on("Withdraw", LOST, times=1)
    real.proxy.on("WithdrawStatus", faults.page(502, executed=False))
    real.tend()
    with later(601):
        real.tend()
    assert (real.step(change), real.state(change)) == (Step.UNKNOWN, State.APPROVED)
    assert Alarm.objects.filter(kind=Alarm.Kind.UNKNOWN_WITHDRAWAL).count() == 1


def test_a_lockout_stops_the_credential_and_is_borne_out_once_that_is_tried_again(real, later):
    change = real.agreed()
    real.proxy.on("Withdraw", faults.lockout, times=1)
    real.tend()
    assert real.step(change) == Step.LOST
    assert [each for each in real.proxy.requests("WithdrawStatus") if each.key == real.withdrawing.public] == []
    Credential.objects.filter(pk=real.withdrawing.pk).update(stopped_at=None)
    with later(21):
        real.tend()
    change.refresh_from_db()
    assert (change.state, real.there()) == (State.FAILED, [])
    assert change.reason == "EGeneral:Temporary lockout. Nothing was sent; ask again."


def test_what_says_that_nothing_was_done_says_to_ask_again(real):
    change = real.agreed()
    real.proxy.on("Withdraw", faults.wrong_nonce, times=1)
    real.tend()
    change.refresh_from_db()
    assert change.reason == "EAPI:Invalid nonce. Nothing was sent; ask again."
    assert real.balance().held_by_withdrawals_units == 0


def test_a_long_list_is_read_to_its_end(real):
    """One page that is missing could be the one that is sought."""
    change = real.agreed()

    rows: list[Any] = []

    def in_pages(turn):
        cursor = turn.request.fields["cursor"]
        rows[:] = rows or turn.forward().read()["result"]["withdrawals"]
        number = 0 if cursor == "true" else int(cursor)
        other = {**rows[0], "refid": f"OTHER-{cursor}", "key": "eth-cold"}
        page = {"withdrawals": [other] if number < 2 else rows, "next_cursor": str(number + 1) if number < 2 else None}
        turn.say(Answer(200, json.dumps({"error": [], "result": page}).encode()))

    real.proxy.on("Withdraw", LOST, times=1)
    real.proxy.on("WithdrawStatus", in_pages)
    real.tend()
    assert real.step(change) == Step.ACCEPTED
    assert Decimal(real.there()[0]["amount"]) < Decimal("1.25")
