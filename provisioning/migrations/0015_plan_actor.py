from django.db import migrations, models


class Migration(migrations.Migration):
    """A plan keeps the MSP in whose name it was made; its fingerprint is called what it is elsewhere."""

    dependencies = [("provisioning", "0014_document_serial")]

    operations = [
        migrations.RenameField("plan", "world", "state_fingerprint"),
        migrations.AlterField(
            "plan",
            "state_fingerprint",
            models.CharField(blank=True, help_text="of what was there", max_length=64),
        ),
        migrations.AddField(
            "plan",
            "acting_as",
            models.CharField(blank=True, help_text="the MSP in whose name the author made it", max_length=50, default=""),
            preserve_default=False,
        ),
    ]
