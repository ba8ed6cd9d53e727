"""The ledger is added to, and never replaced: SQLite's INSERT OR REPLACE is refused too."""

from django.db import migrations

from portal.core.no_replacing import refuse_replacing


class Migration(migrations.Migration):
    dependencies = [("paper", "0008_longer_names")]
    operations = [
        refuse_replacing("paper_entry", ("kind", "reference")),
        refuse_replacing("paper_posting", ("ledger_id",)),
    ]
