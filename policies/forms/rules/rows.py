"""The parts of a rule that come in rows: who has to agree, and sums over time."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from django import forms

from policies.forms.rules.amounts import AmountField
from policies.rules.language import AtLeast, GroupApprovals, Rule, Scope, SumOf, Window
from policies.rules.language.validity import MAX_COUNT, MAX_SUMS
from portal.core.money import plain

ALL: Final = "all"
MOST_GROUPS: Final = 10
WINDOWS: Final = [
    ("", "No sum"),
    (Window.HOUR.value, "within 1 hour"),
    (Window.DAY.value, "within 24 hours"),
    (Window.WEEK.value, "within 7 days"),
    (Window.MONTH.value, "within 30 days"),
]
SCOPES: Final = [
    (Scope.ACCOUNT.value, "from the same Account"),
    (Scope.ASSET.value, "in the same asset"),
    (Scope.DESTINATION.value, "to the same destination"),
    (Scope.INITIATOR.value, "asked by the same initiator"),
]


class Agreeing:
    """Rows of so many approvals of a group, or of all who may approve. `groups` are names by primary key."""

    name: Final = "of"

    def __init__(self, groups: Mapping[int, str], empty: frozenset[int], rule: Rule) -> None:
        self.groups, self.empty, self.rule = groups, empty, rule

    @property
    def most(self) -> int:
        """How many rows there can be: all of the rule's own at least."""
        return max(MOST_GROUPS + 1, len(self.filled()))

    def filled(self) -> Sequence[tuple[int, str]]:
        """What the rule asks already."""
        of_all = [(self.rule.approvals, ALL)] if self.rule.approvals else []
        return [*of_all, *((each.count, str(each.group)) for each in self.rule.groups)]

    def fields(self, place: int) -> dict[str, forms.Field]:
        """The fields of one row."""
        gone = {each.group: "A group that is gone" for each in self.rule.groups if each.group not in self.groups}
        choices = [(str(pk), name) for pk, name in {**self.groups, **gone}.items()]
        return {
            f"of{place}_count": forms.IntegerField(label="Approvals", required=False, min_value=1, max_value=MAX_COUNT),
            f"of{place}_group": forms.ChoiceField(
                label="Of whom", required=False, choices=[(ALL, "Anybody who may approve"), *choices]
            ),
        }

    def initial(self) -> Iterator[tuple[str, object]]:
        """What the rows show at first."""
        for place, (count, group) in enumerate(self.filled()):
            yield f"of{place}_count", count
            yield f"of{place}_group", group

    def read(self, form: forms.Form, rows: int) -> tuple[int, tuple[GroupApprovals, ...]]:
        """How many of all, and of each group; what is wrong is said beside its row."""
        asked: dict[str, int] = {}
        for place in range(rows):
            count, group = form.cleaned_data.get(f"of{place}_count"), form.cleaned_data.get(f"of{place}_group") or ALL
            if count is None:
                continue
            if group in asked:
                form.add_error(f"of{place}_group", "It is named twice. Name it once, with the larger number.")
            elif group != ALL and int(group) not in self.groups:
                form.add_error(f"of{place}_group", "This group is gone. Choose another.")
            elif group != ALL and int(group) in self.empty:
                form.add_error(f"of{place}_group", f"{self.groups[int(group)]} has no members. Put somebody in first.")
            asked[group] = count
        of_groups = (GroupApprovals(int(group), count) for group, count in asked.items() if group != ALL)
        return asked.get(ALL, 0), tuple(sorted(of_groups))


class Sums:
    """Rows of an amount that is reached by all that leaves within some time."""

    name: Final = "sum"
    most: Final = MAX_SUMS

    def __init__(self, currency: str, rule: Rule) -> None:
        self.currency, self.rule = currency, rule

    def filled(self) -> Sequence[AtLeast]:
        """What the rule counts already."""
        return self.rule.sums

    def fields(self, place: int) -> dict[str, forms.Field]:
        """The fields of one row."""
        return {
            f"sum{place}_window": forms.ChoiceField(label="All that leaves", required=False, choices=WINDOWS),
            f"sum{place}_scope": forms.MultipleChoiceField(
                label="Counted is what leaves",
                required=False,
                choices=SCOPES,
                widget=forms.CheckboxSelectMultiple,
                help_text="Nothing ticked: everything of the Organization.",
            ),
            f"sum{place}_amount": AmountField(label=f"Reaches, in {self.currency}"),
        }

    def initial(self) -> Iterator[tuple[str, object]]:
        """What the rows show at first."""
        for place, each in enumerate(self.filled()):
            yield f"sum{place}_window", each.sum.window.value
            yield f"sum{place}_scope", [scope.value for scope in each.sum.scope]
            yield f"sum{place}_amount", plain(each.amount)

    def read(self, form: forms.Form, rows: int) -> tuple[AtLeast, ...]:
        """The sums; what is wrong is said beside its row."""
        found: dict[SumOf, Decimal] = {}
        for place in range(rows):
            window, scope, amount = (
                form.cleaned_data.get(f"sum{place}_{part}") for part in ("window", "scope", "amount")
            )
            if not window and not scope and amount is None:
                continue
            if f"sum{place}_amount" in form.errors:
                continue
            if not window:
                form.add_error(f"sum{place}_window", "Say within what time, or leave the row empty.")
            elif amount is None:
                form.add_error(f"sum{place}_amount", "Say what amount it reaches, or choose No sum.")
            else:
                counted = SumOf(tuple(sorted(Scope(each) for each in scope or ())), Window(window))
                if counted in found:
                    form.add_error(f"sum{place}_window", "This sum is there twice. Keep the smaller amount.")
                found[counted] = amount
        return tuple(sorted(AtLeast(counted, amount) for counted, amount in found.items()))
