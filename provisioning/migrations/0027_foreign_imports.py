from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("provisioning", "0026_document_imports")]

    operations = [
        migrations.AddField(
            model_name="documentimport",
            name="format",
            field=models.CharField(
                blank=True, default="", help_text="of core.translators; empty: a document of ours", max_length=30
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="documentimport",
            name="options",
            field=models.JSONField(default=dict, help_text="for the translator"),
        ),
        migrations.AddField(
            model_name="documentimport",
            name="report",
            field=models.JSONField(default=dict, help_text="what of the files could not be said"),
        ),
    ]
