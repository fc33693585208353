import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('provisioning', '0003_node_sequence'),
        ('tenants', '0002_membership_uid'),
    ]

    operations = [
        migrations.CreateModel(
            name='OverlayMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(db_collation='C', max_length=120)),
                ('sort', models.CharField(db_collation='C', max_length=100)),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.CreateModel(
            name='VersionMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(db_collation='C', max_length=120)),
                ('sort', models.CharField(db_collation='C', max_length=100)),
                ('first', models.IntegerField()),
                ('last', models.IntegerField()),
            ],
            options={
                'abstract': False,
                'base_manager_name': 'objects',
            },
        ),
        migrations.RemoveIndex(
            model_name='version',
            name='version_by_name',
        ),
        migrations.AddIndex(
            model_name='version',
            index=models.Index(fields=['tenant', 'kind', 'name', 'item'], include=('id', 'first', 'last'), name='version_by_sort'),
        ),
        migrations.AddField(
            model_name='overlaymark',
            name='draft',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='provisioning.draft'),
        ),
        migrations.AddField(
            model_name='overlaymark',
            name='item',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='provisioning.item'),
        ),
        migrations.AddField(
            model_name='overlaymark',
            name='overlay',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='provisioning.overlay'),
        ),
        migrations.AddField(
            model_name='overlaymark',
            name='tenant',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddField(
            model_name='versionmark',
            name='item',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='provisioning.item'),
        ),
        migrations.AddField(
            model_name='versionmark',
            name='tenant',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddField(
            model_name='versionmark',
            name='version',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='provisioning.version'),
        ),
        migrations.AddIndex(
            model_name='overlaymark',
            index=models.Index(fields=['tenant', 'draft', 'label', 'sort', 'item'], include=('overlay',), name='overlay_mark_sort'),
        ),
        migrations.AddConstraint(
            model_name='overlaymark',
            constraint=models.UniqueConstraint(fields=('overlay', 'label'), name='overlay_mark_once'),
        ),
        migrations.AddIndex(
            model_name='versionmark',
            index=models.Index(fields=['tenant', 'label', 'sort', 'item'], include=('version', 'first', 'last'), name='version_mark_sort'),
        ),
        migrations.AddConstraint(
            model_name='versionmark',
            constraint=models.UniqueConstraint(fields=('version', 'label'), name='version_mark_once'),
        ),
    ]
