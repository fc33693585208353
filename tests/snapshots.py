"""Snapshots: texts that a reviewer has approved, one file each, in ``__snapshots__/TEST_FILE/TEST[CASE].SUFFIX``.

A run compares and never writes: a text that differs, a file that is missing and a file that no test asks for fail it.
After a wanted change, ``make test ARGS='--snapshot-update -k NAME'`` writes them; then read their difference.
"""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class PlanText(SingleFileSnapshotExtension):
    """The text of a plan."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


class NftRules(SingleFileSnapshotExtension):
    """A rule set for ``nft -f``."""

    _write_mode = WriteMode.TEXT
    file_extension = "nft"


class JsonText(SingleFileSnapshotExtension):
    """JSON formatted by the test, so that order and whitespace are compared."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"


@pytest.fixture
def plan_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """``assert text == plan_snapshot``"""
    return snapshot.use_extension(PlanText)


@pytest.fixture
def nft_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """``assert text == nft_snapshot``"""
    return snapshot.use_extension(NftRules)


@pytest.fixture
def json_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """``assert text == json_snapshot``"""
    return snapshot.use_extension(JsonText)
