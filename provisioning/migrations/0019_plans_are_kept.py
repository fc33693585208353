from django.db import migrations

# What is approved by digest stays what it was: state, progress, decision and lease go on, the contents do not.
KEEP = """
CREATE FUNCTION provisioning_plan_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The contents of plan % cannot be changed; make a new one.', OLD.id
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER provisioning_plan_kept BEFORE UPDATE OF
    uid, tenant_id, draft_id, draft_version, base_revision, state_fingerprint, digest, text, reachability, assertions,
    cost, blast_radius, warnings, author, acting_as, created_at
    ON provisioning_plan FOR EACH ROW WHEN (OLD.digest <> '') EXECUTE FUNCTION provisioning_plan_is_kept();
"""
RELEASE = """
DROP TRIGGER provisioning_plan_kept ON provisioning_plan;
DROP FUNCTION provisioning_plan_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0018_revision_reason")]

    operations = [migrations.RunSQL(KEEP, RELEASE)]
