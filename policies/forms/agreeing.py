"""Who has to agree, as rows of a form: so many approvals of a group, or of all who may approve."""

from collections.abc import Iterator, Sequence
from typing import Final

from django import forms

from policies.rules import Facts
from policies.rules.language import GroupApprovals, Rule
from policies.rules.language.validity import MAX_COUNT

ALL: Final = "all"
MOST_GROUPS: Final = 10


class Agreeing:
    """Rows of so many approvals of a group, or of all who may approve. `groups` are names by primary key.

    `empty` are those in which nobody is. Without `of_all`, how many of all is asked elsewhere in the form.
    """

    name: Final = "of"

    def __init__(self, facts: Facts, rule: Rule, *, of_all: bool) -> None:
        self.groups, self.rule, self.of_all = facts.groups, rule, of_all
        self.empty = frozenset(self.groups) - frozenset().union(*(person.groups for person in facts.people))

    @property
    def most(self) -> int:
        """How many rows there can be: all of the rule's own at least."""
        return max(MOST_GROUPS + 1, len(self.filled()))

    def filled(self) -> Sequence[tuple[int, str]]:
        """What the rule asks already."""
        of_all = [(self.rule.approvals, ALL)] if self.of_all and self.rule.approvals else []
        return [*of_all, *((each.count, str(each.group)) for each in self.rule.groups)]

    def fields(self, place: int) -> dict[str, forms.Field]:
        """The fields of one row."""
        gone = {each.group: "A group that is gone" for each in self.rule.groups if each.group not in self.groups}
        first = (ALL, "Anybody who may approve") if self.of_all else ("", "No group")
        choices = [first, *((str(pk), name) for pk, name in {**self.groups, **gone}.items())]
        # Beside the number of all, which is called so, that of a group has a name of its own.
        label = "Approvals" if self.of_all else "How many"
        return {
            f"of{place}_count": forms.IntegerField(label=label, required=False, min_value=1, max_value=MAX_COUNT),
            f"of{place}_group": forms.ChoiceField(label="Of whom", required=False, choices=choices),
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
            count, group = form.cleaned_data.get(f"of{place}_count"), form.cleaned_data.get(f"of{place}_group")
            if count is None or f"of{place}_group" in form.errors:
                continue
            if not group and not self.of_all:
                form.add_error(f"of{place}_group", "Say of which group, or leave the row empty.")
                continue
            group = group or ALL
            if group in asked:
                form.add_error(f"of{place}_group", "It is named twice. Name it once, with the larger number.")
            elif group != ALL and int(group) not in self.groups:
                form.add_error(f"of{place}_group", "This group is gone. Choose another.")
            elif group != ALL and int(group) in self.empty:
                form.add_error(f"of{place}_group", f"{self.groups[int(group)]} has no members. Put somebody in first.")
            asked[group] = count
        of_groups = (GroupApprovals(int(group), count) for group, count in asked.items() if group != ALL)
        return asked.get(ALL, 0), tuple(sorted(of_groups))
