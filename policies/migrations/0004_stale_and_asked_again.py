"""A request can become stale, and be asked again.

SQLite rebuilds the table for the wider constraint and loses its trigger with the old one, so it is made again.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

FINAL_STAYS = """
    CREATE TRIGGER IF NOT EXISTS change_final_stays BEFORE UPDATE OF state ON policies_changerequest
    WHEN OLD.state NOT IN ('pending', 'approved')
    BEGIN SELECT RAISE(ABORT, 'change_final_stays: a request that has ended does not move'); END
"""


def keep_final(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        editor.execute(FINAL_STAYS)


def loosen(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Other tables' triggers name this one, and SQLite would refuse to rename its copy while there is none."""
    if editor.connection.vendor == "sqlite":
        editor.execute("PRAGMA legacy_alter_table = ON")


def tighten(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        editor.execute("PRAGMA legacy_alter_table = OFF")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_last_challenge"),
        ("policies", "0003_policy_lock"),
    ]

    operations = [
        # Going back rebuilds the table too: the trigger is made again last, whichever way.
        migrations.RunPython(migrations.RunPython.noop, keep_final),
        migrations.RunPython(loosen, tighten),
        migrations.RemoveConstraint(
            model_name="changerequest",
            name="change_state_known",
        ),
        migrations.AddField(
            model_name="changerequest",
            name="asked_again_from",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="asked_again_as",
                to="policies.changerequest",
            ),
        ),
        migrations.AddField(
            model_name="changerequest",
            name="overtaken",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="changerequest",
            name="touched",
            field=models.JSONField(default=list),
        ),
        migrations.AlterField(
            model_name="changerequest",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("approved", "Approved"),
                    ("executed", "Executed"),
                    ("failed", "Failed"),
                    ("rejected", "Rejected"),
                    ("cancelled", "Cancelled"),
                    ("expired", "Expired"),
                    ("stale", "Stale"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="changerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["pending", "approved", "executed", "failed", "rejected", "cancelled", "expired", "stale"],
                    )
                ),
                name="change_state_known",
            ),
        ),
        migrations.RunPython(tighten, loosen),
        migrations.RunPython(keep_final, migrations.RunPython.noop),
    ]
