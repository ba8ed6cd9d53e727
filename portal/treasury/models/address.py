"""A withdrawal address: a destination that an Account may send one asset to."""

from typing import ClassVar, Final

from django.db import models

# Longer than any address in use has: many call an address by itself. Bitcoin has the longest, 62 characters.
KEY_LENGTH: Final = 64


class Address(models.Model):
    """Named by `key` on the wire (DESIGN K7). A row is never edited: a rename or removal leaves it and its history."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="addresses")
    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="addresses")
    key = models.CharField(max_length=KEY_LENGTH)
    asset = models.CharField(max_length=16)
    method = models.CharField(max_length=40)
    network = models.CharField(max_length=40)
    address = models.CharField(max_length=200)
    memo = models.CharField(max_length=100, blank=True)
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "addresses"
        constraints: ClassVar = [
            models.UniqueConstraint(
                "account", models.functions.Lower("key"), condition=models.Q(removed_at=None), name="address_key_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "account", "asset"], name="address_by_asset"),
            models.Index(fields=["account", "key", "id"], name="address_by_name"),
        ]

    def __str__(self) -> str:
        return self.key
