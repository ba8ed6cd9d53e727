"""What a method may be told: declared once, and from that both read and described.

@dataclass(frozen=True, slots=True)
class Withdraw:
    amount: Decimal = needed(Amount(), "What leaves the balance, fee included.")
"""

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, TypeVar, cast

from portal.api.bodies import Fields, Value
from portal.api.envelope import ApiError, Error
from portal.api.kinds import Kind

T = TypeVar("T")
P = TypeVar("P")
DECLARED: Final = "parameter"


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
    values: dict[str, object] = {}
    for each in declared(parameters):
        value = given.value(each.name)
        if value is not None:
            values[each.attribute] = _read(each, value)
        elif each.is_needed:
            raise ApiError(Error.INVALID_ARGUMENTS, field=each.name)
    return parameters(**values)


def _read(parameter: Declared, value: Value) -> object:
    try:
        return parameter.kind.read(value)
    except ApiError as error:
        error.facts.setdefault("field", parameter.name)
        raise
