from django.db import migrations


def fill(apps, schema_editor):
    from provisioning.models import Overlay, Version
    from provisioning.selectors import marks

    alias = schema_editor.connection.alias
    for model in (Version, Overlay):
        old = apps.get_model("provisioning", model.__name__).objects.using(alias)
        marks.write(model, list(old.order_by("pk").values_list("pk", flat=True)), alias)


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0004_marks")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
