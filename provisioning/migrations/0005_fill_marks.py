"""Writes the search index of what is stored. The rules stand here as they were: a migration reads no code that changes."""

from django.db import migrations

FOUND_BY = {
    "exchanges": {"location": "location", "size": "size"},
    "segments": {"stance": "stance"},
    "groups": {},
    "prefix-lists": {"prefix": "entries.*.prefix"},
    "billing-tags": {},
    "connectors": {
        "kind": "kind",
        "exchange": "exchange",
        "failover_exchange": "failover_exchange",
        "segment": "attachments.*.segment",
        "group": "attachments.*.group",
        "size": "size",
        "enabled": "enabled",
        "redundancy_group": "redundancy_group",
        "billing_tags": "billing_tags.*",
    },
    "services": {
        "product": "product",
        "segments": "segments.*",
        "license": "license",
        "exchange": "placements.*.exchange",
        "billing_tags": "billing_tags.*",
    },
    "policies": {
        "segments": "segments.*",
        "from": "from.*",
        "to": "to.*",
        "enabled": "enabled",
        "action": "rules.*.action",
        "services": "rules.*.services.*",
    },
    "shares": {
        "segment": "*.segment",
        "group": "*.groups.*",
        "direction": "direction",
        "services": "services.*",
    },
    "nat-rules": {
        "segment": "segment",
        "connector": "connector",
        "direction": "direction",
        "enabled": "enabled",
    },
    "route-policies": {
        "segment": "segment",
        "direction": "direction",
        "targets": "targets.*",
        "enabled": "enabled",
    },
    "internet-apps": {
        "connector": "connector",
        "target": "target.connector",
        "protocol": "protocol",
        "port": "port",
        "billing_tags": "billing_tags.*",
    },
    "assertions": {"from": "from", "to": "to", "segment": "segment", "expect": "expect"},
}
ORDERED_BY = {
    "policies": {"position": "position"},
    "nat-rules": {"position": "position"},
    "internet-apps": {"port": "port"},
}


def labels(record):
    kind, body = record.kind, record.body
    if body is None:
        return set()
    filters = {
        (f"{kind}.{field}={text(value)}"[:120], record.name)
        for field, path in FOUND_BY[kind].items()
        for value in values_at(body, path.split("."))
        if value is not None
    }
    numbers = (
        (field, next(values_at(body, path.split(".")), None)) for field, path in ORDERED_BY.get(kind, {}).items()
    )
    return filters | {(f"{kind}.{field}", f"{number:010}") for field, number in numbers if isinstance(number, int)}


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def values_at(value, path):
    if not path:
        yield value
    elif path[0] == "*":
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from values_at(inner, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def fill(apps, schema_editor):
    alias = schema_editor.connection.alias
    for name, owner, copied in (("Version", "version_id", ("first", "last")), ("Overlay", "overlay_id", ("draft_id",))):
        index = apps.get_model("provisioning", f"{name}Mark").objects.using(alias)
        for record in apps.get_model("provisioning", name).objects.using(alias).iterator(2000):
            index.bulk_create(
                index.model(
                    tenant_id=record.tenant_id,
                    item_id=record.item_id,
                    label=label,
                    sort=sort,
                    **{owner: record.pk},
                    **{field: getattr(record, field) for field in copied},
                )
                for label, sort in labels(record)
            )


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0004_marks")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
