from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_token_parents")]

    operations = [
        migrations.AddField(
            "membership",
            "invited_at",
            models.DateTimeField(blank=True, null=True, help_text="set while the person has not accepted yet"),
        ),
        migrations.AddField("membership", "invited_by", models.CharField(blank=True, default="", max_length=254), False),
        migrations.AddField(
            "membership", "invitation_problem", models.CharField(blank=True, default="", help_text="why the mail did not leave", max_length=200), False
        ),
    ]
