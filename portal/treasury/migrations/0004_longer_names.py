"""Names of addresses as long as addresses: many call an address by itself."""

from collections.abc import Callable

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def _longer(length: int) -> Callable[[StateApps, BaseDatabaseSchemaEditor], None]:
    def alter(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        # SQLite holds texts of any length, and making the table anew would lose its triggers.
        if editor.connection.vendor == "postgresql":
            editor.execute(f"ALTER TABLE treasury_address ALTER COLUMN key TYPE varchar({length})", params=None)

    return alter


class Migration(migrations.Migration):
    dependencies = [("treasury", "0003_forms_sent_once")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(_longer(64), _longer(40))],
            state_operations=[
                migrations.AlterField(model_name="address", name="key", field=models.CharField(max_length=64)),
            ],
        ),
    ]
