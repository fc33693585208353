"""A list that rules match with says ``["any"]`` where it said ``[]``: ports, and a route's prefixes and communities.

Runs as the owner of the tables, so for all tenants at once. The audit trail stays as it was written.
"""

from django.db import migrations

WRITE_ANY = """
    CREATE FUNCTION pg_temp.match_with_any(match jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
        SELECT match || COALESCE(
            (SELECT jsonb_object_agg(field, '["any"]'::jsonb)
             FROM unnest(ARRAY['ports', 'prefixes', 'communities']) AS field WHERE match -> field = '[]'), '{}')
    $$;

    CREATE FUNCTION pg_temp.rules_with_any(rules jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
        SELECT COALESCE(
            jsonb_agg(
                CASE WHEN jsonb_exists(rule, 'match')
                THEN jsonb_set(rule, '{match}', pg_temp.match_with_any(rule -> 'match'))
                ELSE pg_temp.match_with_any(rule) END
                ORDER BY place),
            '[]')
        FROM jsonb_array_elements(rules) WITH ORDINALITY AS listed(rule, place)
    $$;

    CREATE FUNCTION pg_temp.with_any(kind text, body jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE
            WHEN jsonb_typeof(body) IS DISTINCT FROM 'object' THEN body
            WHEN kind = 'assertions' THEN pg_temp.match_with_any(body)
            WHEN kind = 'nat-rules' AND jsonb_exists(body, 'match')
                THEN jsonb_set(body, '{match}', pg_temp.match_with_any(body -> 'match'))
            WHEN kind IN ('policies', 'route-policies') AND jsonb_typeof(body -> 'rules') = 'array'
                THEN jsonb_set(body, '{rules}', pg_temp.rules_with_any(body -> 'rules'))
            WHEN kind = 'services' AND body ->> 'product' = 'linux-firewall'
                AND jsonb_typeof(body #> '{settings,rules}') = 'array'
                THEN jsonb_set(body, '{settings,rules}', pg_temp.rules_with_any(body #> '{settings,rules}'))
            ELSE body END
    $$;

    UPDATE provisioning_version SET body = pg_temp.with_any(kind, body)
        WHERE body IS DISTINCT FROM pg_temp.with_any(kind, body);
    UPDATE provisioning_overlay SET body = pg_temp.with_any(kind, body)
        WHERE body IS DISTINCT FROM pg_temp.with_any(kind, body);
    UPDATE provisioning_edit e SET changes = (
        SELECT jsonb_agg(
            change || jsonb_build_object(
                'before', pg_temp.with_any(i.kind, change -> 'before'),
                'after', pg_temp.with_any(i.kind, change -> 'after'))
            ORDER BY place)
        FROM jsonb_array_elements(e.changes) WITH ORDINALITY AS listed(change, place)
        LEFT JOIN provisioning_item i ON i.number = (change ->> 'item')::bigint
    ) WHERE e.changes::text ~ '"(ports|prefixes|communities)": \\[\\]';

    DROP FUNCTION pg_temp.with_any(text, jsonb);
    DROP FUNCTION pg_temp.rules_with_any(jsonb);
    DROP FUNCTION pg_temp.match_with_any(jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0023_step_log")]

    operations = [migrations.RunSQL(WRITE_ANY, migrations.RunSQL.noop)]
