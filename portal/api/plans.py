"""Plans and runs: what would change, who approved it, and how far a run has come."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.base_view import BaseApiView, response_with_etag
from portal.api.etags import check_if_match, entity_tag
from portal.api.intent_objects import lock_matching_draft
from portal.api.pagination import CursorPaginator
from portal.api.plan_wait import plan_etag
from portal.api.schema import extend_list_schema
from portal.api.schema_fields import (
    any_json,
    boolean,
    choice,
    list_of,
    number,
    object_schema,
    optional_text,
    text,
    text_list,
    timestamp,
    uid,
)
from portal.api.validation import validate_body
from provisioning.models import Plan, Run, Step
from provisioning.selectors.plans import get_plan, plan_head, plan_json, plan_summary
from provisioning.selectors.runs import get_run, run_json
from provisioning.services import plans, runs
from provisioning.snapshots.resource_state import state_fingerprint

REQUESTED = object_schema("RequestedDecision", asked=text_list("mail addresses of those who were asked"))
FLOWS = "flows, as source, destination, protocol and ports"
CHANGE = object_schema(
    "Change",
    action=choice(("create", "change", "replace", "remove")),
    address=text("of the resource; stays the same when objects are renamed"),
    kind=text("driver.noun"),
    before=any_json("null: it does not exist"),
    after=any_json("null: it is removed"),
    fields=list_of(object_schema("ChangedField", path=text(), before=any_json(), after=any_json())),
    depends=text_list(),
    subjects=text_list("ids of the intent objects that cause it"),
)
PLAN_FIELDS: dict[str, Any] = {
    "id": uid(),
    "draft": text("id"),
    "draft_name": text(),
    "base_revision": number(),
    "state": choice(Plan.State.values, "computing: read it again later; failed: problems say why"),
    "progress": text("the current stage while it is computing"),
    "digest": text("names exactly this content; provisioning asks for it"),
    "author": text(),
    "created_at": timestamp(),
    "decided_by": optional_text("who approved or rejected it"),
    "decided_at": timestamp(allow_null=True),
}
PLAN = object_schema(
    "Plan",
    **PLAN_FIELDS,
    steps=list_of(CHANGE),
    text=text("the steps as readable text"),
    reachability=object_schema(
        "Delta", allowed=list_of(any_json(FLOWS)), blocked=list_of(any_json(FLOWS)), inspected=list_of(any_json(FLOWS))
    ),
    assertions=list_of(any_json()),
    cost=object_schema(
        "Cost",
        currency=optional_text(),
        monthly_before=optional_text(),
        monthly_after=optional_text(),
        lines=list_of(any_json()),
    ),
    blast_radius=any_json(),
    warnings=list_of(any_json('{"code", "path", "message", "severity"}')),
    memberships=list_of(
        object_schema(
            "MembershipChange",
            attachment=text("vpc-prod in corp"),
            group=text(),
            joins=boolean("false: it leaves"),
            because=text("env=prod; it is in web; …"),
        ),
        "who joins and leaves groups by labels or through groups, at most 200",
    ),
    risks=list_of(
        any_json('{"code", "path", "message", "severity"}'),
        "what a person should confirm before it is provisioned: much is removed, opened or cut",
    ),
    problems=list_of(any_json('{"code", "path", "message", "severity"}'), "why it failed"),
    moved=text_list("for a stale plan: what moved"),
)
PLAN_ROW = object_schema("PlanSummary", **PLAN_FIELDS)
STEP = object_schema(
    "Step",
    id=uid(),
    action=text(),
    address=text(),
    kind=text(),
    state=choice(Step.State.values),
    attempts=number(),
    note=text("what it waits for"),
    error=any_json('{"call", "code", "message"}'),
    depends=text_list("addresses of steps before it"),
    started_at=timestamp(allow_null=True),
    finished_at=timestamp(allow_null=True),
)
RUN_FIELDS: dict[str, Any] = {
    "id": uid(),
    "state": choice(Run.State.values),
    "revision": number(),
    "plan": text("id"),
    "author": text(),
    "created_at": timestamp(),
    "started_at": timestamp(allow_null=True),
    "finished_at": timestamp(allow_null=True),
    "counts": any_json("state → steps"),
}
RUN = object_schema("Run", **RUN_FIELDS, steps=list_of(STEP))
RUN_ROW = object_schema("RunSummary", **RUN_FIELDS)


class ProvisionSerializer(serializers.Serializer):
    digest = serializers.CharField(help_text="the plan's digest, as it was read")
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="kept with the revision and shown with it"
    )
    change_ticket = serializers.CharField(required=False, allow_blank=True, max_length=100)


class PlanListView(BaseApiView):
    """The newest first, without their steps."""

    paginator = CursorPaginator(
        {"created_at": "created_at"}, ("draft__name",), {"state": "state", "draft": "draft__uid"}, default="-created_at"
    )

    @extend_list_schema(PLAN_ROW, "PlanSummary", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request) -> Response:
        rows = Plan.objects.select_related("draft")
        show = partial(plan_summary, fingerprint=cache(state_fingerprint))
        return Response(self.paginator.page(request, rows, show))


class PlanCreateView(BaseApiView):
    """Plans what provisioning this draft would do: steps, reachability, cost. Runs nothing.

    A worker plans a large network, and one that writes in cloud accounts into which it has to look first: 202 and state
    `computing` when that takes longer than 5 s; the plan at Location shows its progress. 422 with problems when the
    network is invalid or an assertion fails; `plan` in the answer is then the id of the failed plan, where there is
    one, which shows what it would do.
    """

    @extend_schema(request=None, responses={201: PLAN, 202: PLAN})
    def post(self, request: Request, draft: UUID) -> Response:
        draft_row = lock_matching_draft(request, draft)
        plan = plans.create_plan(draft_row)
        data = plan_json(plan)
        ready = plan.state == Plan.State.READY
        if not ready:
            # The plan is kept: PlanWaitMiddleware waits until a worker has computed it, and refuses it if it failed.
            http: Any = request._request
            http.awaited_plan = plan
        return response_with_etag(
            data, 201 if ready else 202, tag=plan_etag(data), location=self.tenant_path("plans", data["id"])
        )


def _plan_response(plan: Plan) -> Response:
    data = plan_json(plan)
    return response_with_etag(data, tag=plan_etag(data))


class PlanDetailView(BaseApiView):
    """A plan: its steps, what becomes reachable or stops being so, its cost and its warnings."""

    @extend_schema(responses=PLAN)
    def get(self, request: Request, plan: UUID) -> Response:
        return _plan_response(get_plan(plan))


class PlanDecisionView(BaseApiView):
    write_right = "approve"
    service_call: ClassVar[Any]

    @extend_schema(request=None, responses=PLAN)
    def post(self, request: Request, plan: UUID) -> Response:
        plan_row = get_plan(plan)
        check_if_match(request, plan_etag(plan_head(plan_row)))
        return _plan_response(type(self).service_call(plan_row))


class PlanApproveView(PlanDecisionView):
    """Approves a plan; 403 for its author: it takes a second person. A tenant may require it before provisioning."""

    service_call = staticmethod(plans.approve_plan)


class PlanRejectView(PlanDecisionView):
    """Rejects a plan: it cannot be provisioned any more; its draft stays. Computing it stops."""

    service_call = staticmethod(plans.reject_plan)


class PlanRequestView(BaseApiView):
    """Asks those who can to approve the plan or, when that is done or not needed, to provision it: inbox and mail."""

    @extend_schema(request=None, responses={200: REQUESTED})
    def post(self, request: Request, plan: UUID) -> Response:
        return Response({"asked": plans.request_decision(get_plan(plan))})


class PlanProvisionView(BaseApiView):
    """Provisions exactly the plan with this digest; 409 when it is stale, unapproved or another run is active."""

    write_right = "provision"

    @extend_schema(request=ProvisionSerializer, responses={202: RUN})
    def post(self, request: Request, plan: UUID) -> Response:
        plan_row = get_plan(plan)
        check_if_match(request, plan_etag(plan_head(plan_row)))
        body = validate_body(ProvisionSerializer, self.json_body(request))
        data = run_json(runs.provision_plan(plan_row, **body))
        return response_with_etag(data, 202, location=self.tenant_path("runs", data["id"]))


class RunListView(BaseApiView):
    """The newest first, without their steps."""

    paginator = CursorPaginator(
        {"created_at": "created_at"}, ("author",), {"state": "state", "plan": "plan__uid"}, default="-created_at"
    )

    @extend_list_schema(RUN_ROW, "RunSummary", orderings=paginator.orderings, filters=paginator.filters)
    def get(self, request: Request) -> Response:
        rows = Run.objects.select_related("plan")
        return Response(self.paginator.page(request, rows, lambda run: run_json(run, steps=False)))


class RunDetailView(BaseApiView):
    """A run and how far each of its steps has come."""

    @extend_schema(responses=RUN)
    def get(self, request: Request, run: UUID) -> Response:
        return response_with_etag(run_json(get_run(run)))


class RunActionView(BaseApiView):
    write_right = "provision"
    service_call: ClassVar[Any]

    @extend_schema(request=None, responses={202: RUN})
    def post(self, request: Request, run: UUID) -> Response:
        run_row = get_run(run)
        check_if_match(request, entity_tag(run_json(run_row)))
        type(self).service_call(run_row)
        return response_with_etag(run_json(get_run(run)), 202)


class RunRetryView(RunActionView):
    """Retries after a failure, with the newest intent."""

    service_call = staticmethod(runs.retry_run)


class RunCancelView(RunActionView):
    """Cancels the remaining steps; steps that are running finish."""

    service_call = staticmethod(runs.cancel_run)
