from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SealingCanary",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                ("sample", models.TextField()),
                ("looked_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
