"""Columns that hold sealed values, found by their type, so that none is forgotten when the keys are exchanged."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

from django.apps import apps
from django.core import checks
from django.db import models, transaction

from portal.core.secrets.sealing import SealBroken, seal, sealing_key, unseal


class SealedField(models.TextField):  # type: ignore[type-arg]
    """A value sealed by `portal.core.secrets.sealing.seal` for the `place` of its row, a property of the model.

    Every such column is sealed anew by `manage.py rotatesealingkeys`. Where it is empty, nothing is sealed.
    """

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """For the database it is text, so migrations know it as that."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Also an error where the model has no `place`: nothing could be opened."""
        found = list(super().check(**kwargs))
        if not hasattr(self.model, "place"):
            found.append(checks.Error("A model with a sealed column says its place.", obj=self, id="core.E001"))
        return found


class Placed(Protocol):
    pk: int

    @property
    def place(self) -> str:
        """For which row and column the value is sealed: it opens nowhere else."""


@dataclass(frozen=True, slots=True)
class Column:
    """One sealed column of one model."""

    model: type[models.Model]
    name: str

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.name}"

    def left(self) -> int:
        """How many rows are still sealed under another key than the one that seals now."""
        return self._other().count()

    def reseal(self, size: int) -> Iterator["Resealed"]:
        """Seal everything that is left under the present key, a batch at a time, while others read and write.

        A row that changed meanwhile is left as it is: whoever wrote it sealed it under the present key.
        """
        last = 0
        while rows := list(self._other().filter(pk__gt=last).order_by("pk")[:size]):
            done, broken = 0, []
            with transaction.atomic():
                for row in rows:
                    old = getattr(row, self.name)
                    place = cast("Placed", row).place
                    try:
                        new = seal(unseal(old, place=place), place=place)
                    except SealBroken:
                        broken.append(place)
                        continue
                    done += self.model._meta.base_manager.filter(pk=row.pk, **{self.name: old}).update(
                        **{self.name: new}
                    )
            last = rows[-1].pk
            yield Resealed(done, tuple(broken))

    def under(self, key: str, most: int) -> list[tuple[str, str]]:
        """Up to `most` values sealed under that key, each with its place."""
        rows = self.model._meta.base_manager.filter(**{f"{self.name}__startswith": f"{key}."}).order_by("pk")[:most]
        return [(getattr(row, self.name), cast("Placed", row).place) for row in rows]

    def unopened(self, size: int) -> Iterator[str]:
        """The places of all rows, of whatever key, that do not open."""
        last = 0
        full = self.model._meta.base_manager.exclude(**{self.name: ""})
        while rows := list(full.filter(pk__gt=last).order_by("pk")[:size]):
            for row in rows:
                place = cast("Placed", row).place
                try:
                    unseal(getattr(row, self.name), place=place)
                except SealBroken:
                    yield place
            last = rows[-1].pk

    def _other(self) -> "models.QuerySet[Any]":
        full = self.model._meta.base_manager.exclude(**{self.name: ""})
        return full.exclude(**{f"{self.name}__startswith": f"{sealing_key()}."})


@dataclass(frozen=True, slots=True)
class Resealed:
    """One batch: rows sealed anew, and the places of those that do not open."""

    done: int
    broken: tuple[str, ...]


class Sealed(Protocol):
    """A place where sealed values lie: a Column, or what `also` was told of."""

    @property
    def model(self) -> type[models.Model]:
        """The table in which they lie."""

    @property
    def name(self) -> str:
        """What the place is called where it is counted."""

    def left(self) -> int:
        """How many are still sealed under another key than the one that seals now."""

    def reseal(self, size: int) -> Iterator["Resealed"]:
        """Seal these under the present key, `size` at a time, while others read and write; tells each batch."""

    def unopened(self, size: int) -> Iterator[str]:
        """The places of those that do not open under any key."""


_others: list[Sealed] = []


def also(other: Sealed) -> None:
    """Seal that anew as well: for values that lie inside others, where no column tells."""
    _others.append(other)


def everything() -> list[Sealed]:
    """Every place where sealed values lie."""
    return [*columns(), *_others]


def columns() -> list[Column]:
    """Every sealed column there is, in the order of the tables."""
    found = [
        Column(model, field.name)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedField)
    ]
    return sorted(found, key=str)


@checks.register(checks.Tags.models)
def check_names(app_configs: object, **kwargs: object) -> list[checks.CheckMessage]:
    """A column called `sealed_…` has the type by which it is found."""
    return [
        checks.Error(
            f"{model._meta.label}.{field.name} is no SealedField: a new key would leave it behind.",
            obj=field,
            id="core.E002",
        )
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.name.startswith("sealed_") and not isinstance(field, SealedField)
    ]
