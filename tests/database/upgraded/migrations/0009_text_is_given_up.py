from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("upgraded", "0008_one_of_each")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.AlterField("Row", "text", models.TextField(null=True))],
            state_operations=[migrations.RemoveField("Row", "text")],
        )
    ]
