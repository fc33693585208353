from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        from tenants import tenant_owned

        post_migrate.connect(tenant_owned.install_policies, sender=self)
