"""What a method may be told: declared once, and from that both read and described.

@dataclass(frozen=True, slots=True)
class Withdraw:
    amount: Decimal = needed(Amount(), "What leaves the balance, fee included.")
"""

import re
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, TypeVar, cast

from portal.api.protocol.envelope import ApiError, Error
from portal.api.protocol.parameter_types import Kind
from portal.api.protocol.request_body import Fields, Value

T = TypeVar("T")
P = TypeVar("P")
DECLARED: Final = "parameter"
OF_EVERY_CALL: Final = frozenset({"nonce", "otp"})
# What may be between the letters of a name, or after them: `cl-ord-id`, `type[]`, `type[0]`.
UNSPOKEN: Final = re.compile(r"\[[0-9]*\]|[^A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Declared:
    """One parameter. `attribute` names it in the class, `name` on the wire."""

    attribute: str
    name: str
    kind: Kind[object]
    text: str
    is_needed: bool


@dataclass(frozen=True, slots=True)
class NoParameters:
    """A method that takes nothing."""


_known: dict[type[object], tuple[Declared, ...]] = {}


def needed(kind: Kind[T], text: str, *, name: str = "") -> T:
    """A parameter that every call must name."""
    value: T = field(metadata={DECLARED: (name, kind, text)})
    return value


def optional(kind: Kind[T], default: T, text: str, *, name: str = "") -> T:
    """A parameter with a default."""
    return field(default=default, metadata={DECLARED: (name, kind, text)})


def absent(kind: Kind[T], text: str, *, name: str = "") -> T | None:
    """A parameter that is None unless the call names it."""
    return cast("T | None", field(default=None, metadata={DECLARED: (name, kind, text)}))


def declared(parameters: type[object]) -> tuple[Declared, ...]:
    """The parameters of a class, in the order in which they are read."""
    known = _known.get(parameters)
    if known is not None:
        return known
    found = []
    for each in fields(cast("Any", parameters)):
        name, kind, text = each.metadata[DECLARED]
        is_needed = each.default is MISSING
        found.append(Declared(each.name, name or each.name, kind, text, is_needed))
    _known[parameters] = tuple(found)
    return _known[parameters]


def read(parameters: type[P], given: Fields) -> P:
    """What the call says, as its method declared it.

    Raises: ApiError for what is missing or malformed; Invalid for an amount that is none.
    """
    known = declared(parameters)
    _refuse_other_spellings(known, given)
    values: dict[str, object] = {}
    for each in known:
        value = given.value(each.name)
        if value is not None:
            values[each.attribute] = _read(each, value)
        elif each.is_needed:
            raise ApiError(Error.INVALID_ARGUMENTS, field=each.name)
    return parameters(**values)


def _refuse_other_spellings(known: Sequence[Declared], given: Fields) -> None:
    """What a method does not know is ignored, but not what it knows under nearly that name.

    `timeInForce`, `Validate` or `type[]` unheard would place an order, or show rows, that nobody asked for.

    Raises: ApiError.
    """
    if not known:
        return
    names = {each.name for each in known}
    strange = given.names - names - OF_EVERY_CALL
    if strange:
        folded = {_folded(name) for name in names}
        for name in sorted(strange):
            if _folded(name) in folded and given.value(name) is not None:
                raise ApiError(Error.INVALID_ARGUMENTS, field=name)


def _folded(name: str) -> str:
    return UNSPOKEN.sub("", name).lower()


def _read(parameter: Declared, value: Value) -> object:
    try:
        return parameter.kind.read(value)
    except ApiError as error:
        error.facts.setdefault("field", parameter.name)
        raise
