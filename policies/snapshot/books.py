"""What the addresses of each Account lead to: read once somebody looks, since most policies do not look at it."""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from policies.measures import measures
from portal.core.database.one_reading import once

if TYPE_CHECKING:
    from accounts.models import Organization


class Books(Mapping[int, Collection[str]]):
    """The address books of one Organization by Account, as rules see them."""

    def __init__(self, organization: "Organization") -> None:
        self._organization = organization

    def __getitem__(self, account_id: int) -> Collection[str]:
        return self._found[account_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @cached_property
    def _found(self) -> Mapping[int, Collection[str]]:
        return once(("where addresses lead", self._organization.pk), self._read)

    def _read(self) -> Mapping[int, Collection[str]]:
        found: dict[int, set[str]] = {}
        for named in measures().destinations(self._organization):
            if named.account_id is not None:
                found.setdefault(named.account_id, set()).add(named.value)
        return found
