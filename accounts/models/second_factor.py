"""The second factors a person holds."""

import hmac
import re
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import uuid4

from django.db import models
from django.db.models import Value
from django.utils import timezone
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import hotp

from accounts.models.member import Member
from portal.core.clocks import is_ahead
from portal.core.secrets.sealed_fields import SealedField
from portal.core.secrets.sealing import unseal

if TYPE_CHECKING:
    from accounts.models.user import User

CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)
STEP_SECONDS: Final = 30
LONGEST_WAIT_SECONDS: Final = 300
# No code is guessed at for longer than this, however patiently (NIST SP 800-63B §5.2.2).
HARD_STOP: Final = 100
# A clock half a minute off, either way, is a clock as people have them.
NEARBY_STEPS: Final = (0, -1, 1)
# How many spent steps are remembered beside the newest. Of those that could still pass there are never more than five.
KEPT_STEPS: Final = 10


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
        """The apps of one person; `confirmed` narrows to those that have shown a code, or have not."""
        devices = self.filter(user=user)
        return devices if confirmed is None else devices.filter(confirmed=confirmed)


class Authenticator(ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app (TOTP, RFC 6238). The seed is sealed; `last_step` is the time step that it spent last.

    `earlier_steps` are spent too. They matter after the clock ran ahead: what was spent then lies in the future, where
    it must neither stop the codes of the right time nor pass again once that time has come.

    It is the person's, and counts in those of their Organizations that `places` names (DESIGN M4).
    """

    places = models.ManyToManyField(Member, related_name="authenticators")
    handle = models.UUIDField(default=uuid4, unique=True, editable=False)
    sealed_seed = SealedField()
    last_step = models.BigIntegerField(default=-1)
    earlier_steps = models.JSONField(default=list, db_default=Value([], models.JSONField()), blank=True)
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

    def get_throttle_factor(self) -> float:
        """Seconds to wait after the first failure; each further one doubles it, up to five minutes."""
        return min(1.0, float(LONGEST_WAIT_SECONDS / 2 ** max(self.throttling_failure_count - 1, 0)))

    @property
    def is_stopped(self) -> bool:
        """Whether so many wrong codes in a row were tried on it that none is taken any more (security SI-5)."""
        return bool(self.throttling_failure_count >= HARD_STOP)

    def verify_is_allowed(self) -> tuple[bool, Any]:
        """As django-otp says, but a failure noted under a clock that ran ahead makes nobody wait until that time.

        It still counts: the next wrong code is noted at the right time, with the doubled delay.
        """
        noted = self.throttling_failure_timestamp
        if noted is not None and is_ahead(noted, timezone.now()):
            return True, None
        allowed: tuple[bool, Any] = super().verify_is_allowed()
        return allowed

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
        self._spend(step)
        self.last_used_at = timezone.now()
        self.throttle_reset(commit=False)
        self.save()
        return True

    def shows(self, code: str) -> bool:
        """Whether `code` is of this app and not spent. It stays so: nothing is counted."""
        return self._step_of(code) is not None

    def _step_of(self, code: str) -> int | None:
        _, past = self._spent()
        return step_of(unseal(self.sealed_seed, place=self.place), code, after=max(past, default=-1))

    def _spend(self, step: int) -> None:
        """What lies ahead is kept until its time has come; of the rest, more than can pass while a clock is wrong."""
        ahead, past = self._spent()
        self.earlier_steps = sorted(ahead) + sorted(past)[-KEPT_STEPS:]
        self.last_step = step

    def _spent(self) -> tuple[set[int], set[int]]:
        """Every spent step that is known: those that lie ahead of the time there is, and the others."""
        spent, newest = {self.last_step, *self.earlier_steps}, current_step() + max(NEARBY_STEPS)
        ahead = {step for step in spent if step > newest}
        return ahead, spent - ahead
