"""``manage.py import_network``: files into a draft, tried or imported, with what could not be said."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from provisioning.models import Draft
from provisioning.snapshots import queries
from tenants.scope import scope
from tests.core.translators.translating import SOURCE_FILES, SOURCES
from tests.people import People

pytestmark = pytest.mark.django_db
ALKIRA = SOURCES / "alkira.tf"


def run(*arguments: str, draft: str = "move", key: str = "alkira-terraform") -> str:
    out = StringIO()
    fixed = ("--tenant", "acme", "--draft", draft, "--format", key)
    call_command("import_network", *fixed, *arguments, stdout=out)
    return out.getvalue()


def test_files_are_tried_without_a_trace_then_imported(people: People) -> None:
    tried = run(str(ALKIRA), "--dry-run")
    assert "would be created" in tried and "alkira_policy_rule.app" in tried
    with scope(people.acme):
        assert not Draft.objects.exists()
    done = run(str(ALKIRA), "--author", "mover@acme.test")
    assert "objects created" in done
    with scope(people.acme):
        draft = Draft.objects.get()
        assert (draft.name, draft.author) == ("move", "mover@acme.test")
        connectors = queries.list_objects(queries.snapshot_of_draft(draft), "connectors")
        assert {connector.name for connector in connectors} == {"vpc-prod", "branch", "dyn", "exit"}


@pytest.mark.parametrize("key", SOURCE_FILES)
def test_files_of_every_format_are_imported_and_what_they_could_not_say_is_printed(people: People, key: str) -> None:
    done = run(*[str(SOURCES / name) for name in SOURCE_FILES[key]], key=key)
    assert "objects created" in done and "Left out: " in done


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere/main.tf"], "No such file"),
        ([str(ALKIRA), "--options", "{"], "Expecting"),
        ([str(ALKIRA), "--options", '{"nope": "x"}'], "options.nope"),
        ([str(ALKIRA), "--options", "[]"], "a JSON object"),
        ([str(ALKIRA), "--tenant", "nobody"], "no tenant nobody"),
    ],
)
def test_what_is_wrong_is_told_and_leaves_nothing_behind(people: People, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    with scope(people.acme):
        assert not Draft.objects.exists()
