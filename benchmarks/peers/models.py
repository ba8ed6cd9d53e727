"""Keys as the peers hold them, and the portal's table of balances as they read it."""

from typing import ClassVar

from django.db import models


class Key(models.Model):
    """An API key that calls for one Account of the portal; its secret is sealed by Fernet."""

    public = models.CharField(max_length=56, unique=True)
    sealed = models.TextField()
    account = models.BigIntegerField()
    scopes = models.JSONField(default=list)
    allow_list = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    last_nonce = models.BigIntegerField(default=0)
    calls = models.BigIntegerField(default=0)
    objects: ClassVar = models.Manager["Key"]()

    class Meta:
        app_label = "peers"
        managed = False
        db_table = "peers_key"

    def __str__(self) -> str:
        return self.public


class Balance(models.Model):
    """What an Account has of one asset, in its smallest unit."""

    account = models.BigIntegerField(db_column="account_id")
    asset = models.CharField(max_length=16)
    units = models.BigIntegerField()
    held_by_withdrawals_units = models.BigIntegerField()
    objects: ClassVar = models.Manager["Balance"]()

    class Meta:
        app_label = "peers"
        managed = False
        db_table = "paper_balance"
        ordering: ClassVar = ["asset"]

    def __str__(self) -> str:
        return f"{self.units} {self.asset}"
