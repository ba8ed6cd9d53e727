"""Accounts: organizations, people, bots and how they prove who they are."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    label = "accounts"
    verbose_name = "Accounts"
    # The key of a session is all that its browser shows.
    never_reported = ("Session",)
    # What proves who somebody is: digests that could be guessed at elsewhere, and what is sealed.
    unreported_fields = {
        "User": ("password",),
        "ApiKey": ("sealed_secret",),
        "Authenticator": ("sealed_seed",),
        "RecoveryCode": ("digest",),
        "IdentityCheck": ("sealed_document",),
        "Invitation": ("token_digest",),
        "AccessLink": ("token_digest",),
        "StreamToken": ("digest",),
    }
