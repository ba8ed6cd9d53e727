"""How passwords are digested, and which are taken: Argon2id, long, and about nobody (security SI-6)."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from threading import BoundedSemaphore, Lock, get_native_id
from typing import Final, TypeVar

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import Member, User
from portal.core.errors import Busy

SHORTEST: Final = 12
LONGEST: Final = 128
# A shorter name is part of too many good passwords.
SHORTEST_NAME: Final = 4
# A process makes some thirty digests a second one after the other. More at once would only take cores from calls.
AT_ONCE: Final = 1
LONGEST_WAIT_SECONDS: Final = 1.0
# How far a digest stands back where cores are short, in the system's own steps: calls are ten times as heavy.
STANDS_BACK: Final = 10
T = TypeVar("T")


class _Slots:
    """Room for a few digests at once: each takes 19 MiB and a core.

    A crowd at the sign-in page must leave room for those already in: nobody waits for long, and those who are in here
    hold half of the threads of a process at most.
    """

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self._free, self._lock, self._inside = BoundedSemaphore(at_once), Lock(), 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises: Busy."""
        with self._lock:
            if self._inside >= max(self.at_once, settings.THREADS // 2):
                raise Busy
            self._inside += 1
        try:
            if not self._free.acquire(timeout=LONGEST_WAIT_SECONDS):
                raise Busy
            try:
                yield
            finally:
                self._free.release()
        finally:
            with self._lock:
                self._inside -= 1


_slots = _Slots(AT_ONCE)


class _Aside:
    """Threads that do nothing but digest, and leave the core to whoever else wants it.

    A thread can stand back, and never come forward again: so it cannot be one that answers pages.
    """

    def __init__(self) -> None:
        self._begin()
        # A fork has none of its parent's threads.
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="digest", initializer=_stand_back)

    def run(self, work: Callable[[], T]) -> T:
        """What it gives, or raises."""
        with _slots.one():
            return self._threads.submit(work).result()


def _stand_back() -> None:
    number = get_native_id()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, number, os.getpriority(os.PRIO_PROCESS, number) + STANDS_BACK)


_aside = _Aside()


class Argon2Hasher(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: the first choice of the OWASP password storage guide."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Django's, but only so many at once. Raises: Busy where too many wait."""
        return str(_aside.run(partial(super().encode, password, salt)))

    def verify(self, password: str, encoded: str) -> bool:
        """Django's, within the same bound. Raises: Busy."""
        return bool(_aside.run(partial(super().verify, password, encoded)))


class NotTooLong:
    """Refuses what would only cost time to digest."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises: ValidationError for a password that is longer than any we digest."""
        if len(password) > LONGEST:
            raise ValidationError(f"At most {LONGEST} characters.", code="password_too_long")

    def get_help_text(self) -> str:
        """The rule as Django lists it beside the field."""
        return f"At most {LONGEST} characters."


class HoldsNoName:
    """Refuses a password that holds a name of the person, of their Organizations or of this portal."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises: ValidationError for a password that holds one of those names."""
        refuse_names(password, [settings.PRODUCT_NAME, *(_names_of(user) if user else ())])

    def get_help_text(self) -> str:
        """The rule as Django lists it beside the field."""
        return f"Neither your name nor that of your organization or of {settings.PRODUCT_NAME}."


def check(password: str, user: User, *, organizations: Iterable[str] = ()) -> None:
    """Look at a new password by every rule; `organizations` names those the person is only about to join.

    Raises: django's ValidationError with everything that is wrong with it.
    """
    validate_password(password, user)
    refuse_names(password, organizations)


def refuse_names(password: str, names: Iterable[str]) -> None:
    """Raises: ValidationError if `password` holds one of them, however it is spaced or capitalized."""
    squeezed = _squeezed(password)
    for name in names:
        if len(_squeezed(name)) >= SHORTEST_NAME and _squeezed(name) in squeezed:
            raise ValidationError(f"It holds “{name}”, which whoever guesses would try first.", code="password_name")


def rules() -> str:
    """What the form says before anything is typed."""
    return (
        f"{SHORTEST} to {LONGEST} characters of any kind; a few unrelated words are best. "
        f"Without your name, your organization's, or {settings.PRODUCT_NAME}."
    )


def _names_of(user: User) -> Iterator[str]:
    yield from user.name.split()
    yield user.name
    yield user.email.partition("@")[0]
    if user.pk:
        yield from Member.objects.filter(user=user, removed_at=None).values_list("organization__name", flat=True)


def _squeezed(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
