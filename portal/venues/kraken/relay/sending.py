"""Carrying a call out: sent, repeated or looked for as the table of `repeats` says, within the time of the caller."""

import time
from collections.abc import Mapping
from typing import Any, Final

from portal.core.errors import Unavailable
from portal.venues.errors import OutcomeUnknown
from portal.venues.kraken.relay import looking
from portal.venues.kraken.relay.line import Line
from portal.venues.kraken.relay.repeats import (
    RULES,
    Rule,
    Sort,
    Then,
    is_nonce,
    is_overloaded,
    sort_of,
    throttled_until,
)
from portal.venues.kraken.relay.values import text, texts
from portal.venues.kraken.upstream.envelope import Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost, Meaning, NotSent, Stopped
from portal.venues.kraken.upstream.transport import NO_ANSWER, NO_REACH

FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 4.0
# Whatever may be sent again after a look is sent so often in all.
MOST_SENT: Final = 2
# The exchange cannot be reached at all: one more try, since a connection may have been closed at that moment.
MOST_UNREACHED: Final = 2
NOBODY_KNOWS: Final = "The exchange did not say whether it was done, and does not show it. It is not sent again."
REFUSED: Final = "The exchange refused the portal's own credential: "
PERMISSION: Final = "EGeneral:Permission denied"
GONE: Final = ("EOrder:Unknown order", "EOrder:Invalid order")


def carry_out(line: Line, method: str, fields: Mapping[str, Any]) -> Answer:
    """What the exchange has answered in the end, an error of its own included.

    Raises: OutcomeUnknown if it may have been done; NotSent, AnswerLost if it was not, or only asked something;
    OverShare.
    """
    return _Way(line, method, fields).to_the_end()


class _Way:
    """One call on its way. `is_doubtful`: it may have been done by an earlier try."""

    def __init__(self, line: Line, method: str, fields: Mapping[str, Any]) -> None:
        self.line, self.method, self.fields = line, method, fields
        self.sort = sort_of(method, fields)
        self.rule: Rule = RULES[self.sort]
        self.sent = self.unreached = 0
        self.pause = FIRST_PAUSE
        self.is_doubtful = self.has_new_nonce = False
        self.trouble: Unavailable = AnswerLost(NO_ANSWER)

    def to_the_end(self) -> Answer:
        while True:
            sent_at = time.time()
            answer = self._tried()
            then = self._then(answer)
            if then is Then.LOOK:
                may_be_done = answer is None or not is_nonce(answer.errors)
                found = looking.look(self.line, self.method, self.fields, sent_at, may_be_done=may_be_done)
                if isinstance(found, Answer):
                    return found
                then = self._after_look(found, answer)
            if then is Then.GIVE_UP:
                raise OutcomeUnknown(NOBODY_KNOWS)
            if then is Then.PASS and answer is not None:
                return self._passed(answer)
            if not self._wait(answer):
                return self._out_of_time(answer)

    def _tried(self) -> Answer | None:
        """What came back; None if the answer was lost, or nothing has left and may be tried once more."""
        try:
            self.sent += 1
            return self.line.ask(self.method, self.fields)
        except AnswerLost as error:
            self.is_doubtful, self.trouble = True, error
            return None
        except NotSent as error:
            self.unreached, self.trouble = self.unreached + 1, error
            may_repeat = self.sort in (Sort.QUERY, Sort.CANCEL) and error.message == NO_REACH
            if not may_repeat or self.unreached >= MOST_UNREACHED:
                raise self._given_up() from error
            return None

    def _then(self, answer: Answer | None) -> Then:
        if answer is None:
            return self.rule.lost
        if is_nonce(answer.errors):
            then = Then.PASS if self.has_new_nonce else self.rule.nonce
            self.has_new_nonce = True
            return then
        if is_overloaded(answer.errors):
            self.is_doubtful = True
            return self.rule.overloaded
        if answer.meaning is Meaning.DOUBTFUL and self.rule.overloaded is Then.LOOK:
            self.is_doubtful = True
            return Then.LOOK
        return Then.PASS

    def _after_look(self, found: looking.NotFound, answer: Answer | None) -> Then:
        if found is looking.NotFound.NOT_DONE and self.sent < MOST_SENT:
            return Then.REPEAT
        if answer is not None and not is_overloaded(answer.errors):
            # A reason of its own that only might have come too late: the bot hears it.
            return Then.PASS
        return Then.GIVE_UP

    def _wait(self, answer: Answer | None) -> bool:
        """Pause before the next try; whether there is time for one."""
        until = throttled_until(answer.errors) if answer is not None else None
        pause = self.pause if until is None else max(self.pause, until - time.time())
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        if pause >= self.line.left:
            return False
        time.sleep(pause)
        return True

    def _out_of_time(self, answer: Answer | None) -> Answer:
        if answer is not None:
            return self._passed(answer)
        raise self._given_up()

    def _given_up(self) -> Unavailable:
        """What it comes to when nothing can be read any more."""
        if self.is_doubtful and self.sort is not Sort.QUERY:
            return OutcomeUnknown(NOBODY_KNOWS)
        return self.trouble

    def _passed(self, answer: Answer) -> Answer:
        """The answer as it came, but for what is said of a credential that the bot knows nothing of."""
        if answer.meaning in (Meaning.CREDENTIAL, Meaning.LOCKOUT) and not all(
            error.startswith(PERMISSION) for error in answer.errors
        ):
            raise Stopped(REFUSED + ", ".join(answer.errors)[:200])
        if self.is_doubtful and answer.errors:
            done = _done_before(self.method, self.fields, answer.errors)
            return answer if done is None else looking.said(done)
        return answer


def _done_before(method: str, fields: Mapping[str, Any], errors: tuple[str, ...]) -> object | None:
    """What the first try must have been answered, where a second one finds nothing left to do; None if it did not."""
    if method == "CancelOrder" and all(error.startswith(GONE) for error in errors):
        return {"count": 1}
    if method == "CancelOrderBatch" and all(error.startswith(GONE) for error in errors):
        return {"count": len(texts(fields, "orders")) + len(texts(fields, "cl_ord_ids"))}
    if method == "RemoveExport" and not is_overloaded(errors) and not is_nonce(errors):
        return {text(fields, "type") or "delete": True}
    return None
