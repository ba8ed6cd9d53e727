"""Passkeys and recovery codes: the other second factors a person holds."""

from typing import ClassVar

from django.db import models

from accounts.models.member import Member  # isort: skip
from accounts.models.user import User  # isort: skip  (the library below asks for the User class while it loads)

from django_otp_webauthn.models import AbstractWebAuthnAttestation, AbstractWebAuthnCredential


class Passkey(AbstractWebAuthnCredential):  # type: ignore[misc]
    """A passkey (WebAuthn). Its credential id is unique across all people; `name` is its owner's word for it.

    `last_challenge_at` is when the newest challenge it has answered was made: like the time step of an authenticator
    app, none as old as that passes again. It counts in those Organizations that `places` names (DESIGN M4).
    """

    places = models.ManyToManyField(Member, related_name="passkeys")
    last_challenge_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(AbstractWebAuthnCredential.Meta):  # type: ignore[misc]
        abstract = False
        verbose_name = "passkey"


class PasskeyAttestation(AbstractWebAuthnAttestation):  # type: ignore[misc]
    """What the authenticator said of itself when the passkey was made."""

    credential = models.OneToOneField(Passkey, on_delete=models.CASCADE, related_name="attestation")


class RecoveryCode(models.Model):
    """One of ten codes for a day without any factor. Only its digest is kept; it works once (security F-7).

    It opens those Organizations that `places` names.
    """

    places = models.ManyToManyField(Member, related_name="recovery_codes")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once_per_person"),
        ]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"
