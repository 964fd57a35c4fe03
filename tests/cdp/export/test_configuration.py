"""What the sites file says of exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cdp import configuration
from cdp.configuration import Configuration
from config import site_access
from config.redaction import known_secrets

FIRST, SECOND = "0123abcd-0123-4567-89ab-0123456789ab", "01234567-89abcdef-01234567-89abcdef"
GOOD = f"""
personalization:
  system:
    default:
      cdp:
        account_number: 123456
        data_export:
          user_data: {{transport: stream_file, stream_file: {{stream_id: {FIRST}}}}}
    shop_fr:
      cdp:
        stream_endpoint: https://in.example.com/
        data_export:
          product_data: {{stream_file: {{stream_id: {SECOND}}}}}
        membership: {{activation_id: act, api_key: '%env(CDP_MEMBERSHIP_API_KEY)%'}}
ibexa_cdp:
  data_export:
    schedule:
      user:
        - {{interval: '*/15 * * * *', options: '--stream-id={FIRST} --user-content-type=user --no-draft'}}
      product: []
"""


def read(text: str, tmp_path: Path, settings: Any) -> Configuration:
    path = tmp_path / "sites.yaml"
    path.write_text(text)
    settings.LODESTAR_SITES_FILE = path
    site_access.reload()
    return configuration.current()


def test_it_merges_the_scopes_of_a_site(tmp_path: Path, settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("CDP_MEMBERSHIP_API_KEY", "k-e-y")
    found = read(GOOD, tmp_path, settings)
    shop = found.sites["shop_fr"]
    assert (found.faults, found.notes) == ((), ())
    assert (shop.stream_of("user"), shop.stream_of("product"), shop.stream_of("content")) == (
        FIRST,
        SECOND,
        "",
    )
    assert shop.stream_endpoint == "https://in.example.com"
    assert shop.membership is not None
    assert shop.membership.api_key == "k-e-y"
    assert "k-e-y" not in repr(found)
    monkeypatch.setenv("CDP_MEMBERSHIP_API_KEY", "key-of-the-membership")
    assert {"key-of-the-membership", FIRST, SECOND} <= set(known_secrets())
    assert FIRST not in repr(found.sites)
    [entry] = found.schedule
    assert (entry.section, entry.interval) == ("user", "*/15 * * * *")
    assert entry.options.endswith("--no-draft")


def test_it_still_reads_older_spellings_and_says_so(tmp_path: Path, settings: Any) -> None:
    found = read(
        f"""
ibexa:
  system:
    site:
      cdp:
        account_number: 7
        user_data_streaming: {{stream_id: {FIRST}}}
        activations: {{client_id: c, client_secret: s, segment_group_identifier: g}}
""",
        tmp_path,
        settings,
    )
    assert found.sites["site"].stream_of("user") == FIRST
    assert found.faults == ()
    assert [note.split(" is ")[0] for note in found.notes] == [
        "cdp.user_data_streaming of site 'site'",
        "cdp.activations of site 'site' holds one activation and",
    ] or len(found.notes) == 2


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (
            "data_export: {user_data: {transport: ftp, stream_file: {stream_id: " + FIRST + "}}}",
            "cdp.data_export.user_data.transport of site 's': must be stream_file, the only transport; got"
            " 'ftp'.",
        ),
        (
            "data_export: {user_data: {stream_file: {stream_id: abc}}}",
            "cdp.data_export.user_data.stream_file.stream_id of site 's': must be a stream id: 8-4-4-4-12",
        ),
        (
            "data_export: {users_data: {}}",
            "cdp.data_export.users_data of site 's' is not a known key. Did you mean 'user_data'?",
        ),
        ("data_exports: {}", "cdp.data_exports of site 's' is not a known key. Did you mean 'data_export'?"),
        ("data_export: yes", "cdp.data_export of site 's': Input should be a valid dictionary"),
        ("stream_endpoint: nowhere", "cdp.stream_endpoint of site 's': must be an address such as"),
        ("account_number: 0", "cdp.account_number of site 's': Input should be greater than or equal to 1."),
        ("membership: {activation_id: a}", "cdp.membership.api_key of site 's': Field required."),
        (
            "membership: {activation_id: a, api_key: '%env(NOT_SET_ANYWHERE)%'}",
            "cdp.membership of site 's':",
        ),
        (
            "activations: [{client_id: a, client_secret: b, segment_group: g}]",
            "cdp.activations.0.segment_group_identifier of site 's': Field required.",
        ),
    ],
)
def test_it_says_what_is_wrong_and_keeps_the_rest(
    part: str, said: str, tmp_path: Path, settings: Any
) -> None:
    kept = "activations" if "activations" not in part else "data_export"
    rest = {
        "activations": "activations: [{client_id: c, client_secret: s, segment_group_identifier: g}]",
        "data_export": "data_export: {user_data: {stream_file: {stream_id: " + FIRST + "}}}",
    }[kept]
    text = f"personalization:\n  system:\n    s:\n      cdp:\n        {part}\n        {rest}\n"
    found = read(text, tmp_path, settings)
    assert [fault for fault in found.faults if fault.startswith(said)], found.faults
    assert len(found.faults) == 1
    assert found.sites["s"].activations or found.sites["s"].stream_of("user")


def test_it_keeps_the_good_one_of_two_activations(tmp_path: Path, settings: Any) -> None:
    found = read(
        "personalization: {system: {s: {cdp: {activations: [{client_id: a}, {client_id: c, client_secret: s,"
        " segment_group_identifier: g}]}}}}",
        tmp_path,
        settings,
    )
    assert list(found.activations) == ["c"]
    assert found.faults == ("cdp.activations.0.client_secret of site 's': Field required.",)


def test_it_finds_one_stream_for_two_kinds(tmp_path: Path, settings: Any) -> None:
    both = f"{{stream_file: {{stream_id: {FIRST}}}}}"
    text = (
        "personalization: {system: {s: {cdp: {data_export: {user_data: " + both + ", product_data: "
        "" + both + "}}}}}"
    )
    [fault] = read(text, tmp_path, settings).faults
    assert "product_data has the stream id of user_data" in fault


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("{users: []}", "cdp.data_export.schedule.users is not a known key. Did you mean 'user'?"),
        ("{user: '* * * * *'}", "cdp.data_export.schedule.user must be a list of entries"),
        ("{user: [x]}", "cdp.data_export.schedule.user[0] must hold interval and options and nothing else."),
        ("{user: [{interval: 5}]}", "user[0].interval must be a crontab expression in quotes; got '5'."),
        ("{user: [{interval: '61 * * * *'}]}", "user[0].interval has '61' as minute"),
        ("{user: [{interval: '* * * * *', options: 5}]}", "user[0].options must be the options"),
        ("{user: [{interval: '* * * * *', option: ''}]}", "user[0] must hold interval and options"),
    ],
)
def test_it_says_what_is_wrong_with_a_schedule(
    schedule: str, said: str, tmp_path: Path, settings: Any
) -> None:
    text = f"personalization: {{system: {{}}}}\ncdp: {{data_export: {{schedule: {schedule}}}}}"
    found = read(text, tmp_path, settings)
    assert found.schedule == ()
    assert [fault for fault in found.faults if said in fault], found.faults
