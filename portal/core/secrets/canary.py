"""Whether the sealing keys are those of this database: a wrong key under the right name opens nothing (fault F7).

Of each key a sample lies in the database, sealed under it by the first process that had it. Whoever starts opens it.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from portal.core.models import SealingCanary
from portal.core.secrets import sealed_fields, sealing

SAMPLE: Final = b"countersign"
# Of each column, when a key has no sample yet: one that opens is enough.
LOOKED_AT: Final = 5


def wrong_keys(*, make: bool = True) -> list[str]:
    """The names of keys that do not open what was sealed under them; a key seen for the first time leaves a sample.

    Of any number of processes that see it first, with whatever key under that name, one leaves the sample and all open
    that one. With `make=False` nothing is written.

    Raises: DatabaseError when the database is away or not migrated yet.
    """
    samples = dict(SealingCanary.objects.values_list("key", "sample"))
    wrong = []
    for name in sealing.key_names():
        sample = samples.get(name)
        if sample is None and _opens_nothing(name):
            wrong.append(name)
            continue
        if sample is None and make:
            sample = _leave_sample(name)
        if sample is not None and not _opens(sample, place_of(name)):
            wrong.append(name)
    return wrong


def refuse_wrong_keys() -> None:
    """For whoever starts to serve. While the database is away nothing can be said; `/readyz` will.

    Raises: ImproperlyConfigured, saying which key is wrong and what to do.
    """
    try:
        wrong = wrong_keys()
    except DatabaseError:
        return
    if wrong:
        raise ImproperlyConfigured(in_words(wrong))


def in_words(wrong: list[str]) -> str:
    """What is wrong with the keys of these names, and what to do, for whoever runs the machine."""
    names = ", ".join(repr(name) for name in wrong)
    return (
        f"PORTAL_SEALING_KEYS: {names} is not the key that has sealed this database under that name. Give it the key "
        "that the other nodes have, or a new key another name."
    )


class SealingCommand(BaseCommand):
    """A command that opens or seals secrets: it does not start with a wrong key.

    Pages are nothing to it: what Django checks of them would load all there are.
    """

    requires_system_checks = (checks.Tags.database, checks.Tags.models, checks.Tags.security)

    def check(self, *args: Any, **options: Any) -> None:
        """Django's checks, and those of the database, where the canary lies."""
        super().check(*args, **{"databases": ["default"], **options})


@checks.register(checks.Tags.database)
def check_samples(
    app_configs: object, databases: Sequence[str] | None = None, **kwargs: object
) -> list[checks.CheckMessage]:
    """The same for commands: `check --database default`, `migrate`, and each SealingCommand."""
    if not databases:
        return []
    try:
        wrong = wrong_keys(make=False)
    except DatabaseError:
        return []
    return [checks.Error(in_words(wrong), id="core.E004")] if wrong else []


def place_of(name: str) -> str:
    """The place that the sample of the key of that name is sealed for."""
    return f"core_sealingcanary.sample:{name}"


def _leave_sample(name: str) -> str:
    sample = sealing.seal(SAMPLE, place=place_of(name), key=name)
    SealingCanary.objects.bulk_create([SealingCanary(key=name, sample=sample)], ignore_conflicts=True)
    # Whoever was first has sealed it.
    return SealingCanary.objects.values_list("sample", flat=True).get(key=name)


def _opens_nothing(name: str) -> bool:
    """Whether there are secrets under that name, from before there were samples, and this key opens none of them."""
    found = [sealed for column in sealed_fields.columns() for sealed in column.under(name, LOOKED_AT)]
    return bool(found) and not any(_opens(sealed, place) for sealed, place in found)


def _opens(sealed: str, place: str) -> bool:
    try:
        sealing.unseal(sealed, place=place)
    except sealing.SealBroken:
        return False
    return True
