"""The second factors a person holds."""

import hmac
import re
from typing import TYPE_CHECKING, ClassVar, Final
from uuid import uuid4

from django.db import models
from django.utils import timezone
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import hotp

from portal.core.sealing import SealedField
from portal.core.secrets import unseal

if TYPE_CHECKING:
    from accounts.models.user import User

CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)
STEP_SECONDS: Final = 30
# A clock half a minute off, either way, is a clock as people have them.
NEARBY_STEPS: Final = (0, -1, 1)


def current_step() -> int:
    """The number of the running time step (RFC 6238 §4.2)."""
    return int(timezone.now().timestamp()) // STEP_SECONDS


def code_at(seed: bytes, step: int) -> str:
    """The six digits that an authenticator app shows in that time step."""
    return f"{hotp(seed, step, digits=6):06d}"


def step_of(seed: bytes, code: str, *, after: int) -> int | None:
    """The time step near now, later than `after`, in which `seed` shows `code`; None if there is none."""
    if not CODE.fullmatch(code):
        return None
    now = current_step()
    for step in (now + offset for offset in NEARBY_STEPS):
        if step > after and hmac.compare_digest(code_at(seed, step), code):
            return step
    return None


class AuthenticatorManager(models.Manager["Authenticator"]):
    """With the one question that django-otp asks of any device's manager."""

    def devices_for_user(self, user: "User", confirmed: bool | None = None) -> models.QuerySet["Authenticator"]:
        devices = self.filter(user=user)
        return devices if confirmed is None else devices.filter(confirmed=confirmed)


class Authenticator(ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app (TOTP, RFC 6238). The seed is sealed; `last_step` is the newest time step it spent."""

    handle = models.UUIDField(default=uuid4, unique=True, editable=False)
    sealed_seed = SealedField()
    last_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = AuthenticatorManager()

    class Meta:
        verbose_name = "authenticator app"
        indexes: ClassVar = [models.Index(fields=["user", "confirmed"], name="authenticator_by_user")]

    @property
    def place(self) -> str:
        """Where its seed belongs: it opens nowhere else."""
        return f"accounts_authenticator.sealed_seed:{self.handle}"

    def get_throttle_factor(self) -> int:
        """Seconds to wait after the first failure; each further one doubles it."""
        return 1

    def verify_token(self, token: str) -> bool:
        """Spend the time step of a right code, or count a failure.

        Only through `django_otp.verify_token`, which locks the row: without that lock one code passes several times.
        """
        if not CODE.fullmatch(token) or not self.verify_is_allowed()[0]:
            return False
        step = self._step_of(token)
        if step is None:
            self.throttle_increment()
            return False
        self.last_step, self.last_used_at = step, timezone.now()
        self.throttle_reset(commit=False)
        self.save()
        return True

    def shows(self, code: str) -> bool:
        """Whether `code` is of this app and not spent. It stays so: nothing is counted."""
        return self._step_of(code) is not None

    def _step_of(self, code: str) -> int | None:
        return step_of(unseal(self.sealed_seed, place=self.place), code, after=self.last_step)
