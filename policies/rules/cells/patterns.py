"""What lists tell apart: values on the same lists are one, so that a thousand of them cost no more than a few."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from policies.rules.language import SERVICE_USER, Among, Rule

# For assets, Accounts, destinations and initiators the kinds of values, as bits: a request is one of each.
Box: TypeAlias = tuple[int, ...]
LISTS: Final = ("assets", "accounts", "destinations", "initiators")
WHO: Final = LISTS.index("initiators")


class _Axis:
    """The kinds of values of one list: first those that no list names, `others` of them, then the named ones."""

    def __init__(self, lists: Iterable[tuple[str, ...]], others: int = 1) -> None:
        self.places = {values: place for place, values in enumerate(dict.fromkeys(lists))}
        on: dict[str, int] = {}
        for values, place in self.places.items():
            for value in values:
                on[value] = on.get(value, 0) | 1 << place
        kinds: dict[tuple[int, bool], list[str]] = {}
        for value, places in on.items():
            kinds.setdefault((places, others > 1 and _is_key(value)), []).append(value)
        self.others = others
        self.kinds = [(is_key, values) for (_, is_key), values in kinds.items()]
        self.full = (1 << others + len(self.kinds)) - 1
        self.listed = [0] * len(self.places)
        for bit, (places, _) in enumerate(kinds, start=others):
            for place in range(len(self.places)):
                if places >> place & 1:
                    self.listed[place] |= 1 << bit

    def bits(self, among: Among | None) -> int:
        if among is None:
            return self.full
        listed = self.listed[self.places[among.values]]
        return self.full & ~listed if among.outside else listed

    def of_keys(self) -> int:
        """Those kinds that are keys, of initiators: the second of the others, and the named ones."""
        return 2 | sum(1 << bit for bit, (is_key, _) in enumerate(self.kinds, start=self.others) if is_key)

    def values(self, bits: int) -> tuple[str, ...]:
        """The named values among `bits`."""
        named = (values for bit, (_, values) in enumerate(self.kinds, start=self.others) if bits >> bit & 1)
        return tuple(sorted(value for values in named for value in values))


def _is_key(initiator: str) -> bool:
    return initiator.startswith(f"{SERVICE_USER}:")


class Patterns:
    """What all lists of some rules tell apart."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        known = tuple(rules)
        self._axes = tuple(
            _Axis((each.values for rule in known if (each := getattr(rule, name)) is not None), 2 if at == WHO else 1)
            for at, name in enumerate(LISTS)
        )
        self._keys = self._axes[WHO].of_keys()
        self.steps = Steps()

    def whole(self, *, executes: bool) -> Box:
        """Everything that can be asked, by Members with Execute alone, or by anybody else."""
        full = [axis.full for axis in self._axes]
        if executes:
            full[WHO] &= ~self._keys
        return tuple(full)

    def box(self, rule: Rule, *, executes: bool) -> Box:
        """What `rule` matches as far as lists go, and who asks."""
        found = [axis.bits(getattr(rule, name)) for axis, name in zip(self._axes, LISTS, strict=True)]
        if rule.asked_by:
            found[WHO] &= self._keys if rule.asked_by == "key" else ~self._keys
        return meet(tuple(found), self.whole(executes=executes))

    def said(self, box: Box, rule: Rule, *, executes: bool) -> dict[str, Any]:
        """The lists that say `box`, a part of that of `rule`; of initiators perhaps a part of the part."""
        whole, own = self.whole(executes=executes), self.box(rule, executes=executes)
        found: dict[str, Any] = {}
        for at, bits in enumerate(box):
            if bits != own[at]:
                found |= self._of_initiators(bits, whole[at]) if at == WHO else self._among(at, bits, whole[at])
        return found

    def _among(self, at: int, bits: int, whole: int) -> dict[str, Any]:
        axis, name = self._axes[at], LISTS[at]
        if bits == whole:
            return {name: None}
        left_out = axis.values(whole & ~bits)
        return {name: Among(left_out, outside=True) if bits & 1 else Among(axis.values(bits))}

    def _of_initiators(self, bits: int, whole: int) -> dict[str, Any]:
        """No rule says some kinds of keys besides Members that are on no list: then only the latter."""
        keys, axis = self._keys, self._axes[WHO]
        if not bits & 0b11:
            return {"initiators": Among(axis.values(bits)), "asked_by": ""}
        if bits & 0b11 != 0b11:
            part = ~keys if bits & 1 else keys
            bits, whole, asked_by = bits & part, whole & part, "member" if bits & 1 else "key"
        else:
            asked_by = ""
        left_out = axis.values(whole & ~bits)
        return {"initiators": Among(left_out, outside=True) if left_out else None, "asked_by": asked_by}


def meet(one: Box, other: Box) -> Box:
    """What is in both; nothing, if one of its numbers is nought."""
    return tuple(mine & theirs for mine, theirs in zip(one, other, strict=True))


def hole(box: Box, others: Sequence[Box], left: "Steps") -> Box | None:
    """A part of `box` that none of `others` touches, or None where they cover it.

    Lists can be made so that no way is known to tell in any time: once no steps are `left`, a part is given that may
    be covered after all. Whoever asks then takes a case for possible that perhaps is not.
    """
    if not all(box):
        return None
    touching = [other for other in others if all(meet(box, other))]
    if not touching:
        return box
    # The one that leaves the fewest ways past it.
    least = min(touching, key=lambda other: sum(bool(mine & ~theirs) for mine, theirs in zip(box, other, strict=True)))
    if left.are_used_up() and any(mine & ~theirs for mine, theirs in zip(box, least, strict=True)):
        return box
    rest = [other for other in touching if other is not least]
    inside = list(box)
    for at, bits in enumerate(least):
        if box[at] & ~bits:
            part = list(inside)
            part[at] = box[at] & ~bits
            found = hole(tuple(part), rest, left)
            if found is not None:
                return found
        # What is past it here has been looked at.
        inside[at] = box[at] & bits
    return None


class Steps:
    """How often lists may be cut before that is given up."""

    def __init__(self, number: int = 10_000) -> None:
        self._number = number

    def are_used_up(self) -> bool:
        """Whether this one is more than there are."""
        self._number -= 1
        return self._number < 0


def one_of(box: Box) -> Box:
    """A single kind of request in `box`: such as is on no list, if there is one."""
    return tuple(bits & -bits for bits in box)
