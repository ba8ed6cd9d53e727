"""The account and the query window that the exchange tells of a credential, and the request that it was typed for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kraken", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="credential",
            name="owner",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="credential",
            name="query_from",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="credential",
            name="query_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="credential",
            name="request",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
    ]
