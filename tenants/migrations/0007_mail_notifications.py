from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0006_notification")]

    operations = [migrations.AddField("user", "mail_notifications", models.BooleanField(default=True))]
