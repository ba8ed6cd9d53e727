"""By which request an event came about, and who agreed to it: the event names whoever asked, not who decided."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from policies.models import ChangeRequest, Decision
from portal.audit.models import AuditEvent
from portal.core.display.phrases import listed


@dataclass(frozen=True, slots=True)
class Cause:
    """A request by its number and reference, with those who approved it, in that order."""

    number: int
    reference: str
    approvers: tuple[str, ...]

    @property
    def agreed(self) -> str:
        """`, agreed to by Ben and Cleo`; empty for what nobody else had to agree to."""
        return f", agreed to by {listed(self.approvers)}" if self.approvers else ""

    @property
    def words(self) -> str:
        """`by request 12, agreed to by Ben and Cleo`."""
        return f"by request {self.number}{self.agreed}"


def causes(organization_id: int, events: Iterable[AuditEvent]) -> dict[str, Cause]:
    """The requests that these events name, by reference, in two queries however many there are."""
    named = {str(event.data["change"]) for event in events if event.data.get("change")}
    changes = ChangeRequest.objects.filter(organization=organization_id, reference__in=named)
    approvers: dict[int, list[str]] = defaultdict(list)
    yes = Decision.objects.filter(change__organization=organization_id, change__reference__in=named, approved=True)
    for change_id, name in yes.order_by("at", "pk").values_list("change_id", "person__name"):
        approvers[change_id].append(name)
    return {change.reference: Cause(change.number, change.reference, tuple(approvers[change.pk])) for change in changes}
