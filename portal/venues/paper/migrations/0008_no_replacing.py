"""The ledger is added to, and never replaced: SQLite's INSERT OR REPLACE is refused too."""

from django.db import migrations

from portal.core.no_replacing import refuse_replacing


class Migration(migrations.Migration):
    dependencies = [("paper", "0007_exports")]
    operations = [
        refuse_replacing("paper_entry", ("kind", "reference")),
        refuse_replacing("paper_posting", ("ledger_id",)),
    ]
