from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("upgraded", "0001_initial")]
    operations = [migrations.AddField("Row", "size", models.BigIntegerField(null=True))]
