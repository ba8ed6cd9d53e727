"""A list that a rule names: check boxes where there is little to choose from, else names, one to a line, with a search.

A form of ours holds a hundred fields at most, so that hundreds of addresses cannot be check boxes.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from policies.rules.language import MAX_LISTED, Among

# From here on names are typed or searched for.
MOST_BOXES: Final = 8
MOST_FOUND: Final = 8
INSIDE, OUTSIDE = "in", "out"
# As many names as a list takes, with room for those that are too many to be said so.
LONGEST: Final = 200_000
UNKNOWN_SHOWN: Final = 3


class NamesField(forms.CharField):
    """Names, one to a line; gives what they stand for. `known` has each name with its value."""

    def __init__(self, *, known: Mapping[str, str], **kwargs: Any) -> None:
        self.known = known
        widget = forms.Textarea(attrs={"rows": 4, "class": "input", "autocomplete": "off"})
        super().__init__(required=False, max_length=LONGEST, widget=widget, **kwargs)

    def clean(self, value: object) -> list[str]:
        """Raises: ValidationError naming the first lines that are not known, or how many are too many."""
        lines = [line.strip() for line in super().clean(value).splitlines()]
        named = [line for line in dict.fromkeys(lines) if line]
        if len(named) > MAX_LISTED:
            raise ValidationError(f"{len(named):,} are listed, and {MAX_LISTED:,} are the most.")
        values = set(self.known.values())
        unknown = [line for line in named if line not in self.known and line not in values]
        if unknown:
            raise ValidationError(self._said(unknown))
        return [self.known.get(line, line) for line in named]

    def _said(self, unknown: list[str]) -> str:
        first = ", ".join(line[:80] for line in unknown[:UNKNOWN_SHOWN])
        more = len(unknown) - UNKNOWN_SHOWN
        others = f" and {more:,} more" if more > 0 else ""
        return f"Not known here: {first}{others}. Write each as it is called, one to a line."


@dataclass(frozen=True, slots=True)
class Picker:
    """One list of a rule in a form: `options` are names by value, `kept` what the rule names already.

    `name` is that of the field, `any_word` and `thing` how it is spoken of: *Any asset*, *assets*.
    """

    name: str
    thing: str
    any_word: str
    options: Mapping[str, str]
    kept: Among | None

    @property
    def by_name(self) -> dict[str, str]:
        """Value by name, those included that are gone but named already."""
        return {label: value for value, label in self.shown.items()}

    @property
    def shown(self) -> dict[str, str]:
        """Name by value, no two alike; what is gone goes by what it is."""
        gone = {value: value for value in (self.kept.values if self.kept else ()) if value not in self.options}
        often = Counter(self.options.values())
        named = {value: name if often[name] == 1 else f"{name} ({value})" for value, name in self.options.items()}
        return {**dict(sorted(named.items(), key=lambda item: item[1].lower())), **gone}

    @property
    def is_typed(self) -> bool:
        """Whether there is too much for check boxes."""
        return len(self.shown) > MOST_BOXES

    def fields(self) -> dict[str, forms.Field]:
        """The fields of it: how the list counts, the list, and where it is typed a search in what there is."""
        how = forms.ChoiceField(
            label=f"Which {self.thing} count",
            required=False,
            choices=[("", self.any_word), (INSIDE, "Only these"), (OUTSIDE, "All but these")],
        )
        if not self.is_typed:
            boxes = forms.MultipleChoiceField(
                label=f"These {self.thing}",
                required=False,
                choices=list(self.shown.items()),
                widget=forms.CheckboxSelectMultiple,
            )
            return {f"{self.name}_how": how, self.name: boxes}
        names = NamesField(
            known=self.by_name, label=f"Which {self.thing}", help_text="As they are called, one to a line."
        )
        find = forms.CharField(label=f"Find {self.thing}", required=False, max_length=100)
        return {f"{self.name}_how": how, self.name: names, f"{self.name}_find": find}

    def initial(self) -> dict[str, object]:
        """What the form shows at first."""
        if self.kept is None:
            return {}
        names = [self.shown[value] for value in self.kept.values]
        listed: object = "\n".join(sorted(names, key=str.lower)) if self.is_typed else list(self.kept.values)
        return {f"{self.name}_how": OUTSIDE if self.kept.outside else INSIDE, self.name: listed}

    def found(self, data: Mapping[str, str]) -> list[tuple[str, str]]:
        """All that the search that was typed finds, by value and name; what is shown of it is `MOST_FOUND`."""
        wanted = data.get(f"{self.name}_find", "").strip().lower()
        if not wanted or not self.is_typed:
            return []
        return [(value, name) for value, name in self.shown.items() if wanted in name.lower()]

    def with_added(self, data: QueryDict) -> None:
        """Move what was ticked among what was found into the list."""
        added = [self.shown[value] for value in data.getlist(f"{self.name}_add") if value in self.shown]
        lines = [line.strip() for line in data.get(self.name, "").splitlines() if line.strip()]
        data[self.name] = "\n".join(dict.fromkeys((*lines, *added)))
        data.pop(f"{self.name}_add", None)

    def read(self, form: forms.Form) -> Among | None:
        """The list that was chosen; what is wrong with it is said beside it."""
        how, values = form.cleaned_data.get(f"{self.name}_how", ""), form.cleaned_data.get(self.name) or []
        if self.name in form.errors:
            return None
        if not how:
            if values:
                form.add_error(f"{self.name}_how", f"Say how these {self.thing} count, or name none.")
            return None
        if not values:
            form.add_error(self.name, f"Name one at least, or choose {self.any_word}.")
            return None
        return Among(tuple(sorted(set(values))), outside=how == OUTSIDE)
