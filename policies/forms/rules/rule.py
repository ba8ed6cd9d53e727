"""One rule, as it is chosen and typed: what all has to hold, and what it then asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.forms import BoundField
from django.forms.utils import ErrorDict
from django.http import QueryDict

from policies.forms.agreeing import Agreeing
from policies.forms.rules.amounts import AmountField
from policies.forms.rules.lists import MOST_FOUND, Picker
from policies.forms.rules.sums import Sums
from policies.rule_words import Names
from policies.rules import Facts
from policies.rules.language import Rule, flaw
from policies.rules.language.validity import MAX_HOURS
from portal.core.forms import Form, dress
from portal.core.money import plain

DENY: Final = "deny"
# What is pressed to see more of the form, and asks for nothing.
MORE, LOOK = "more", "look"


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as the page shows it: how it counts, what is in it, the search in what there is, and what that found.

    It `is_open` where something is in it, or wrong with it: else it is folded up.
    """

    name: str
    title: str
    is_open: bool
    how: BoundField
    listed: BoundField
    find: BoundField | None
    found: list[tuple[str, str]]
    more: int


class RuleForm(Form):
    """A rule. With `by_amount` it can have conditions, a delay or deny; else it asks approvals alone.

    `names` has what can be named, `facts` who is in which group. After `is_valid()`, `rule` is what was typed.
    """

    outcome = forms.ChoiceField(
        label="What is asked",
        choices=[("ask", "Approvals"), (DENY, "Nothing: it is denied")],
        widget=forms.RadioSelect,
        help_text="Whoever agrees, what is denied is not sent. What else is filled in below then counts for nothing.",
    )
    always = forms.BooleanField(
        label="Always",
        required=False,
        help_text="Also for members with Execute. Without it, this rule does not bind them.",
    )
    rule: Rule

    def __init__(
        self,
        data: QueryDict | None,
        *,
        began_as: Rule,
        names: Names,
        facts: Facts,
        by_amount: bool,
    ) -> None:
        self.by_amount, self.names = by_amount, names
        self.pickers = _pickers(names, began_as) if by_amount else ()
        self.agreeing, self.sums = Agreeing(facts, began_as, of_all=True), Sums(names.currency, began_as)
        if data is not None:
            data = data.copy()
            for picker in self.pickers:
                if picker.is_typed:
                    picker.with_added(data)
        self.of_rows = self._rows(self.agreeing, data)
        self.sum_rows = self._rows(self.sums, data) if by_amount else 0
        super().__init__(data, initial=self._initial(began_as))
        self._add_fields()

    @property
    def is_partial(self) -> bool:
        """Whether only more of the form was wanted."""
        return self.is_bound and (MORE in self.data or LOOK in self.data)

    def full_clean(self) -> None:
        """Nothing is wrong yet with what is still being filled in."""
        if self.is_partial:
            self._errors, self.cleaned_data = ErrorDict(), {}
            return
        super().full_clean()

    def clean(self) -> dict[str, Any]:
        """Read the rule together; what cannot be meant is said beside what says it."""
        values = super().clean() or {}
        approvals, groups = self.agreeing.read(self, self.of_rows)
        denies = values.get("outcome") == DENY
        if not denies and not approvals and not groups and not self.errors:
            self.add_error("of0_count", "Say how many have to agree.")
        lists = {picker.name: picker.read(self) for picker in self.pickers}
        amount = values.get("amount")
        self.rule = Rule(
            approvals=0 if denies else approvals,
            groups=() if denies else groups,
            deny=denies,
            delay_hours=0 if denies else values.get("delay_hours") or 0,
            always=values.get("always", False),
            amount=amount,
            with_day_sum=amount is not None and values.get("with_day_sum", False),
            sums=self.sums.read(self, self.sum_rows),
            younger_hours=values.get("younger_hours"),
            asked_by=values.get("asked_by", ""),
            **lists,
        )
        if not self.errors:
            trouble = flaw((self.rule,), by_amount=self.by_amount, groups=self.names.groups)
            if trouble:
                self.add_error(None, trouble)
        return values

    def of_whom(self) -> Iterator[tuple[BoundField, BoundField]]:
        """The rows of who has to agree."""
        for place in range(self.of_rows):
            yield self[f"of{place}_count"], self[f"of{place}_group"]

    def counted(self) -> Iterator[tuple[BoundField, BoundField, BoundField]]:
        """The rows of sums."""
        for place in range(self.sum_rows):
            yield self[f"sum{place}_window"], self[f"sum{place}_scope"], self[f"sum{place}_amount"]

    def lists(self) -> Iterator[Listed]:
        """The lists."""
        for picker in self.pickers:
            how, listed = self[f"{picker.name}_how"], self[picker.name]
            find = self[f"{picker.name}_find"] if picker.is_typed else None
            is_open = any((how.value(), listed.value(), how.errors, listed.errors, find is not None and find.value()))
            found = picker.found(self.data or {})
            shown, more = found[:MOST_FOUND], len(found[MOST_FOUND:])
            yield Listed(picker.name, picker.any_word, is_open, how, listed, find, shown, more)

    @property
    def counts_sums(self) -> bool:
        """Whether something is in the rows of sums, or wrong with them, or another is wanted."""
        return self.data.get(MORE) == self.sums.name or any(
            part.value() or part.errors for row in self.counted() for part in row
        )

    @property
    def takes_more_groups(self) -> bool:
        """Whether another row of who has to agree makes sense."""
        return self.of_rows < min(self.agreeing.most, len(self.names.groups) + 1)

    @property
    def takes_more_sums(self) -> bool:
        """Whether another sum can be counted."""
        return self.by_amount and self.sum_rows < self.sums.most

    def _rows(self, part: Agreeing | Sums, data: QueryDict | None) -> int:
        if data is None:
            return min(max(1, len(part.filled())), part.most)
        sent = next((place for place in range(part.most) if not _has_row(data, part.name, place)), part.most)
        return min(max(1, sent) + (data.get(MORE) == part.name), part.most)

    def _initial(self, rule: Rule) -> dict[str, object]:
        initial: dict[str, object] = {
            "outcome": DENY if rule.deny else "ask",
            "always": rule.always,
            "amount": plain(rule.amount) if rule.amount is not None else "",
            # A tier brings its sum along unless its author unticks it.
            "with_day_sum": rule.with_day_sum or rule.amount is None,
            "younger_hours": rule.younger_hours,
            "asked_by": rule.asked_by,
            "delay_hours": rule.delay_hours or None,
            **dict(self.agreeing.initial()),
            **dict(self.sums.initial()),
        }
        for picker in self.pickers:
            initial.update(picker.initial())
        return initial

    def _add_fields(self) -> None:
        found: dict[str, forms.Field] = {}
        if self.by_amount:
            found.update(_conditions(self.names.currency))
            for picker in self.pickers:
                found.update(picker.fields())
            for place in range(self.sum_rows):
                found.update(self.sums.fields(place))
        else:
            del self.fields["outcome"]
        for place in range(self.of_rows):
            found.update(self.agreeing.fields(place))
        for name, field in found.items():
            self.fields[name] = dress(field)


