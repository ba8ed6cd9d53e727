"""Accounts: organizations, people, bots and how they prove who they are."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    label = "accounts"
    verbose_name = "Accounts"
    # The key of a session is all that its browser shows.
    never_reported = ("Session",)
