"""The mail that waits to be sent is sealed too: it is sealed anew when the keys are exchanged."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from portal.core.secrets.sealed_fields import Resealed
from portal.core.secrets.sealing import SealBroken, seal, sealing_key, unseal
from portal.jobs.mail import deliver, place_of


class QueuedMail:
    """A place of sealed values for `sealed_fields`: the arguments of mails that were not sent yet."""

    model: type[models.Model] = DBTaskResult
    name = "args_kwargs"

    def __str__(self) -> str:
        return "mail waiting to be sent"

    def left(self) -> int:
        """How many mails that wait are sealed under another key than the one that seals now."""
        return len(self._others())

    def reseal(self, size: int) -> Iterator[Resealed]:
        """One at a time, under its lock: there are few, and a worker may be about to send it."""
        broken, done = [], 0
        for pk in self._others():
            with transaction.atomic():
                row = self._waiting().select_for_update().filter(pk=pk).first()
                if row is None:
                    continue
                name, sealed, *rest = row.args_kwargs["args"]
                place = place_of(name)
                try:
                    sealed = seal(unseal(sealed, place=place), place=place)
                except SealBroken:
                    broken.append(place)
                    continue
                row.args_kwargs = {**row.args_kwargs, "args": [name, sealed, *rest]}
                row.save(update_fields=["args_kwargs"])
                done += 1
        yield Resealed(done, tuple(broken))

    def unopened(self, size: int) -> Iterator[str]:
        """The places of mails that could not be sent, since they do not open."""
        for given in self._waiting().values_list("args_kwargs", flat=True).iterator(chunk_size=size):
            name, sealed, *_ = given["args"]
            try:
                unseal(sealed, place=place_of(name))
            except SealBroken:
                yield place_of(name)

    def _others(self) -> list[UUID]:
        rows = self._waiting().values_list("pk", "args_kwargs")
        return [pk for pk, given in rows if not given["args"][1].startswith(f"{sealing_key()}.")]

    def _waiting(self) -> "models.QuerySet[DBTaskResult[Any, Any]]":
        return DBTaskResult.objects.filter(task_path=deliver.module_path, status=TaskResultStatus.READY)
