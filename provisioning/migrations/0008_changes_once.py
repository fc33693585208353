import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0007_fill_changes")]

    operations = [
        migrations.RemoveField("plan", "steps"),
        *(migrations.RemoveField("step", name) for name in ("before", "after", "resource_depends", "subjects")),
        migrations.AlterField(
            "step",
            "change",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="provisioning.plannedchange"
            ),
        ),
    ]
