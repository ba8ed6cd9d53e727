"""What is counted of bots' calls. Each costs one note; what that means is found out later."""

from collections.abc import Iterable
from typing import Any, Final

from portal.api import methods, permissions
from portal.api.gateway import PRIVATE, PUBLIC
from portal.api.protocol.envelope import Error
from portal.core.observing.meters import OTHER, Counter, Histogram, Noted, Taken, heap

NONE: Final = "none"
# No method has a longer name; what strangers make up is not kept as it came.
LONGEST: Final = 64
ERRORS: Final = (NONE, *(error.value for error in Error))
# The first that fits: what may be slow for reasons of its own has a histogram of its own.
KINDS: Final = ("public", "read", "orders", "withdraw")

CALLS: Final = Counter(
    "countersign_calls_total",
    "Calls of bots by REST, by method and by the first error of their answer; `none` went well.",
    {
        "method": lambda: (*permissions.PERMISSIONS, *(f"public/{name}" for name in methods.PUBLIC)),
        "error": ERRORS,
    },
)
SECONDS: Final = Histogram(
    "countersign_call_seconds",
    "How long a call of a bot by REST took, from a thread that had taken it to its answer, by kind of method.",
    {"kind": KINDS},
)


class _Calls(Noted):
    """A note of a call: its path and the error of its answer, and the seconds that it took."""

    def taken(self, said: Any, amount: float) -> Iterable[Taken]:  # noqa: ANN401
        """One call more, and how long it took."""
        path, error = said
        method = path.removeprefix(PRIVATE) if path.startswith(PRIVATE) else f"public/{path.removeprefix(PUBLIC)}"
        yield Taken(CALLS, CALLS.closed((method, error or NONE)), 1.0)
        yield Taken(SECONDS, (_kind_of(method),), amount)


def _kind_of(method: str) -> str:
    if method.startswith("public/"):
        return "public"
    if method in permissions.READING:
        return "read"
    if method == "Withdraw":
        return "withdraw"
    return "orders" if method in permissions.PERMISSIONS and permissions.kind_of(method) == "Orders" else OTHER


_calls: Final = _Calls()


def called(path: str, error: str, seconds: float) -> None:
    """A call to `path` was answered, with that error or none."""
    heap.append((_calls, (path[:LONGEST], error), seconds))
