"""Settings: what differs between installations comes from the environment (docs/install.md, “Settings”)."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from redis.exceptions import ConnectionError as RedisConnectionError

from portal.email_url import read_email_url

# Before anything loads numpy: threads of small products wait for each other busily, and processes are many here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DEBUG") == "1"
SECRET_KEY = os.environ.get("SECRET_KEY", "")
ENCRYPTION_KEYS = [key for key in os.environ.get("ENCRYPTION_KEYS", "").split(",") if key]
ALLOWED_HOSTS = [host for host in os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",") if host]
PUBLIC_URL = os.environ.get("PUBLIC_URL", "")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if "://" in PUBLIC_URL else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "template_partials",
    "allauth",
    "allauth.account",
    "channels",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tenants",
    "provisioning",
    "billing",
    "portal",
]

MIDDLEWARE = [
    "portal.api.plan_wait.PlanWaitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tenants.middleware.IdentityMiddleware",
    "tenants.middleware.TenantMiddleware",
    "portal.time_zone.TimeZoneMiddleware",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.pages.context.shell",
            ],
        },
    }
]

# Two logins to one database: the application's owns nothing and is held by row-level security,
# the owner's migrates (tenants/rls.py).
# Who waits longer than ``timeout`` for a connection gets 503 with Retry-After (portal/api/problems.py).
_POOL = {"min_size": 1, "max_size": 20, "timeout": 5} if os.environ.get("DATABASE_POOL", "1") == "1" else None
DATABASES = {"default": dj_database_url.parse(os.environ.get("DATABASE_URL", "postgres:///causeway"), conn_max_age=0)}
DATABASES["default"]["OPTIONS"] = {**DATABASES["default"].get("OPTIONS", {}), **({"pool": _POOL} if _POOL else {})}
if "DATABASE_OWNER_URL" in os.environ:
    DATABASES["owner"] = dj_database_url.parse(os.environ["DATABASE_OWNER_URL"], conn_max_age=0)
DATABASE_ROUTERS = ["tenants.rls.MigrationRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # Otherwise what is sent first after a restart of Redis fails on the connection that ended with it.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "retry_on_error": [RedisConnectionError]}]},
    }
}

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "provisioning.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "roll-up": {"task": "provisioning.roll_up", "schedule": 60.0, "options": {"expires": 60}},
    "purge": {"task": "provisioning.purge", "schedule": 3600.0, "options": {"expires": 3600}},
    "mail": {"task": "tenants.send_due_mails", "schedule": 30.0, "options": {"expires": 30}},
    "meter": {"task": "billing.meter", "schedule": 60.0, "options": {"expires": 60}},
}

# What a message in the outbox does once its transaction has committed (tenants/outbox.py).
OUTBOX_HANDLERS = {
    "changed": "portal.live_updates.send_changed",
    "step": "provisioning.tasks.wake_step",
    "plan": "provisioning.tasks.wake_plan",
    "document": "provisioning.tasks.wake_document",
    "node": "provisioning.services.node_sections.wake_node",
    "discover": "provisioning.tasks.wake_discovery",
    "refresh": "provisioning.tasks.wake_refresh",
}
# Seconds that one who asks for the plan of a large network is kept waiting before being told to look again.
PLAN_PATIENCE = 5.0
# Called by lower layers with what upper ones do: prices of a plan.
PLAN_PRICER = "billing.services.price_plan"
# Currency → an error where the tenant in force cannot have it.
CURRENCY_RULE = "billing.services.check_currency"
# (kind, body) → what the hours of a resource are priced by, None when they are not sold.
LIFECYCLE_DIMENSIONS = "billing.core.meters.lifecycle_dimensions"

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "portal.account_adapter.AccountAdapter"
# Wrong passwords are counted for all processes (portal/sign_in_throttle.py).
ACCOUNT_RATE_LIMITS = {"login_failed": None}
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGOUT_ON_GET = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
# Browsers keep to https for so long; a web server in front that is spoken to over http redirects by itself.
SECURE_HSTS_SECONDS = int(os.environ.get("HSTS_SECONDS", 30 * 86400 if SESSION_COOKIE_SECURE else 0))
SECURE_SSL_REDIRECT = os.environ.get("HTTPS_REDIRECT", "0") == "1"
SECURE_REDIRECT_EXEMPT = ["^healthz$"]

EMAIL_URL = os.environ.get("EMAIL_URL", "")
EMAIL_URL_PROBLEM = ""  # an error of a system check (portal/checks.py)
try:
    globals().update(read_email_url(EMAIL_URL, urlsplit(PUBLIC_URL).hostname or "localhost"))
except ValueError as error:
    EMAIL_URL_PROBLEM = str(error)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["portal.api.authentication.MiddlewareAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["portal.api.renderers.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.parsers.JsonParser"],
    "EXCEPTION_HANDLER": "portal.api.problems.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "portal.api.schema.ApiAutoSchema",
    "UNAUTHENTICATED_USER": None,
    # ``?format=`` is a parameter of our own (an invoice as csv), not a choice of renderer.
    "URL_FORMAT_OVERRIDE": None,
}
# Hosts and networks that prefix lists may be fetched from though they are private, and also over http and on any port.
LIST_SOURCE_HOSTS = [name for name in os.environ.get("LIST_SOURCE_HOSTS", "").split(",") if name]
# How many requests one token or person has in ten seconds before it is asked to wait.
API_REQUESTS = int(os.environ.get("API_REQUESTS", "1000"))
SPECTACULAR_SETTINGS = {
    "TITLE": "Causeway",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    # Choices are written where they are used; names made up for them would be promises.
    "POSTPROCESSING_HOOKS": [],
    "AUTHENTICATION_WHITELIST": ["portal.api.authentication.MiddlewareAuthentication"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000

STATIC_URL = "/static/"
# Files are served from where they lie (USE_FINDERS); a folder that collectstatic fills is for a web server in front.
STATIC_ROOT = os.environ.get("STATIC_ROOT")
STATICFILES_DIRS = [("build", BASE_DIR / "static" / "build")] if (BASE_DIR / "static" / "build").is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

# Where the lab of this machine keeps its state file; empty where no lab runs.
LAB_STATE = os.environ.get("LAB_STATE", "")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    # A request that is refused for its form, such as one with a wrong Host header, is one line and no traceback.
    "filters": {"one_line": {"()": "portal.log_filters.RefusedInOneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["one_line"]}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {"httpx": {"level": "WARNING"}, "botocore": {"level": "WARNING"}},
}
