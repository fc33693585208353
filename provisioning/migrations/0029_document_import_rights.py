from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0028_plan_memberships")]

    operations = [
        migrations.AddField(
            "documentimport", "rights", models.JSONField(help_text="the author's, when it was sent", null=True)
        )
    ]
