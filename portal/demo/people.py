"""The demo's organisations and logins."""

from __future__ import annotations

from tenants.models import Membership, Msp, Role, Tenant, User

DOMAIN = "demo.test"


def seed_people(password: str) -> dict[str, Tenant]:
    """Create the MSP, tenants and users that are missing, and return the tenants by slug."""
    northwind, _ = Msp.objects.get_or_create(slug="northwind", defaults={"name": "Northwind Managed Networks"})
    tenants = {
        slug: Tenant.objects.get_or_create(slug=slug, defaults={"name": name, "msp": msp})[0]
        for slug, name, msp in (
            ("acme-health", "Acme Health", northwind),
            ("globex-retail", "Globex Retail", northwind),
            ("initech", "Initech", None),
        )
    }
    acme = tenants["acme-health"]
    _ensure_user("operator", "Olivia Operator", password, is_operator=True)
    _ensure_membership(_ensure_user("msp", "Morgan Northwind", password), Role.MSP_ADMIN, msp=northwind)
    _ensure_membership(_ensure_user("owner", "Oscar Owner", password), Role.OWNER, tenant=acme)
    _ensure_membership(_ensure_user("netadmin", "Nadia Admin", password), Role.NETWORK_ADMIN, tenant=acme)
    _ensure_membership(_ensure_user("secadmin", "Sam Adler", password), Role.SECURITY_ADMIN, tenant=acme)
    _ensure_membership(_ensure_user("finance", "Fiona Nance", password), Role.FINANCE, tenant=acme)
    _ensure_membership(_ensure_user("viewer", "Vera View", password), Role.VIEWER, tenant=acme)
    _ensure_membership(_ensure_user("stranger", "Stefan Strange", password), Role.OWNER, tenant=tenants["initech"])
    return tenants


def _ensure_user(name: str, full_name: str, password: str, *, is_operator: bool = False) -> User:
    email = f"{name}@{DOMAIN}"
    user = User.objects.filter(email=email).first()
    return user or User.objects.create_user(email, password, name=full_name, is_operator=is_operator)


def _ensure_membership(user: User, role: Role, *, tenant: Tenant | None = None, msp: Msp | None = None) -> None:
    Membership.objects.get_or_create(user=user, tenant=tenant, msp=msp, defaults={"role": role})
