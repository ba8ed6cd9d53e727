"""What a ChangeRequest would run, as plain JSON, and the digest that pins it."""

import hashlib
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

if TYPE_CHECKING:
    from policies.models import ChangeRequest

P = TypeVar("P")
# Requests from before `touched` was kept have none of it, and the digest they were given.
FORM, FORM_WITHOUT_FIELDS, FORM_WITH_MORE = 2, 1, 3


class Unreadable(Exception):
    """Stored params are not what the operation takes; they were altered, or are of another version."""


def encode(params: object) -> dict[str, object]:
    """The fields of a params dataclass as JSON values: Decimal and datetime become text."""
    plain = msgspec.json.decode(msgspec.json.encode(params))
    if not isinstance(plain, dict):
        raise TypeError(f"{type(params).__name__} is not a params dataclass.")
    return cast("dict[str, object]", plain)


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
