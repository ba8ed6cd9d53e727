"""Who a session belongs to, from the row that was read together with the session."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth.backends import ModelBackend

from accounts.models import User

_at_hand: ContextVar[User | None] = ContextVar("person_at_hand", default=None)


@contextmanager
def at_hand(person: User | None) -> Iterator[None]:
    """In the block `Backend.get_user` need not read `person` a second time."""
    token = _at_hand.set(person)
    try:
        yield
    finally:
        _at_hand.reset(token)


class Backend(ModelBackend):
    """Django's, which asks the database for nobody who was read a moment ago."""

    def get_user(self, user_id: int) -> User | None:
        """The person of that id, unless they are disabled."""
        person = _at_hand.get()
        if person is None or person.pk != user_id:
            found: User | None = super().get_user(user_id)
            return found
        return person if self.user_can_authenticate(person) else None
