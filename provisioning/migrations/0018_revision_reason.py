from django.db import migrations, models


class Migration(migrations.Migration):
    """Why a revision was provisioned, and who wrote it; both are empty for those there are."""

    dependencies = [("provisioning", "0017_node_reporting_since")]

    operations = [
        migrations.AddField("revision", "writers", models.JSONField(default=list, help_text="who made the edits of its draft")),
        migrations.AddField(
            "revision", "reason", models.CharField(max_length=500, blank=True, default="", help_text="why it was provisioned"), preserve_default=False
        ),
        migrations.AddField("revision", "change_ticket", models.CharField(max_length=100, blank=True, default=""), preserve_default=False),
        migrations.AlterField("revision", "author", models.CharField(max_length=254, help_text="who provisioned it")),
        migrations.AlterField("revision", "message", models.CharField(max_length=200, blank=True, help_text="the name of its draft")),
    ]
