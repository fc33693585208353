from django.db import migrations, models

FILL = "UPDATE provisioning_draft SET discarded_at = updated_at WHERE state = 'discarded'"


class Migration(migrations.Migration):
    """When a draft was discarded and by whom, so that it can be restored for a while. Runs as the owner of the table."""

    dependencies = [("provisioning", "0021_report_in_one_statement")]

    operations = [
        migrations.AddField("draft", "discarded_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "draft", "discarded_by", models.CharField(max_length=254, blank=True, default=""), preserve_default=False
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
