from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Row",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("number", models.BigIntegerField(default=0, db_default=0)),
                ("text", models.TextField(default="", db_default="")),
            ],
        )
    ]
