from django.db import migrations, models


class Migration(migrations.Migration):
    """What came of each attempt of a step; those there are have none."""

    dependencies = [("provisioning", "0022_discarded_drafts")]

    operations = [
        migrations.AddField(
            "step",
            "log",
            models.JSONField(default=list, help_text='attempts: [{"first","attempt","at","outcome","note"}]'),
        ),
    ]
