"""The history is added to, and never replaced: SQLite's INSERT OR REPLACE is refused too."""

from django.db import migrations

from portal.core.no_replacing import refuse_replacing


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_looked_up")]
    operations = [
        refuse_replacing("audit_auditevent", ("chain_id", "sequence")),
        refuse_replacing("audit_chain", ("name",), ("organization_id",)),
    ]
