"""What the audit log's actions are called on pages; the codes stay what they are in the API and in exports."""

from __future__ import annotations

ACTION_WORDS = {
    "account.add": "Cloud account added",
    "account.change": "Cloud account changed",
    "account.discover": "Discovery started",
    "draft.create": "Draft started",
    "draft.discard": "Draft discarded",
    "draft.edit": "Edited in a draft",
    "draft.rebase": "Draft rebased",
    "draft.restore": "Draft restored",
    "list.refresh": "Refresh of a list asked for",
    "list.refresh_fail": "Refresh of a list failed",
    "member.accept": "Invitation accepted",
    "member.add": "Member added",
    "member.change": "Role changed",
    "member.decline": "Invitation declined",
    "member.invite": "Member invited",
    "member.remove": "Member removed",
    "plan.approve": "Plan approved",
    "plan.fail": "Plan failed",
    "plan.make": "Plan made",
    "plan.ready": "Plan computed",
    "plan.reject": "Plan rejected",
    "plan.request": "Approval or provisioning requested",
    "run.cancel": "Run cancelled",
    "run.end": "Run ended",
    "run.retry": "Run retried",
    "run.start": "Provisioned",
    "tenant.change": "Settings changed",
    "tenant.create": "Tenant created",
    "token.issue": "Token made",
    "token.revoke": "Token revoked",
}


def action_word(action: str) -> str:
    """Return an action in words; one that has none yet as its code reads."""
    return ACTION_WORDS.get(action) or action.replace(".", " ").replace("_", " ").capitalize()


def actions_matching(text: str) -> list[str]:
    """Return the actions whose words hold a text, for people who search by what they read."""
    return [action for action, word in ACTION_WORDS.items() if text.casefold() in word.casefold()]
