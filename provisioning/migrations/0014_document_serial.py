from django.db import migrations, models


class Migration(migrations.Migration):
    """A node's document counts its serial; ``version`` is the version of the document's shape."""

    dependencies = [("provisioning", "0013_cloud_names")]

    operations = [
        migrations.RenameField("node", "version", "serial"),
        migrations.RenameField("node", "applied_version", "applied_serial"),
        migrations.RenameField("nodesection", "version", "serial"),
        migrations.AlterField(
            "node",
            "serial",
            models.BigIntegerField(default=0, help_text="of its document; grows with every section published to it"),
        ),
        migrations.AlterField(
            "node",
            "applied_serial",
            models.BigIntegerField(default=0, help_text="of the document it applied last"),
        ),
    ]
