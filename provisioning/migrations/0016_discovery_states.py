from django.db import migrations, models


class Migration(migrations.Migration):
    """The states of a discovery are stated with the model."""

    dependencies = [("provisioning", "0015_plan_actor")]

    operations = [
        migrations.AlterField(
            "cloudaccount",
            "discovery",
            models.CharField(
                choices=[("never", "Never"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                default="never",
                max_length=10,
            ),
        ),
    ]
