"""The answer to who asks for the plan of a large network: it waits for the worker on the event loop, not in a thread.

A worker sees the plan only once the request's transaction has committed, and views and their middleware are
synchronous: whatever waits inside them keeps the transaction, a thread, or both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import markcoroutinefunction, sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection
from django.http.response import HttpResponseBase
from redis.exceptions import RedisError
from rest_framework.response import Response

from portal.api.etags import entity_tag
from portal.api.problems import ProblemRenderer, problem_document
from portal.live_feed import tenant_group
from provisioning.core.values.resource import Problem
from provisioning.errors import ValidationFailed
from provisioning.models import Plan
from provisioning.selectors.plans import get_plan, plan_json
from tenants.jobs import in_scope
from tenants.middleware import TenantRequest
from tenants.models import Tenant


class PlanWaitMiddleware:
    """Hold back the answer to a request whose view set ``awaited_plan`` until that plan is computed; 422 if it failed.

    First in MIDDLEWARE, so that everything behind it has ended. After ``settings.PLAN_PATIENCE`` seconds, or without
    Redis, the answer is the one the view gave: 202 and a plan that is ``computing``.
    """

    sync_capable, async_capable = False, True

    def __init__(self, get_response: Callable[[Any], Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: TenantRequest) -> HttpResponseBase:
        response = await self.get_response(request)
        plan: Plan | None = getattr(request, "awaited_plan", None)
        if plan is None or not isinstance(response, Response) or response.status_code != 202:
            return response
        try:
            async with asyncio.timeout(settings.PLAN_PATIENCE):
                await _wait_until_computed(request.tenant, plan)
        except (TimeoutError, RedisError, OSError):
            return response
        await sync_to_async(_write_result)(request, response, plan)
        return response


async def _wait_until_computed(tenant: Tenant, plan: Plan) -> None:
    """Return once the plan is not ``computing`` any more; what browsers are told about it says when to look."""
    layer: Any = get_channel_layer()
    channel, group, changed = await layer.new_channel(), tenant_group(tenant.slug), asyncio.Event()

    async def listen() -> None:
        while True:
            message = (await layer.receive(channel))["message"]
            if message.get("what") == "plan" and message["id"] == str(plan.uid):
                changed.set()

    listener = asyncio.create_task(listen())
    try:
        # Listening first, then looking: a change in between is seen by one or the other.
        await layer.group_add(group, channel)
        while await sync_to_async(_is_computing)(tenant, plan):
            await changed.wait()
            changed.clear()
    finally:
        await layer.group_discard(group, channel)
        # Cancelling the one that receives is how a channel layer learns that the channel is not needed any more.
        listener.cancel()
        await asyncio.wait([listener])


def _is_computing(tenant: Tenant, plan: Plan) -> bool:
    computing = in_scope(tenant, Plan.objects.filter(pk=plan.pk, state=Plan.State.COMPUTING).exists)
    if not connection.in_atomic_block:
        # The pool's connections are for those who do not wait.
        connection.close()
    return computing


def _write_result(request: TenantRequest, response: Response, plan: Plan) -> None:
    """Make the response what it would have been, had the plan been computed at once; its other headers stay."""
    document = in_scope(request.tenant, lambda: plan_json(get_plan(plan.uid)))
    if document["state"] == Plan.State.FAILED:
        problems = [Problem(row["code"], row["path"], row["message"]) for row in document["problems"]]
        response.status_code, response.accepted_renderer = 422, ProblemRenderer()
        response.data = problem_document(
            422,
            problems[0].message,
            title=ValidationFailed.title,
            kind=ValidationFailed.kind,
            problems=problems,
            request_id=request.request_id,
        ) | {"plan": document["id"]}
        del response["ETag"], response["Location"]
    else:
        response.status_code, response.data = 201, document
        response["ETag"] = f'"{plan_etag(document)}"'
    response.content = response.rendered_content
    response["Content-Length"] = str(len(response.content))


def plan_etag(document: dict[str, Any]) -> str:
    """Return the tag of a plan, whether or not its steps are in the document."""
    return entity_tag({name: value for name, value in document.items() if name != "steps"})
