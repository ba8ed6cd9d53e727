"""A SELECT that is asked on its own, or along with a statement that writes: one way to the database instead of two."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, TypeAlias, TypeVar

from portal.core.database.prepared import PARAMETER, fetch

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
Rows: TypeAlias = Sequence[tuple[Any, ...]]
# What stands before the columns of a question in each row: the other statement's value, and whether the rows are stale.
BEFORE: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The text of a Reading, made once, with `%(name)s` parameters.

    `stale` is a condition under which its rows say nothing. The first column of `select` is NULL only where there is
    nothing. `order` names columns of it as `asked.name`; without it their order is the database's. `is_one`: it always
    gives one row of one column.
    """

    stale: str
    select: str
    order: str
    is_one: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names of its parameters."""
        return frozenset(found[1] for found in PARAMETER.finditer(self.stale + self.select) if found[1])

    def returned(self, column: str, *, only_if: str) -> str:
        """The same as `beside`, of a question that `is_one`, as what an UPDATE of one row returns: it takes no join."""
        return f"{column}, CASE WHEN {only_if} THEN ({self.stale}) END, CASE WHEN {only_if} THEN ({self.select}) END"

    def beside(self, table: str, column: str, *, only_if: str = "") -> str:
        """The rows beside the one row of `table`; one row without values of its own where there is nothing.

        `only_if` is a condition of that row: where it does not hold, nothing is looked for (PostgreSQL).
        """
        stale, asked = f"({self.stale})", f"LEFT JOIN ({self.select}) AS asked ON true"
        if only_if:
            stale = f"({only_if} AND {stale})"
            asked = f"LEFT JOIN LATERAL (SELECT * FROM ({self.select}) AS rows WHERE {only_if}) AS asked ON true"  # noqa: S608
        ordered = f" ORDER BY {self.order}" if self.order else ""
        return f"SELECT {table}.{column}, {stale}, asked.* FROM {table} {asked}{ordered}"  # noqa: S608


@dataclass(slots=True, eq=False)
class Reading(Generic[T_co]):
    """A question with its parameters; `told` makes the answer of its rows, each with BEFORE columns in front.

    Not frozen: one is made for each call, and a frozen one takes twice as long.
    """

    question: Question
    parameters: Mapping[str, Any]
    told: Callable[[Rows], T_co]

    def answer(self, rows: Rows) -> T_co | None:
        """What at least one row `beside` another says; None if it is stale."""
        return None if rows[0][1] else self.anyway(rows)

    def anyway(self, rows: Rows) -> T_co:
        """The same, stale or not."""
        return self.told(rows if rows[0][BEFORE] is not None else ())

    def then(self, told: Callable[[T_co], U]) -> "Reading[U]":
        """The same question, and something made of its answer."""
        before = self.told
        return Reading(self.question, self.parameters, lambda rows: told(before(rows)))

    def asked_alone(self) -> T_co | None:
        """The answer of a statement of its own; None if it is stale."""
        told, is_stale = self.look()
        return None if is_stale else told

    def look(self) -> tuple[T_co, bool]:
        """Ask in a statement of its own: the answer, and whether it is stale."""
        rows = fetch(_alone(self.question), self.parameters)
        return self.anyway(rows), bool(rows[0][1])


@lru_cache(maxsize=64)
def _alone(question: Question) -> str:
    return f"WITH one AS (SELECT 1 AS row) {question.beside('one', 'row')}"
