"""How people sign in: allauth's choices for this portal."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sites.shortcuts import get_current_site
from django.http import HttpRequest
from django.shortcuts import render

from portal import sign_in_throttle
from tenants.mail import queue_mail


class AccountAdapter(DefaultAccountAdapter):
    """People are invited by an owner or an MSP; nobody signs up by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are no user names here, only e-mail addresses."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Leave it to a worker: the server may be slow or away, and an answer must not tell whether a mail was sent."""
        site = {"email": email, "current_site": get_current_site(self.request), "request": self.request}
        queue_mail(self.render_mail(template_prefix, email, {**site, **context}))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if seconds := sign_in_throttle.count_try(*_who(request, credentials)):
            context = {"minutes": -(-seconds // 60)}
            response = render(request, "account/too_many_tries.html", context, status=429)
            response["Retry-After"] = str(seconds)
            raise ImmediateHttpResponse(response)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user:
            sign_in_throttle.take_back_try(*_who(request, credentials))
        return user


def _who(request: HttpRequest, credentials: dict[str, Any]) -> tuple[str, str]:
    return request.META.get("REMOTE_ADDR") or "0.0.0.0", str(credentials.get("email", ""))
