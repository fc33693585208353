import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# Messages of the release before, which nobody reads any more.
TELL_INVITERS = """
UPDATE tenants_membership SET invitation_problem = 'it was not sent because of an upgrade'
WHERE uid::text IN (SELECT payload->>'membership' FROM tenants_outbox WHERE topic = 'invitation')
"""
DROP_MESSAGES = "DELETE FROM tenants_outbox WHERE topic IN ('invitation', 'notification')"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_mail_notifications")]

    operations = [
        migrations.CreateModel(
            name="Mail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("to", models.EmailField(max_length=254)),
                ("sealed", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("attempts", models.IntegerField(default=0)),
                (
                    "invitation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to="tenants.membership",
                    ),
                ),
            ],
        ),
        migrations.RunSQL([TELL_INVITERS, DROP_MESSAGES], migrations.RunSQL.noop),
    ]
