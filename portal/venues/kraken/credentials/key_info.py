"""What the exchange says of a credential (`GetApiKeyInfo`), read strictly; the documentation and one client spell it
differently, so both spellings are taken (reference, *What is known*).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.utils import timezone

from portal.venues.kraken.models import OWNER_LENGTH, Credential
from portal.venues.kraken.upstream.outcomes import AnswerLost

METHOD: Final = "GetApiKeyInfo"
OTHER_SHAPE: Final = (
    "The exchange answers with another shape than it documents, so nothing is known of this credential. Ask the "
    "operator whether PORTAL_EXCHANGES names the exchange's own address."
)
LONGEST_WORD: Final = 64
MOST_WORDS: Final = 200
# Of an unsigned number of 64 bits.
LONGEST_NUMBER: Final = 20
# What columns of 64 bits hold.
HIGHEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One credential by the exchange's word. `nonce` is the highest it has seen, `owner` the account there.

    `query_from` is inclusive, `query_until` exclusive; `nonce_window` counts the exchange's unit.
    """

    permissions: tuple[str, ...]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None
    query_from: datetime | None
    query_until: datetime | None
    nonce: int
    nonce_window: int
    owner: str

    def write_to(self, row: Credential) -> tuple[str, ...]:
        """Put it into the row, unsaved, as read now; the fields that are to be saved."""
        row.permissions, row.ip_allowlist = list(self.permissions), list(self.ip_allowlist)
        row.expires_at, row.query_from, row.query_until = self.expires_at, self.query_from, self.query_until
        row.nonce_window, row.owner, row.looked_at = self.nonce_window, self.owner, timezone.now()
        return FIELDS


FIELDS: Final = (
    "permissions",
    "ip_allowlist",
    "expires_at",
    "query_from",
    "query_until",
    "nonce_window",
    "owner",
    "looked_at",
)


def read(result: Any) -> KeyInfo:  # noqa: ANN401  (whatever JSON can be)
    """The answer's result. Raises: AnswerLost if it is none of `GetApiKeyInfo`."""
    if not isinstance(result, Mapping):
        raise AnswerLost(OTHER_SHAPE)
    try:
        return KeyInfo(
            permissions=_words(_field(result, "permissions")),
            ip_allowlist=_words(_field(result, "ipAllowlist", "ip_allowlist")),
            expires_at=_instant(_field(result, "validUntil", "valid_until")),
            query_from=_instant(_field(result, "queryFrom", "query_from")),
            query_until=_instant(_field(result, "queryTo", "query_to")),
            nonce=_number(_field(result, "nonce")),
            nonce_window=min(_number(_field(result, "nonceWindow", "nonce_window")), HIGHEST),
            owner=_word(result.get("iban") or "", OWNER_LENGTH),
        )
    except (ValueError, TypeError, KeyError, OverflowError, OSError) as error:
        raise AnswerLost(OTHER_SHAPE) from error


def _field(result: Mapping[str, Any], *spellings: str) -> Any:  # noqa: ANN401
    """What stands under one of these names. Raises: KeyError if none is there."""
    return result[next((name for name in spellings if name in result), spellings[0])]


def _words(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Texts without the empty ones: the exchange writes `[""]` for an allow-list that is not there."""
    if not isinstance(value, list) or len(value) > MOST_WORDS:
        raise ValueError("no list")
    return tuple(_word(each, LONGEST_WORD) for each in value if each != "")


def _word(value: Any, longest: int) -> str:  # noqa: ANN401
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise ValueError("no text")
    return value


def _number(value: Any) -> int:  # noqa: ANN401
    """A whole number that is not negative, as one or as digits; 0 for none."""
    if value is None or value == "":
        return 0
    digits = str(value)
    if isinstance(value, bool) or not isinstance(value, str | int) or not (digits.isascii() and digits.isdecimal()):
        raise ValueError("no number")
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("no number of theirs")
    return int(digits)


def _instant(value: Any) -> datetime | None:  # noqa: ANN401
    seconds = _number(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
