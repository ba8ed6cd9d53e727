"""What a ChangeRequest would run, as plain JSON, and the digest that pins it."""

import dataclasses
import hashlib
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_type_hints

import msgspec

if TYPE_CHECKING:
    from policies.models import ChangeRequest

P = TypeVar("P")
# Requests from before `touched` was kept have none of it, and the digest they were given.
FORM, FORM_WITHOUT_FIELDS, FORM_WITH_MORE = 2, 1, 3


ADDED: Final = "added"


def added(default: P) -> P:
    """A field that params were given once requests without it were stored already.

    While it says `default`, which is what was so without it, it is not stored: what was asked before can still be
    read, and an older version reads what asks for nothing new.
    """
    field: P = dataclasses.field(default=default, metadata={ADDED: True})
    return field


class Unreadable(Exception):
    """Stored params are not what the operation takes; they were altered, or are of another version."""


def encode(params: object) -> dict[str, object]:
    """The fields of a params dataclass as JSON values: Decimal and datetime become text."""
    plain = msgspec.json.decode(msgspec.json.encode(params))
    if not isinstance(plain, dict):
        raise TypeError(f"{type(params).__name__} is not a params dataclass.")
    _leave_out(params, plain)
    return cast("dict[str, object]", plain)


def _leave_out(params: object, plain: dict[str, Any]) -> None:
    """Leave out what was added and asks for nothing new, of these params and of dataclasses that are their fields."""
    kind: type = type(params)
    for name in _inner(kind):
        if dataclasses.is_dataclass(inner := getattr(params, name)):
            _leave_out(inner, plain[name])
    for name, default in _added(kind):
        if getattr(params, name) == default:
            del plain[name]


@lru_cache(maxsize=256)
def _inner(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass that are dataclasses themselves."""
    if not dataclasses.is_dataclass(kind):
        return ()
    hints = get_type_hints(kind)
    return tuple(field.name for field in dataclasses.fields(kind) if dataclasses.is_dataclass(hints[field.name]))


@lru_cache(maxsize=256)
def _added(kind: type) -> tuple[tuple[str, object], ...]:
    if not dataclasses.is_dataclass(kind):
        return ()
    return tuple((field.name, field.default) for field in dataclasses.fields(kind) if ADDED in field.metadata)


def decode(kind: type[P], stored: object) -> P:
    """The params that `encode` took apart.

    Raises: Unreadable if a field is missing, surplus or of another type.
    """
    try:
        params: P = msgspec.convert(stored, kind)
    except msgspec.ValidationError as error:
        raise Unreadable(str(error)) from error
    if encode(params) != stored:
        raise Unreadable(f"The stored fields are not exactly those of {kind.__name__}.")
    return params


def digest(change: "ChangeRequest") -> str:
    """SHA-256 over all that a Decision agrees to and that must not move afterwards, as 64 hexadecimal digits.

    Canonical: JSON with sorted keys, times in UTC. `FORM` is counted in, so that a later form cannot collide.
    """
    fixed: dict[str, Any] = {
        "form": FORM_WITH_MORE if change.required_besides else FORM if change.touched else FORM_WITHOUT_FIELDS,
        "organization": change.organization_id,
        "reference": change.reference,
        "number": change.number,
        "workflow": change.workflow,
        "operation": change.operation,
        "account": change.account_id,
        "subject": change.subject,
        "subject_member": change.subject_member_id,
        "title": change.title,
        "amount": change.amount,
        "asset": change.asset,
        "member": change.member_id,
        "service_user": change.service_user_id,
        "api_key": change.api_key_id,
        "note": change.note,
        "params": change.params,
        "approvals_required": change.approvals_required,
        "created_at": change.created_at.astimezone(UTC),
        "expires_at": change.expires_at.astimezone(UTC),
    }
    if change.touched:
        fixed["touched"] = change.touched
    if change.required_besides:
        fixed["required_besides"] = change.required_besides
    return hashlib.sha256(msgspec.json.encode(fixed, order="sorted")).hexdigest()
