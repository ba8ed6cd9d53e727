"""The second factors a person holds."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django_otp.models import Device, ThrottlingMixin


class Authenticator(ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app (TOTP, RFC 6238). The seed is sealed; `last_step` is the newest time step it spent."""

    handle = models.UUIDField(default=uuid4, unique=True, editable=False)
    sealed_seed = models.TextField()
    last_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "authenticator app"
        indexes: ClassVar = [models.Index(fields=["user", "confirmed"], name="authenticator_by_user")]
