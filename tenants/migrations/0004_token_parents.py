import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Stored answers live for a day and belonged to people: they are dropped rather than given to a token."""

    dependencies = [("tenants", "0003_idempotent_response")]

    operations = [
        migrations.AddField(
            "apitoken",
            "parent",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="children",
                to="tenants.apitoken",
            ),
        ),
        migrations.RunSQL("DELETE FROM tenants_idempotentresponse", migrations.RunSQL.noop),
        migrations.RemoveConstraint("idempotentresponse", "answer_once"),
        migrations.RemoveField("idempotentresponse", "user"),
        migrations.AddField(
            "idempotentresponse",
            "caller",
            models.CharField(
                default="", help_text="token:ID, or session: and the SHA-256 of its key", max_length=80
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            "idempotentresponse", models.UniqueConstraint(fields=("caller", "key"), name="answer_once")
        ),
    ]
