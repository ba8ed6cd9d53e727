"""An export is of a Service User of its Account's Organization (AZ-3), and says whether a window narrowed it.

On SQLite a later migration that rebuilds the table is a `portal.core.database.sqlite_rebuild.KeepsTriggers`.
"""

from django.db import migrations, models

from portal.core.database.tenant_triggers import Belonging, hold

EXPORT = Belonging(
    "kraken_botexport",
    ("account_id", "service_user_id"),
    """EXISTS (SELECT 1 FROM accounts_serviceuser bot JOIN accounts_account held ON held.id = NEW.account_id
        WHERE bot.id = NEW.service_user_id AND bot.organization_id = held.organization_id)""",
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_key_checks_where_written"),
        ("kraken", "0006_what_the_watcher_has_seen"),
    ]

    operations = [
        migrations.AddField(
            model_name="botexport",
            name="is_narrowed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        hold(EXPORT),
    ]
