"""The newest page of a list whose rows never change, as it was told last, so that each row is read and written once.

Bots ask for these lists over and over, and nearly always for what they have been told already. So the text of the page
is kept by Account, and the next call asks only for the newest row that is kept and for what has come after it. Where
that row does not stand where it stood, nothing that is kept counts: a row came late and moved others up, or the
database is another one.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from portal.api.call import Caller
from portal.api.protocol.envelope import JSON
from portal.core.database.reading import Reading
from portal.venues.types import Mark, Newest

# The rows of a page, and the Accounts of which one is kept in a process: a page takes up to 20 kB.
ROWS: Final = 50
ACCOUNTS: Final = 500


class Named(Protocol):
    """A row of a list."""

    @property
    def id(self) -> str:
        """What the protocol calls it by."""


Row = TypeVar("Row", bound=Named)
Row_co = TypeVar("Row_co", bound=Named, covariant=True)


class Page(Protocol[Row_co]):
    """Rows, newest first, and how many the list has."""

    @property
    def rows(self) -> Sequence[Row_co]:
        """Fifty at most."""

    @property
    def count(self) -> int | None:
        """None if it was not asked for."""


class Listed(NamedTuple):
    """Rows by their ids as an answer has them, and how many there are on all pages."""

    rows: JSON
    total: int | None


class _Kept(NamedTuple):
    """The texts of a page, newest first, where the newest row stands, and the page as they make it up."""

    mark: Mark
    texts: Sequence[bytes]
    listed: Listed


class NewestPages(Generic[Row]):
    """Of one list. `told` says a row in the protocol's words."""

    def __init__(self, told: Callable[[Row], JSON]) -> None:
        self._told = told
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._lock = Lock()

    def reading(
        self, account_id: int, ask: Callable[[int, Mark | None], Reading[Newest[Row]] | None]
    ) -> Reading[Listed | None] | None:
        """The newest page, of what `ask` reads for the Account; its answer is None if it has to be asked for anew."""
        with self._lock:
            kept = self._kept.get(account_id)
            if kept is not None:
                self._kept.move_to_end(account_id)
        reading = ask(account_id, None if kept is None else kept.mark)
        return None if reading is None else reading.then(lambda found: self._joined(account_id, kept, found))

    def listed(self, page: Page[Row]) -> Listed:
        """Any other page."""
        return Listed({row.id: self._told(row) for row in page.rows}, page.count)

    def forget(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()

    def _joined(self, account_id: int, kept: _Kept | None, found: Newest[Row]) -> Listed | None:
        if not found.follows or found.mark is None:
            self._keep(account_id, None)
            return Listed({}, 0) if found.follows else None
        if kept is None or found.rows:
            before = () if kept is None else kept.texts
            texts = [*map(self._text, found.rows), *before][:ROWS]
            kept = _Kept(found.mark, texts, Listed(msgspec.Raw(b"{%b}" % b",".join(texts)), found.mark.number))
            self._keep(account_id, kept)
        return kept.listed

    def _text(self, row: Row) -> bytes:
        return msgspec.json.encode({row.id: self._told(row)})[1:-1]

    def _keep(self, account_id: int, kept: _Kept | None) -> None:
        with self._lock:
            if kept is None:
                self._kept.pop(account_id, None)
                return
            self._kept[account_id] = kept
            while len(self._kept) > ACCOUNTS:
                self._kept.popitem(last=False)


def sees_everything(caller: Caller) -> bool:
    """Whether the key has no window of its own."""
    return caller.credential.query_start is None and caller.credential.query_end is None
