"""How passwords are digested, and which are taken: Argon2id, long, and about nobody (security SI-6)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Final

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
AT_ONCE: Final = 2
LONGEST_WAIT_SECONDS: Final = 1.0


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


class Argon2Hasher(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: the first choice of the OWASP password storage guide."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Django's, but only so many at once. Raises: Busy where too many wait."""
        with _slots.one():
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        """Django's, within the same bound. Raises: Busy."""
        with _slots.one():
            return bool(super().verify(password, encoded))


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
