"""Requests and decisions are never replaced: SQLite's INSERT OR REPLACE is refused too."""

from django.db import migrations

from portal.core.no_replacing import refuse_replacing


class Migration(migrations.Migration):
    dependencies = [("policies", "0006_one_organization")]
    operations = [
        refuse_replacing("policies_changerequest", ("reference",)),
        refuse_replacing("policies_decision", ("change_id", "person_id")),
    ]
