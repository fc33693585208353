from django.db import migrations, models
from django.db.models.deletion import CASCADE


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0009_marks_follow")]

    operations = [
        migrations.RenameModel("Network", "LiveRevision"),
        migrations.RenameModel("Content", "ResourceBody"),
        migrations.RenameModel("Begun", "InFlightWrite"),
        migrations.RenameModel("VersionMark", "VersionIndexEntry"),
        migrations.RenameModel("OverlayMark", "OverlayIndexEntry"),
        migrations.AlterField(
            "VersionIndexEntry",
            "version",
            models.ForeignKey("provisioning.Version", CASCADE, related_name="index_entries", db_index=False),
        ),
        migrations.AlterField(
            "OverlayIndexEntry",
            "overlay",
            models.ForeignKey("provisioning.Overlay", CASCADE, related_name="index_entries", db_index=False),
        ),
    ]
