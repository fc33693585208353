from django.db import migrations


def fill(apps, schema_editor):
    from provisioning.models import Overlay, Version
    from provisioning.selectors import marks

    alias = schema_editor.connection.alias
    for model in (Version, Overlay):
        old = apps.get_model("provisioning", model.__name__).objects.using(alias).order_by("pk")
        fields = [field.attname for field in old.model._meta.concrete_fields]
        for start in range(0, old.count(), 5000):
            rows = old[start : start + 5000].values_list(*fields)
            marks.write([model(**dict(zip(fields, row, strict=True))) for row in rows], alias)


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0004_marks")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
