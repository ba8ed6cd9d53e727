"""Exports at the exchange: each is of the Service User that asked for it, and holds what its key may see."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from portal.venues.errors import UnknownExport
from portal.venues.kraken.bot_models import CODE_LENGTH, BotExport
from portal.venues.kraken.relay import export_files, export_list, raw, sending
from portal.venues.kraken.relay.line import Line
from portal.venues.kraken.relay.values import EPOCH, seconds, text
from portal.venues.kraken.relay.windows import window
from portal.venues.kraken.relay.windows.window import Window
from portal.venues.kraken.upstream.envelope import NOT_JSON, Answer
from portal.venues.kraken.upstream.outcomes import AnswerLost
from portal.venues.relaying import RelayedCall

METHODS: Final = frozenset({"AddExport", "ExportStatus", "RetrieveExport", "RemoveExport"})
REPORTS: Final = frozenset({"trades", "ledgers"})
CODE: Final = re.compile(rf"[A-Za-z0-9-]{{1,{CODE_LENGTH}}}", re.ASCII)
# Later than that nobody is, and no clock here goes much further.
LATEST: Final = Decimal(200_000_000_000)
UNKNOWN: Final = "There is no such export."

_MADE: Final = msgspec.json.Decoder(dict[str, Any])
_ROW: Final = msgspec.json.Decoder(dict[str, Any])


def carried_out(line: Line, call: RelayedCall, fields: Mapping[str, Any], seen: Window) -> Answer:
    """The exchange's answer, as far as it is about exports of the Service User that hold nothing outside of the window.

    `fields` are narrowed already. Raises: UnknownExport; as `sending.carry_out`.
    """
    if call.method == "AddExport":
        return _added(line, call, fields, seen)
    own = export_list.visible(call.account_id, call.service_user_id, call.seen_from, call.seen_before)
    if call.method == "ExportStatus":
        return _listed(sending.carry_out(line, call.method, fields), set(own.values_list("code", flat=True)))
    code = text(fields, "id")
    export = own.filter(code=code).first()
    if export is None:
        raise UnknownExport(UNKNOWN, field="id")
    answer = sending.carry_out(line, call.method, fields)
    if call.method == "RetrieveExport":
        return answer if answer.errors or answer.result is not None else _checked(answer, export, seen)
    if not answer.errors:
        export_list.remove(call.account_id, code)
    return answer


def _added(line: Line, call: RelayedCall, fields: Mapping[str, Any], seen: Window) -> Answer:
    answer = sending.carry_out(line, call.method, fields)
    if answer.errors:
        return answer
    code = _code(answer)
    report = text(fields, "report")
    export_list.add(
        call.account_id,
        call.service_user_id,
        code,
        report if report in REPORTS else "",
        since=max(filter(None, (_instant(text(fields, "starttm")), call.seen_from)), default=None),
        before=min(filter(None, (_end(text(fields, "endtm")), call.seen_before)), default=None),
        is_narrowed=not seen.is_open,
    )
    return answer


def _code(answer: Answer) -> str:
    try:
        code = _MADE.decode(answer.result or b"").get("id")
    except msgspec.MsgspecError as error:
        raise AnswerLost(NOT_JSON) from error
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise AnswerLost(NOT_JSON)
    return code


def _listed(answer: Answer, own: set[str]) -> Answer:
    if answer.errors:
        return answer
    rows = raw.items(answer.result)
    left = [written for written in rows if _row(written).get("id") in own]
    return answer if len(left) == len(rows) else raw.with_result(answer, left)


def _row(written: msgspec.Raw) -> dict[str, Any]:
    try:
        return _ROW.decode(written)
    except msgspec.MsgspecError as error:
        raise AnswerLost(NOT_JSON) from error


def _checked(answer: Answer, export: BotExport, seen: Window) -> Answer:
    """The file without rows outside of the window of now, and of the one that its key had then."""
    kept = window.of(export.since, export.before) if export.is_narrowed else Window(None, None)
    both = Window(kept.since(seen.first), _earlier(kept.before, seen.before))
    if both.is_open:
        return answer
    return Answer(export_files.within(answer.body, both), answer.media_type, (), (), None)


def _earlier(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _instant(said: str) -> datetime | None:
    """The instant that a bound names; None for none, and for zero, which is the beginning of all."""
    at = seconds(said)
    return EPOCH + timedelta(microseconds=int(min(at, LATEST) * 1_000_000)) if at else None


def _end(said: str) -> datetime | None:
    """The end of an inclusive bound: a whole second counts to its end."""
    at, found = seconds(said), _instant(said)
    if at is None or found is None:
        return None
    return found + (timedelta(seconds=1) if at == at.to_integral_value() else timedelta(microseconds=1))
