from django.db import migrations, models

# Who wanted no mails has all in the inbox.
INBOX_ONLY = """
UPDATE tenants_user SET notifications =
    '{"approval_requested": "inbox", "provisioning_requested": "inbox", "plan_decided": "inbox", "run_not_succeeded": "inbox"}'
WHERE NOT mail_notifications
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0008_mail")]

    operations = [
        migrations.AddField(
            "tenant",
            "currency",
            models.CharField(
                blank=True, default="", help_text="of its first price book; that one's counts then", max_length=3
            ),
            preserve_default=False,
        ),
        migrations.AddField("tenant", "time_zone", models.CharField(default="UTC", max_length=63)),
        migrations.AddField(
            "tenant",
            "notifications",
            models.JSONField(default=dict, help_text="event → channel, where chosen (tenants/notifications.py)"),
        ),
        migrations.AddField(
            "user",
            "time_zone",
            models.CharField(blank=True, default="", help_text="empty: the tenant's", max_length=63),
            preserve_default=False,
        ),
        migrations.AddField(
            "user",
            "notifications",
            models.JSONField(default=dict, help_text="event → channel, where not the tenant's"),
        ),
        migrations.RunSQL(INBOX_ONLY, migrations.RunSQL.noop),
        migrations.RemoveField("user", "mail_notifications"),
    ]
