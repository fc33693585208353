from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


handler400 = "portal.api.problems.bad_request"
handler403 = "portal.api.problems.forbidden"
handler404 = "portal.api.problems.not_found"
handler500 = "portal.api.problems.server_error"

urlpatterns = [
    path("healthz", healthz),
    path("accounts/", include("allauth.account.urls")),
    path("api/v1/", include("portal.api.urls")),
    path("agent/v1/", include("portal.agent_api")),
    path("", include("portal.pages.urls")),
]
