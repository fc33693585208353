"""A segment's ``stance`` open | closed is its ``default_action`` allow | deny, in every body that is stored.

Runs as the owner of the tables, so for all tenants at once. The audit trail stays as it was written.
"""

from django.db import migrations

RENAME_IN_BODIES = """
    CREATE FUNCTION pg_temp.with_default_action(body jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN jsonb_typeof(body) = 'object' AND jsonb_exists(body, 'stance') THEN
            body - 'stance' || jsonb_build_object(
                'default_action', CASE body ->> 'stance' WHEN 'closed' THEN 'deny' ELSE 'allow' END)
        ELSE body END
    $$;

    UPDATE provisioning_version SET body = pg_temp.with_default_action(body)
        WHERE kind = 'segments' AND jsonb_exists(body, 'stance');
    UPDATE provisioning_overlay SET body = pg_temp.with_default_action(body)
        WHERE kind = 'segments' AND jsonb_exists(body, 'stance');
    UPDATE provisioning_edit e SET changes = (
        SELECT jsonb_agg(
            CASE WHEN i.kind = 'segments' THEN change || jsonb_build_object(
                'before', pg_temp.with_default_action(change -> 'before'),
                'after', pg_temp.with_default_action(change -> 'after'))
            ELSE change END
            ORDER BY place)
        FROM jsonb_array_elements(e.changes) WITH ORDINALITY AS listed(change, place)
        LEFT JOIN provisioning_item i ON i.number = (change ->> 'item')::bigint
    ) WHERE e.changes::text LIKE '%"stance"%';

    DROP FUNCTION pg_temp.with_default_action(jsonb);
"""

RENAME_IN_INDEX = """
    UPDATE provisioning_versionindexentry SET label = 'segments.default_action=allow'
        WHERE label = 'segments.stance=open';
    UPDATE provisioning_versionindexentry SET label = 'segments.default_action=deny'
        WHERE label = 'segments.stance=closed';
    UPDATE provisioning_overlayindexentry SET label = 'segments.default_action=allow'
        WHERE label = 'segments.stance=open';
    UPDATE provisioning_overlayindexentry SET label = 'segments.default_action=deny'
        WHERE label = 'segments.stance=closed';
"""

RENAME_IN_PLANS = """
    UPDATE provisioning_plan SET reachability = replace(
            reachability::text, '"denied_by_stance"', '"denied_by_default"')::jsonb
        WHERE reachability::text LIKE '%"denied_by_stance"%';
    UPDATE provisioning_plan SET warnings = replace(
            warnings::text, '"stance_opened"', '"default_action_allow"')::jsonb
        WHERE warnings::text LIKE '%"stance_opened"%';
"""


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0010_standard_names")]

    operations = [
        migrations.RunSQL(RENAME_IN_BODIES, migrations.RunSQL.noop),
        migrations.RunSQL(RENAME_IN_INDEX, migrations.RunSQL.noop),
        migrations.RunSQL(RENAME_IN_PLANS, migrations.RunSQL.noop),
    ]
