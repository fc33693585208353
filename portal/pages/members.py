"""Members and roles of a tenant. People of the MSP that runs it are listed too; the MSP manages those."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from portal.api.etags import entity_tag
from portal.api.tenancy import member_json
from portal.pages.decorators import PageRequest, tenant_page
from portal.pages.form_etags import check_form_etag
from portal.pages.refusals import catch_refusals
from tenants import services
from tenants.invitations import send_invitation
from tenants.models import MSP_ROLES, Membership, Role
from tenants.roles import RIGHTS, ROLE_RIGHTS

ROLES = [role for role in Role if role not in MSP_ROLES]


@tenant_page("members")
def members(request: PageRequest) -> HttpResponse:
    problems = []
    if request.method == "POST":
        with catch_refusals() as outcome:
            membership = services.add_member(request.POST.get("email", ""), request.POST.get("role", ""))
        if outcome:
            done = "Invited" if membership.invited_at else "Added"
            messages.success(request, f"{done} {membership.user.email} as {membership.get_role_display().lower()}.")
            return redirect("members", request.tenant.slug)
        problems = outcome.problems
    people = Membership.objects.select_related("user", "msp").order_by("user__email")
    context = {
        "members": [(member, entity_tag(member_json(member))) for member in people.filter(tenant=request.tenant)],
        "from_msp": people.filter(msp=request.tenant.msp) if request.tenant.msp else [],
        "roles": ROLES,
        "rights": [
            {"word": word, "roles": [right in ROLE_RIGHTS[role] for role in ROLES]} for right, word in RIGHTS.items()
        ],
        "problems": problems,
        "sent": request.POST,
    }
    return render(request, "pages/members.html", context, status=422 if problems else 200)


@require_POST
@tenant_page("members")
def change(request: PageRequest, uid: UUID) -> HttpResponse:
    """Change a member's role or, with ``remove``, end the membership; with ``send``, mail an invitation again."""
    membership = services.lock_membership(uid)
    if membership is None:
        raise Http404
    email, role = membership.user.email, membership.get_role_display()
    with catch_refusals(request) as outcome:
        check_form_etag(request, member_json(membership), f"The membership of {email}, now {role},", "member", uid)
        if "remove" in request.POST:
            services.remove_member(membership)
            done = f"Removed {email}."
        elif "send" in request.POST:
            send_invitation(membership)
            done = f"The invitation of {email} is on its way again."
        else:
            services.change_role(membership, request.POST.get("role", ""))
            done = f"Changed the role of {email}."
    if outcome:
        messages.success(request, done)
    return redirect("members", request.tenant.slug)
