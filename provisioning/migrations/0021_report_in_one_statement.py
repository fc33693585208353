from django.db import migrations, models

STORE_COUNTERS = """
CREATE FUNCTION causeway_store_counters(reporter bigint, counted_epoch text, read_at timestamptz, counters jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    tenant record;
BEGIN
    FOR tenant IN
        SELECT t.id, t.slug FROM provisioning_nodetenant n JOIN tenants_tenant t ON t.id = n.tenant_id
        WHERE n.node_id = reporter AND counters ? t.slug ORDER BY t.id
    LOOP
        PERFORM set_config('causeway.tenant', tenant.id::text, true);
        INSERT INTO provisioning_counterreading (tenant_id, node_id, key, epoch, minute, at, value)
        SELECT tenant.id, reporter, key, counted_epoch, date_trunc('minute', read_at), read_at, value::bigint
        FROM jsonb_each_text(counters -> tenant.slug)
        ON CONFLICT (tenant_id, node_id, key, epoch, minute)
        DO UPDATE SET at = excluded.at, value = excluded.value;
    END LOOP;
    PERFORM set_config('causeway.tenant', '', true);
END
$$
"""


class Migration(migrations.Migration):
    """A node's report is one statement, however many tenants are on the node.

    The function puts each tenant in force in turn, as ``tenants.scope`` does, so row-level security holds the rows it
    writes; it has no rights but its caller's.
    """

    dependencies = [("provisioning", "0020_discovery_lease")]

    operations = [
        migrations.AddField(
            "node",
            "counted_at",
            models.DateTimeField(help_text="when its counters were last kept, once a minute", null=True),
        ),
        migrations.AddField(
            "nodetenant",
            "recorded",
            models.CharField(
                blank=True,
                default="",
                help_text="digest of what the node reported of the tenant's sections, once all of it is recorded",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(STORE_COUNTERS, "DROP FUNCTION causeway_store_counters(bigint, text, timestamptz, jsonb)"),
    ]
