import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0001_initial"), ("tenants", "0002_membership_uid")]

    operations = [
        migrations.CreateModel(
            name="Begun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(max_length=250)),
                ("kind", models.CharField(max_length=60)),
                ("body", models.JSONField()),
                ("depends", models.JSONField(default=list)),
                ("subjects", models.JSONField(default=list)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("tenant", "address"), name="begun_once")],
            },
        ),
    ]
