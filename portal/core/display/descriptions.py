"""What a request would do, as plain data: an operation describes it, one page shows them all."""

from dataclasses import dataclass
from typing import Literal

from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Fact:
    """One label and its value. A value that is not a SafeString is escaped when shown."""

    label: str
    value: str | SafeString


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after. `grows` says that it gives more power than before."""

    field: str
    before: str | SafeString
    after: str | SafeString
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One amount now and after, both already at the asset's full scale; the `final` one is ruled twice."""

    label: str
    now: str
    after: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to beware of: the title says it, the text says what to do."""

    level: Literal["pen", "wait", "stop", "done"]
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Onward:
    """Where whoever asked goes on once the request is executed."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Description:
    """A request in plain words (DESIGN R7). `panel` repeats beside the buttons what is agreed to (security SU-3)."""

    sentence: SafeString
    facts: tuple[Fact, ...]
    panel: tuple[Fact, ...]
    changes: tuple[FieldChange, ...] = ()
    figures_title: str = ""
    figures_now: str = "Now"
    figures: tuple[Figure, ...] = ()
    notices: tuple[Notice, ...] = ()
    onward: Onward | None = None
