"""Sums over time, as rows of a rule."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from django import forms

from policies.forms.rules.amounts import AmountField
from policies.rules.language import AtLeast, Rule, Scope, SumOf, Window
from policies.rules.language.validity import MAX_SUMS
from portal.core.money import plain

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
