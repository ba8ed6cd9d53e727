"""An operation that changes the rows of a whole table a few at a time, each few in a transaction of their own."""

from collections.abc import Callable
from typing import Any, Final

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import QuerySet

SIZE: Final = 1000


class RunInBatches(migrations.RunPython):
    """Call `change` with the rows of a model, SIZE at a time in the order of their keys.

    What `change` does is harmless when it is done again: a migration that was interrupted begins at the first row.
    The migration says `atomic = False`, so that nothing is held longer than a batch takes. There is nothing to take
    back: what older code reads is left as it was.
    """

    def __init__(self, app: str, model: str, change: Callable[["QuerySet[Any]"], None], *, size: int = SIZE) -> None:
        self.app, self.model, self.change, self.size = app, model, change, size
        super().__init__(self._walk, migrations.RunPython.noop, atomic=False)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """As it is written in a migration."""
        return type(self).__qualname__, [self.app, self.model, self.change], {"size": self.size}

    def _walk(self, apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        # Whatever the model's own manager would leave out.
        rows: QuerySet[Any] = (
            QuerySet(apps.get_model(self.app, self.model)).using(editor.connection.alias).order_by("pk")
        )
        last: Any = None
        while keys := list(
            (rows if last is None else rows.filter(pk__gt=last)).values_list("pk", flat=True)[: self.size]
        ):
            with transaction.atomic(editor.connection.alias):
                self.change(rows.filter(pk__gte=keys[0], pk__lte=keys[-1]))
            last = keys[-1]
