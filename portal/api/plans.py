"""Plans and runs: what would change, who approved it, how far the world has come."""

from __future__ import annotations

import time
from functools import cache, partial
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.endpoint import Endpoint, tagged
from portal.api.etags import of, wanted
from portal.api.fields import anything, choice, maybe, moment, number, several, shape, text, texts, uid
from portal.api.intent import draft_tag, open_draft
from portal.api.pages import Listing
from portal.api.problems import answer
from portal.api.schema import listed
from portal.api.tenancy import read
from provisioning.core.values.resource import Problem
from provisioning.models import Plan, Run, Step
from provisioning.selectors import runs as selectors
from provisioning.services import plans, runs, resource_state
from provisioning.errors import ValidationFailed
from tenants.scope import scope

FLOWS = "flows, told as source, destination, protocol and ports"
CHANGE = shape(
    "Change",
    action=choice(("create", "change", "replace", "remove")),
    address=text("what it is about; stays the same through renames"),
    kind=text("driver.noun"),
    before=anything("null: not there"),
    after=anything("null: not there any more"),
    fields=several(shape("ChangedField", path=text(), before=anything(), after=anything())),
    depends=texts(),
    subjects=texts("ids of the intent objects that cause it"),
)
PLAN_FIELDS: dict[str, Any] = {
    "id": uid(),
    "draft": text("id"),
    "draft_name": text(),
    "base_revision": number(),
    "state": choice(Plan.State.values, "computing: look again; failed: problems say why"),
    "progress": text("what is being done while it is computing"),
    "digest": text("names exactly this content; provisioning asks for it"),
    "author": text(),
    "created_at": moment(),
    "decided_by": maybe("who approved or rejected it"),
    "decided_at": moment(allow_null=True),
}
PLAN = shape(
    "Plan",
    **PLAN_FIELDS,
    steps=several(CHANGE),
    text=text("the steps as a person reads them"),
    reachability=shape(
        "Delta", allowed=several(anything(FLOWS)), blocked=several(anything(FLOWS)), inspected=several(anything(FLOWS))
    ),
    assertions=several(anything()),
    cost=shape("Cost", currency=maybe(), monthly_before=maybe(), monthly_after=maybe(), lines=several(anything())),
    blast_radius=anything(),
    warnings=several(anything('{"code", "path", "message", "severity"}')),
    problems=several(anything('{"code", "path", "message", "severity"}'), "why it failed"),
    moved=texts("for a stale plan: what moved"),
)
PLAN_ROW = shape("PlanSummary", **PLAN_FIELDS)
STEP = shape(
    "Step",
    id=uid(),
    action=text(),
    address=text(),
    kind=text(),
    state=choice(Step.State.values),
    attempts=number(),
    note=text("what it waits for"),
    error=anything('{"call", "code", "message"}'),
    depends=texts("addresses of steps before it"),
    started_at=moment(allow_null=True),
    finished_at=moment(allow_null=True),
)
RUN_FIELDS: dict[str, Any] = {
    "id": uid(),
    "state": choice(Run.State.values),
    "revision": number(),
    "plan": text("id"),
    "author": text(),
    "created_at": moment(),
    "started_at": moment(allow_null=True),
    "finished_at": moment(allow_null=True),
    "counts": anything("state → steps"),
}
RUN = shape("Run", **RUN_FIELDS, steps=several(STEP))
RUN_ROW = shape("RunSummary", **RUN_FIELDS)


class Go(serializers.Serializer):
    digest = serializers.CharField(help_text="the plan's digest, as it was read")


class Plans(Endpoint):
    """The newest first, without their steps."""

    listing = Listing(
        {"created_at": "created_at"}, ("draft__name",), {"state": "state", "draft": "draft__uid"}, default="-created_at"
    )

    @listed(PLAN_ROW, "PlanSummary", orderings=listing.orderings, filters=listing.filters)
    def get(self, request: Request) -> Response:
        rows = Plan.objects.select_related("draft")
        show = partial(selectors.plan_summary, there=cache(resource_state.state_fingerprint))
        return Response(self.listing.page(request, rows, show))


class MakePlan(Endpoint):
    """What provisioning this draft would do: steps, reachability, cost. Runs nothing.

    A large network is planned by a worker: 202 and state `computing` when that takes longer than 5 s; the plan at
    Location tells its progress. 422 with problems when the network is invalid or an assertion fails; where that is
    found later, the plan becomes `failed` with these problems.
    """

    @extend_schema(request=None, responses={201: PLAN, 202: PLAN})
    def post(self, request: Request, draft: UUID) -> Response:
        found = open_draft(draft)
        wanted(request, draft_tag(found))
        plan = plans.create_plan(found)
        data = selectors.plan_json(plan)
        ready = plan.state != Plan.State.COMPUTING
        response = tagged(data, 201 if ready else 202, tag=_tag(data), location=self.at("plans", data["id"]))
        if not ready:
            # A worker sees the plan once this request has committed.
            response.afterwards = partial(_awaited, request, plan)  # type: ignore[attr-defined]
        return response


