import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0005_fill_marks"), ("tenants", "0002_membership_uid")]

    operations = [
        migrations.AddField(
            "revision", "counts", models.JSONField(default=dict, help_text="kind → objects there are")
        ),
        migrations.AddIndex(
            "version",
            models.Index(
                condition=models.Q(("last", 2147483646)),
                fields=["tenant", "kind", "name", "item"],
                include=("id",),
                name="version_now_by_sort",
            ),
        ),
        migrations.AddField("plan", "lease_number", models.IntegerField(default=0)),
        migrations.AddField("plan", "lease_owner", models.CharField(blank=True, max_length=80)),
        migrations.AddField("plan", "lease_until", models.DateTimeField(null=True)),
        migrations.AddField(
            "plan",
            "progress",
            models.CharField(blank=True, help_text="what is being done while it is computed", max_length=60),
        ),
        migrations.AlterField(
            "plan", "text", models.TextField(blank=True, help_text="the changes as a person reads them")
        ),
        migrations.CreateModel(
            "Content",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(db_collation="C", max_length=64)),
                ("body", models.JSONField()),
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
            {
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("tenant", "digest"), name="content_once")],
            },
        ),
        migrations.CreateModel(
            "PlannedChange",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("order", models.IntegerField()),
                ("action", models.CharField(max_length=8)),
                ("address", models.CharField(max_length=250)),
                ("kind", models.CharField(max_length=60)),
                ("depends", models.JSONField(default=list, help_text="addresses of changes that come before")),
                (
                    "resource_depends",
                    models.JSONField(default=list, help_text="all addresses the resource depends on"),
                ),
                ("subjects", models.JSONField(default=list)),
                *(
                    (
                        side,
                        models.ForeignKey(
                            db_index=False,
                            null=True,
                            on_delete=django.db.models.deletion.PROTECT,
                            related_name="+",
                            to="provisioning.content",
                        ),
                    )
                    for side in ("before", "after")
                ),
                (
                    "plan",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="provisioning.plan",
                    ),
                ),
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
            {"ordering": ("order",), "abstract": False, "base_manager_name": "objects"},
        ),
        migrations.AddField(
            "step",
            "change",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="provisioning.plannedchange",
            ),
        ),
    ]
