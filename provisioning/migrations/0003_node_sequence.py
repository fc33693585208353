from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0002_begun")]

    operations = [
        migrations.AddField(
            "node",
            "sequence",
            models.BigIntegerField(default=0, help_text="of its newest report in this epoch"),
        ),
    ]
