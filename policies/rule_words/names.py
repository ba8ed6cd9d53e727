"""What people call the things that a rule names."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from policies.measures import measures
from policies.rules import Facts
from policies.rules.language import MEMBER, SERVICE_USER, initiator_id
from portal.core.database.one_reading import once
from portal.core.display.markup import visible

if TYPE_CHECKING:
    from accounts.models import Organization


@dataclass(frozen=True, slots=True)
class Names:
    """What a value in a rule is called, and the currency that its amounts are in.

    `accounts` and `initiators` go by their value in a list, `destinations` by what an address leads to.
    """

    currency: str
    groups: Mapping[int, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    assets: Mapping[str, str] = field(default_factory=dict)
    destinations: Mapping[str, str] = field(default_factory=dict)
    initiators: Mapping[str, str] = field(default_factory=dict)

    def group(self, primary_key: int) -> str:
        """The name of a group; what is gone says so."""
        return visible(self.groups.get(primary_key, "a group that is gone"))

    def account(self, value: str) -> str:
        """The name of an Account."""
        return visible(self.accounts.get(value, "an Account that is gone"))

    def asset(self, value: str) -> str:
        """The code of an asset."""
        return visible(self.assets.get(value, value))

    def destination(self, value: str) -> str:
        """The name of an address; what is in no book any more is told by what it leads to."""
        return visible(self.destinations.get(value, value))

    def initiator(self, value: str) -> str:
        """The name of a Member, or of a Service User."""
        return visible(self.initiators.get(value, "somebody who is gone"))


class _WhenAsked(Mapping[str, str]):
    """Names that are read once somebody wants one: most rules name none."""

    def __init__(self, read: Callable[[], Mapping[str, str]]) -> None:
        self._read = read

    @cached_property
    def _found(self) -> Mapping[str, str]:
        return self._read()

    def __getitem__(self, value: str) -> str:
        return self._found[value]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def names_of(organization: "Organization", facts: Facts) -> Names:
    """The names of what rules of `organization` can name; assets, addresses and who asks are read when wanted."""
    accounts = {str(pk): name for pk, name in facts.accounts.items()}
    return Names(
        currency=organization.currency,
        groups=facts.groups,
        accounts=accounts,
        assets=_WhenAsked(lambda: once(("assets", organization.pk), lambda: _assets(organization))),
        destinations=_WhenAsked(
            lambda: once(("destinations", organization.pk), lambda: _destinations(organization, accounts))
        ),
        initiators=_WhenAsked(lambda: once(("initiators", organization.pk), lambda: _initiators(organization, facts))),
    )


def _assets(organization: "Organization") -> Mapping[str, str]:
    return {named.value: named.label for named in measures().assets(organization)}


def _destinations(organization: "Organization", accounts: Mapping[str, str]) -> Mapping[str, str]:
    """By what each leads to: all its names, with the Account where two are called alike."""
    found = measures().destinations(organization)
    called: dict[str, dict[str, str]] = {}
    for named in found:
        called.setdefault(named.value, {})[named.label] = accounts.get(str(named.account_id), "")
    alike = Counter(label for labels in called.values() for label in labels)
    return {
        value: " / ".join(
            f"{label} ({account})" if alike[label] > 1 and account else label for label, account in labels.items()
        )
        for value, labels in called.items()
    }


def _initiators(organization: "Organization", facts: Facts) -> Mapping[str, str]:
    bots = organization.service_users.order_by("name").values_list("pk", "name")
    members = {initiator_id(MEMBER, person.member_id): person.name for person in facts.people}
    return members | {initiator_id(SERVICE_USER, pk): f"{name} (service user)" for pk, name in bots}
