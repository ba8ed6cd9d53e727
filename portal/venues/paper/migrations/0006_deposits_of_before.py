"""Deposits that were booked before they had rows of their own get them."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

WAYS = {
    "XXBT": ("Bitcoin", "Bitcoin"),
    "XETH": ("Ether (Hex)", "Ethereum"),
    "ZUSD": ("Bank transfer", "SWIFT"),
    "ZEUR": ("Bank transfer", "SEPA"),
    "USDC": ("USDC (ERC20)", "Ethereum"),
    "SOL": ("Solana", "Solana"),
}


def forwards(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    deposits = apps.get_model("paper", "Deposit").objects
    postings = apps.get_model("paper", "Posting").objects.filter(entry__kind="deposit", account__isnull=False)
    for posting in postings.select_related("entry").order_by("pk").iterator():
        method, network = WAYS[posting.asset]
        deposits.get_or_create(
            reference=posting.entry.reference,
            defaults={
                "account_id": posting.account_id,
                "asset": posting.asset,
                "amount_units": posting.units,
                "method": method,
                "network": network,
                "sent_at": posting.at,
                "credit_at": posting.at,
                "entry_id": posting.entry_id,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("paper", "0005_deposits_and_earn")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
