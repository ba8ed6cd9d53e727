import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("policies", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Address",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64)),
                ("asset", models.CharField(max_length=16)),
                ("method", models.CharField(max_length=40)),
                ("network", models.CharField(max_length=40)),
                ("address", models.CharField(max_length=200)),
                ("memo", models.CharField(blank=True, max_length=100)),
                ("added_by", models.CharField(max_length=200)),
                ("added_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="addresses", to="accounts.account"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="addresses",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "addresses",
                "indexes": [
                    models.Index(fields=["organization", "account", "asset"], name="address_by_asset"),
                    models.Index(fields=["account", "key", "id"], name="address_by_name"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("account"),
                        django.db.models.functions.text.Lower("key"),
                        condition=models.Q(("removed_at", None)),
                        name="address_key_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=40, unique=True)),
                ("asset", models.CharField(max_length=16)),
                ("amount_units", models.BigIntegerField()),
                ("fee_units", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                ("asked_as", models.CharField(max_length=16, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="withdrawals", to="accounts.account"
                    ),
                ),
                (
                    "address",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="withdrawals", to="treasury.address"
                    ),
                ),
                (
                    "change",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawal",
                        to="policies.changerequest",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawals",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="withdrawal_by_organization"),
                    models.Index(fields=["account", "-id"], name="withdrawal_by_account"),
                    models.Index(fields=["organization", "asset", "-id"], name="withdrawal_by_asset"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_units__gt", 0), ("fee_units__gte", 0), ("fee_units__lt", models.F("amount_units"))
                        ),
                        name="withdrawal_amount_above_fee",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("asked_as__isnull", False)),
                        fields=("asked_as",),
                        name="withdrawal_once_per_form",
                    ),
                ],
            },
        ),
    ]
