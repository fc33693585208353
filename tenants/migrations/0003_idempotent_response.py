from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_membership_uid")]

    operations = [migrations.RenameModel("Answer", "IdempotentResponse")]
