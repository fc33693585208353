from collections import defaultdict

from django.db import migrations, models


def fill(apps, schema_editor):
    """Steps of runs that still go knew only what comes before them."""
    steps = apps.get_model("provisioning", "Step").objects.using(schema_editor.connection.alias)
    by_run = defaultdict(dict)
    for step in steps.filter(run__state__in=("pending", "running")).order_by("order").iterator(500):
        by_run[step.run_id][step.address] = step
    for run in by_run.values():
        for step in run.values():
            for address in step.depends:
                if address in run:
                    run[address].dependants.append(step.address)
                    step.waits_for += run[address].state != "done"
        steps.bulk_update(run.values(), ["dependants", "waits_for"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0011_default_action")]

    operations = [
        migrations.AddField(
            "step",
            "dependants",
            models.JSONField(default=list, help_text="addresses of steps of this run that this one comes before"),
        ),
        migrations.AddField(
            "step",
            "waits_for",
            models.IntegerField(default=0, help_text="how many of depends are not done yet; 0: it may begin"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
