import uuid

from django.db import migrations, models


def number(apps, schema_editor):
    Membership = apps.get_model("tenants", "Membership")
    for membership in Membership.objects.using(schema_editor.connection.alias).filter(uid=None):
        membership.uid = uuid.uuid4()
        membership.save(update_fields=["uid"])


class Migration(migrations.Migration):
    """A default is asked once for all rows, so ids come in three steps."""

    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.AddField("membership", "uid", models.UUIDField(null=True, editable=False)),
        migrations.RunPython(number, migrations.RunPython.noop),
        migrations.AlterField("membership", "uid", models.UUIDField(unique=True, default=uuid.uuid4, editable=False)),
    ]
