"""How passwords are digested: Argon2id, as strong as a sign-in can wait for, and never too many at once."""

from threading import BoundedSemaphore
from typing import Final

from django.contrib.auth.hashers import Argon2PasswordHasher

LONGEST: Final = 128
# Each run takes 19 MiB and a core; a crowd at the sign-in page must leave room for those already in.
_in_flight = BoundedSemaphore(2)


class Argon2Hasher(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: the first choice of the OWASP password storage guide."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _in_flight:
            return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        with _in_flight:
            return bool(super().verify(password, encoded))
