"""A dataflow ..."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from cdp.dataflows import editing, lifecycle, run, schemas, stages, stream_ids, trial
from cdp.dataflows.configuration import Parsing
from cdp.dataflows.faults import DataflowFault, IllegalTransition
from cdp.dataflows.models import Dataflow, Run, Schema
from cdp.dataflows.schemas import FieldSpec
from cdp.profiles.models import Account
from tests.cdp.dataflows.conftest import USERS, Feed, status

pytestmark = pytest.mark.django_db


def columns(feed: Feed, **changes: dict[str, Any]) -> list[Any]:
    return [one.model_copy(update=changes.get(one.name, {})) for one in stages.in_hand(feed.flow).columns]


@pytest.mark.case("D37")
def test_it_goes_through_its_five_stages(feed: Feed) -> None:
    assert status(feed) == "draft"
    assert stages.missing(feed.flow).first == "download"
    feed.post(USERS, draft=True)
    editing.validate(feed.flow)
    assert status(feed) == "validated"
    assert [one.name for one in stages.in_hand(feed.flow).columns] == ["id", "login", "email", "city"]
    assert stages.missing(feed.flow).first == "transform"
    feed.map(feed.schema())
    assert status(feed) == "mapped"
    assert trial.test(feed.flow).passed
    answer = feed.post([{"id": n} for n in range(1, 6)])
    assert answer.json()["state"] == "held"
    lifecycle.activate(feed.flow)
    feed.work()
    held = Run.objects.get(number=answer.json()["run"])
    assert (held.kind, held.state, held.inserted) == ("held_replay", "succeeded", 5)
    assert status(feed) == "active"
    assert stages.missing(feed.flow).first == "activation"


@pytest.mark.case("D01")
def test_it_has_a_name_of_its_own(account: Account) -> None:
    assert lifecycle.create(account, name=" Users ").name == "Users"
    for name, code in [("users", "name_taken"), (" ", "required"), ("x" * 101, "too_long")]:
        with pytest.raises(DataflowFault) as fault:
            lifecycle.create(account, name=name)
        assert (fault.value.code, fault.value.field) == (code, "name")
    with pytest.raises(DataflowFault, match="Stream File"):
        lifecycle.create(account, name="Other", source="ftp")
    lifecycle.archive(Dataflow.objects.get(name="Users"))
    assert lifecycle.create(account, name="USERS").pk


def test_it_needs_a_draft_to_be_validated(feed: Feed) -> None:
    for rows, code in [(None, "no_sample"), ([], "empty_sample")]:
        if rows is not None:
            feed.post(rows, draft=True)
        with pytest.raises(DataflowFault) as fault:
            editing.validate(feed.flow)
        assert fault.value.code == code
    feed.post(USERS)
    with pytest.raises(DataflowFault):
        editing.validate(feed.flow)
    assert feed.flow.runs.filter(state="held").count() == 1


def test_it_asks_how_to_parse_what_it_does_not_recognise(feed: Feed) -> None:
    feed.post(b"just some words\nand more\n", draft=True, content_type="application/octet-stream")
    editing.validate(feed.flow)
    assert status(feed) == "validated"
    assert stages.missing(feed.flow).first == "mapping"
    with pytest.raises(DataflowFault) as fault:
        editing.parse(feed.flow)
    assert fault.value.code == "unrecognized_format"
    editing.parse(feed.flow, Parsing(format="csv", delimiter=" ", header=False))
    assert [one.name for one in stages.in_hand(feed.flow).columns] == ["column_1", "column_2", "column_3"]


def test_it_wants_the_file_parsed_again_when_options_change(feed: Feed) -> None:
    feed.post(b"a;b\n1;x\n", draft=True, content_type="text/csv")
    editing.validate(feed.flow)
    before = stages.in_hand(feed.flow)
    assert before.parsing is not None
    editing.set_columns(feed.flow, columns(feed, a={"name": "number", "mandatory": True}))
    editing.change_parsing(feed.flow, before.parsing.model_copy(update={"skip_rows": 0, "quote": "'"}))
    assert [one.code for one in stages.missing(feed.flow).problems["mapping"]] == ["parse_required"]
    with pytest.raises(DataflowFault):
        editing.set_columns(feed.flow, columns(feed))
    editing.parse(feed.flow)
    kept = stages.in_hand(feed.flow).columns[0]
    assert (kept.source, kept.name, kept.mandatory) == ("a", "number", True)
    assert not stages.missing(feed.flow).problems["mapping"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"a": {"name": "1st"}}, "bad_name"),
        ({"a": {"name": "B"}}, "duplicate_column"),
        ({"b": {"mandatory": True}}, "mandatory_not_available"),
        ({"b": {"type": "integer"}}, "incompatible_type"),
        ({"a": {"source": "other"}}, "unknown_column"),
    ],
)
def test_its_columns_cannot_be_just_anything(feed: Feed, changes: dict[str, Any], code: str) -> None:
    feed.post([{"a": 0, "b": "x"}, {"a": 1, "b": ""}], draft=True)
    editing.validate(feed.flow)
    with pytest.raises(DataflowFault) as fault:
        editing.set_columns(feed.flow, columns(feed, **changes))
    assert fault.value.code == code


@pytest.mark.case("D11")
def test_its_columns_of_zero_and_false_can_be_mandatory(feed: Feed) -> None:
    feed.post([{"a": 0, "b": False}], draft=True)
    editing.validate(feed.flow)
    editing.set_columns(feed.flow, columns(feed, a={"mandatory": True}, b={"mandatory": True}))


@pytest.mark.case("D09")
def test_a_draft_with_other_columns_asks_for_parsing_and_another_test(feed: Feed) -> None:
    feed.prepare()
    assert trial.test(feed.flow).passed
    feed.post([{"id": 1, "login": "a", "email": "a@x.org"}], draft=True)
    feed.refresh()
    assert (feed.flow.status, feed.flow.parse_required, feed.flow.tested_hash) == ("validated", True, "")
    feed.post(USERS, draft=True)
    editing.parse(feed.flow)
    assert status(feed) == "mapped"
    feed.post([*USERS, {"id": 3, "login": "c", "email": "c@x.org", "city": ""}], draft=True)
    assert status(feed) == "mapped"
    assert trial.test(feed.flow).passed
    parts = uuid.uuid4()  # each of which has fewer columns than both
    feed.post([{"id": 1, "login": "a"}], draft=True, run=parts)
    feed.post(USERS, draft=True, run=parts, sequence=1, final=True)
    feed.refresh()
    assert (feed.flow.status, bool(feed.flow.tested_hash), feed.flow.parse_required) == (
        "mapped",
        True,
        False,
    )


@pytest.mark.case("D35")
def test_it_must_pass_a_test_as_it_is_now(feed: Feed) -> None:
    schema = feed.prepare()
    with pytest.raises(DataflowFault) as fault:
        lifecycle.activate(feed.flow)
    assert fault.value.code == "test_required"
    assert trial.test(feed.flow).passed
    schemas.add_field(schema, FieldSpec("more", "string"))
    with pytest.raises(DataflowFault):
        lifecycle.activate(feed.flow)
    report = trial.test(feed.flow)
    assert report.preview[0]["personal of Users"]["userid"] == "14"
    lifecycle.activate(feed.flow)


def test_its_test_says_what_would_fail_and_stores_nothing(feed: Feed) -> None:
    feed.prepare([*USERS, {"id": None, "login": "x"}])
    report = trial.test(feed.flow)
    assert not report.passed
    assert list(report.run.errors.values_list("index", "code")) == [(2, "identifier_missing")]
    assert feed.facts() == {}


def test_it_can_run_what_was_held_without_being_on(feed: Feed) -> None:
    feed.prepare()
    trial.test(feed.flow)
    feed.post(USERS)
    assert lifecycle.run_held(feed.flow) == 1
    feed.work()
    assert set(feed.facts()) == {"14", "15"}
    assert status(feed) == "mapped"


def test_only_the_newest_whole_run_counts_when_held_ones_overwrite(feed: Feed) -> None:
    feed.prepare(mode="overwrite")
    trial.test(feed.flow)
    first = feed.post(USERS).json()["run"]
    feed.post([{"id": 1}])
    lifecycle.activate(feed.flow)
    feed.work()
    assert Run.objects.get(number=first).state == "cancelled"
    assert set(feed.facts()) == {"1"}


@pytest.mark.case("D45")
def test_it_holds_what_comes_while_it_is_paused(active: Feed) -> None:
    lifecycle.pause(active.flow)
    assert active.post(USERS).json()["state"] == "held"
    active.work()
    assert active.facts() == {}
    assert lifecycle.resume(active.flow) == 1
    active.work()
    assert set(active.facts()) == {"14", "15"}


def test_it_is_changed_on_a_copy_that_only_adds_while_it_is_in_force(active: Feed) -> None:
    with pytest.raises(DataflowFault) as fault:
        editing.set_columns(active.flow, columns(active, login={"name": "nick"}))
    assert fault.value.code == "not_additive"
    active.post([user | {"zip": "0150"} for user in USERS], draft=True)
    editing.validate(active.flow)
    editing.parse(active.flow)
    schema = stages.schemas_of(stages.in_hand(active.flow)).popitem()[1]
    schemas.add_field(schema, FieldSpec("zip", "string"))
    active.map(Schema.objects.get(pk=schema.pk))
    active.deliver([{"id": 1, "zip": "1"}])
    assert active.facts()["1"] == {"id": 1}
    with pytest.raises(DataflowFault) as fault:
        lifecycle.activate(active.flow)
    assert fault.value.code == "test_required"
    assert trial.test(active.flow).passed
    lifecycle.activate(active.flow)
    active.deliver([{"id": 1, "zip": "1"}])
    assert active.facts()["1"] == {"id": 1, "zip": "1"}


def test_it_does_not_do_what_its_state_forbids(feed: Feed) -> None:
    for forbidden in (lifecycle.pause, lifecycle.resume, lifecycle.activate, lifecycle.run_held):
        with pytest.raises(IllegalTransition):
            forbidden(feed.flow)
    lifecycle.archive(feed.flow)
    for forbidden in (lifecycle.archive, stream_ids.rotate, editing.validate):
        with pytest.raises(IllegalTransition):
            forbidden(feed.flow)


def test_it_cannot_be_deleted_while_it_runs(active: Feed) -> None:
    active.post(USERS)
    run.step(active.flow.pk)
    with pytest.raises(DataflowFault) as fault:
        lifecycle.archive(active.flow)
    assert fault.value.code == "running"
    active.work()
    lifecycle.archive(active.flow)
    assert active.post(USERS).status_code == 404
    assert set(active.facts()) == {"14", "15"}


def test_its_clone_has_the_settings_and_neither_stream_nor_sample(active: Feed) -> None:
    copy = lifecycle.clone(active.flow)
    assert (copy.name, copy.status, copy.sample, copy.stream_digest) == ("Users 2", "draft", None, None)
    assert stages.in_hand(copy) == stages.in_hand(active.flow)
    assert lifecycle.clone(active.flow).name == "Users 3"
