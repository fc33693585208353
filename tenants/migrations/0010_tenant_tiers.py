from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0009_preferences")]

    operations = [
        migrations.AddField(
            "tenant",
            "tiers",
            models.JSONField(default=dict, help_text="tier of policies → TierOwner, where not every editor's"),
        )
    ]