def _has_row(data: QueryDict, name: str, place: int) -> bool:
    return any(key.startswith(f"{name}{place}_") for key in data)


def _pickers(names: Names, rule: Rule) -> tuple[Picker, ...]:
    return (
        Picker("assets", "assets", "Any asset", names.assets, rule.assets),
        Picker("accounts", "Accounts", "Any Account", names.accounts, rule.accounts),
        Picker("destinations", "addresses", "Any address", names.destinations, rule.destinations),
        Picker("initiators", "initiators", "Anyone", names.initiators, rule.initiators),
    )


def _conditions(currency: str) -> dict[str, forms.Field]:
    return {
        "amount": AmountField(
            label=f"At least, in {currency}",
            help_text="What the withdrawal is worth with its fee, for example 100000. "
            "What has no price that is known and fresh counts as more than any amount.",
        ),
        "with_day_sum": forms.BooleanField(
            label="Also when everything of the last 24 hours together reaches it",
            required=False,
            help_text="Else ten payments of a tenth leave below it. What was sent in that time counts, and what waits.",
        ),
        "younger_hours": forms.IntegerField(
            label="The address has been in the book for less than, in hours",
            required=False,
            min_value=1,
            max_value=MAX_HOURS,
        ),
        "asked_by": forms.ChoiceField(
            label="Asked by",
            required=False,
            choices=[("", "Members and keys"), ("member", "Members only"), ("key", "Keys only")],
        ),
        "delay_hours": forms.IntegerField(
            label="Then a delay of, in hours",
            required=False,
            min_value=1,
            max_value=MAX_HOURS,
            help_text="After the last approval, so that others can look. One rejection ends it meanwhile.",
        ),
    }
