from django.db import migrations, models

KEEP = """
CREATE TRIGGER provisioning_plan_memberships_kept BEFORE UPDATE OF memberships
    ON provisioning_plan FOR EACH ROW WHEN (OLD.digest <> '') EXECUTE FUNCTION provisioning_plan_is_kept();
"""
RELEASE = "DROP TRIGGER provisioning_plan_memberships_kept ON provisioning_plan;"


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0027_foreign_imports")]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="memberships",
            field=models.JSONField(default=list, help_text="who joins and leaves groups without naming them, and why"),
        ),
        migrations.RunSQL(KEEP, RELEASE),
    ]
