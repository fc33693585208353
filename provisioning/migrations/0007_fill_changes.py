from django.db import migrations

from provisioning.core.values.resource import content_digest

SAME = ("action", "address", "kind", "depends", "resource_depends", "subjects")


def fill(apps, schema_editor):
    """Plans kept their changes, and steps of runs copies of them, as JSON."""
    alias = schema_editor.connection.alias
    plans, steps, changes, contents = (
        apps.get_model("provisioning", name).objects.using(alias)
        for name in ("Plan", "Step", "PlannedChange", "Content")
    )

    def content(tenant, body):
        if body is None:
            return None
        return contents.get_or_create(tenant_id=tenant, digest=content_digest(body), defaults={"body": body})[0]

    for plan in plans.order_by("pk").iterator(20):
        for order, told in enumerate(plan.steps):
            changes.create(
                tenant_id=plan.tenant_id,
                plan=plan,
                order=order,
                before=content(plan.tenant_id, told["before"]),
                after=content(plan.tenant_id, told["after"]),
                **{name: told.get(name, []) for name in SAME},
            )
    for step in steps.select_related("run").order_by("pk").iterator(200):
        bodies = {side: content(step.tenant_id, getattr(step, side)) for side in ("before", "after")}
        of_plan = changes.filter(plan_id=step.run.plan_id, address=step.address, action=step.action, **bodies).first()
        step.change = of_plan or changes.create(
            tenant_id=step.tenant_id, order=step.order, **bodies, **{name: getattr(step, name) for name in SAME}
        )
        step.save(update_fields=["change"])


COUNT = """
    UPDATE provisioning_revision r SET counts = coalesce((
        SELECT jsonb_object_agg(kind, found) FROM (
            SELECT kind, count(*) AS found FROM provisioning_version v
            WHERE v.tenant_id = r.tenant_id AND v.first <= r.number AND v.last >= r.number GROUP BY kind
        ) AS counted
    ), '{}')
"""


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0006_changes")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