def _awaited(request: Request, plan: Plan, first: Response) -> HttpResponseBase:
    """The answer once the worker is done, or the first one when patience ends."""
    until = time.monotonic() + settings.PLAN_PATIENCE
    with scope(plan.tenant):
        state = plan.state
    while state == Plan.State.COMPUTING and time.monotonic() < until:
        time.sleep(0.1)
        with scope(plan.tenant):
            state = Plan.objects.values_list("state", flat=True).get(pk=plan.pk)
    if state == Plan.State.COMPUTING:
        return first
    with scope(plan.tenant):
        found = selectors.get_plan(plan.uid)
        if found.state == Plan.State.FAILED:
            told = [Problem(one["code"], one["path"], one["message"]) for one in found.problems]
            http: Any = request._request
            return answer(http, 422, told[0].message, title=ValidationFailed.title, kind="invalid", problems=told)
        data = selectors.plan_json(found)
    response = Response(data, 201, headers={**first.headers, "ETag": f'"{_tag(data)}"'})
    response.accepted_renderer = first.accepted_renderer
    response.accepted_media_type = first.accepted_media_type
    response.renderer_context = first.renderer_context  # type: ignore[attr-defined]
    return response.render()


def _tag(told: dict[str, Any]) -> str:
    """The tag of a plan, told with or without its steps."""
    return of({name: value for name, value in told.items() if name != "steps"})


def _told(plan: Plan) -> Response:
    data = selectors.plan_json(plan)
    return tagged(data, tag=_tag(data))


class OnePlan(Endpoint):
    """A plan: its steps, what becomes reachable or stops being so, its cost and its warnings."""

    @extend_schema(responses=PLAN)
    def get(self, request: Request, plan: UUID) -> Response:
        return _told(selectors.get_plan(plan))


class Decision(Endpoint):
    writes = "approve"
    does: ClassVar[Any]

    @extend_schema(request=None, responses=PLAN)
    def post(self, request: Request, plan: UUID) -> Response:
        found = selectors.get_plan(plan)
        wanted(request, _tag(selectors.plan_head(found)))
        return _told(type(self).does(found))


class Approve(Decision):
    """Where the tenant asks for a second person, nobody approves their own plan."""

    does = staticmethod(plans.approve_plan)


class Reject(Decision):
    """The plan cannot be provisioned any more; its draft stays. One that is `computing` is not computed further."""

    does = staticmethod(plans.reject_plan)


class Provision(Endpoint):
    """Carries out exactly the plan with this digest; 409 when it is stale, unapproved or another run is going."""

    writes = "provision"

    @extend_schema(request=Go, responses={202: RUN})
    def post(self, request: Request, plan: UUID) -> Response:
        found = selectors.get_plan(plan)
        wanted(request, _tag(selectors.plan_head(found)))
        data = selectors.run_json(runs.provision_plan(found, read(Go, self.fields(request))["digest"]))
        return tagged(data, 202, location=self.at("runs", data["id"]))


class Runs(Endpoint):
    """The newest first, without their steps."""

    listing = Listing(
        {"created_at": "created_at"}, ("author",), {"state": "state", "plan": "plan__uid"}, default="-created_at"
    )

    @listed(RUN_ROW, "RunSummary", orderings=listing.orderings, filters=listing.filters)
    def get(self, request: Request) -> Response:
        rows = Run.objects.select_related("plan")
        return Response(self.listing.page(request, rows, lambda run: selectors.run_json(run, steps=False)))


class OneRun(Endpoint):
    """A run and how far each of its steps has come."""

    @extend_schema(responses=RUN)
    def get(self, request: Request, run: UUID) -> Response:
        return tagged(selectors.run_json(selectors.get_run(run)))


class RunAction(Endpoint):
    writes = "provision"
    does: ClassVar[Any]

    @extend_schema(request=None, responses={202: RUN})
    def post(self, request: Request, run: UUID) -> Response:
        found = selectors.get_run(run)
        wanted(request, of(selectors.run_json(found)))
        type(self).does(found)
        return tagged(selectors.run_json(selectors.get_run(run)), 202)


class Retry(RunAction):
    """Goes on after a failure, with the newest intent."""

    does = staticmethod(runs.retry_run)


class Cancel(RunAction):
    """Begins nothing more; steps that are under way finish."""

    does = staticmethod(runs.cancel_run)
