"""``config_show``: the settings in force, what decided each, and no secret."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from config.site_access.show import HIDDEN

FILE = """\
siteaccess:
  groups: {shops: [shop_en]}
personalization:
  system:
    default:
      included_content_types: [place]
      api: {admin: {endpoint: https://engine.example}}
    shops:
      languages: [eng-GB]
      cdp: {data_export: {client_secret: cdp-very-secret, account: 7}}
    shop_en:
      languages: [fre-FR]
      authentication:
        customer_id: '%env(int:SHOW_CUSTOMER)%'
        license_key: '%env(SHOW_KEY)%'
      export: {authentication: {method: user, login: engine, password: very-secret}}
      cdp: {activations: [{name: all, client_secret: listed-very-secret}], api_key: key-very-secret}
    empty: {site_name: Nobody}
"""


@pytest.fixture
def file(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "sites.yaml"
    path.write_text(FILE)
    settings.LODESTAR_SITES_FILE = path
    monkeypatch.setenv("SHOW_CUSTOMER", "77")
    monkeypatch.setenv("SHOW_KEY", "9999-8888")
    return path


def shown(*args: str) -> str:
    out = io.StringIO()
    call_command("config_show", *args, stdout=out, no_color=True)
    return out.getvalue()


def setting(key: str, *, site: str = "shop_en") -> tuple[Any, str]:
    found = json.loads(shown("--json"))["sites"][site][key]
    return found["value"], found["source"]


@pytest.mark.parametrize(
    ("key", "value", "source"),
    [
        ("languages", ["fre-FR"], "line 12, scope shop_en"),
        ("authentication.customer_id", 77, "line 14, scope shop_en, from SHOW_CUSTOMER"),
        ("authentication.license_key", HIDDEN, "line 15, scope shop_en, from SHOW_KEY"),
        ("export.authentication.password", HIDDEN, "line 16, scope shop_en"),
        ("cdp.data_export.client_secret", HIDDEN, "line 10, scope shops"),
        ("cdp.data_export.account", 7, "line 10, scope shops"),
        ("included_item_types", ["place"], "line 6, scope default"),
        ("api.admin.endpoint", "https://engine.example", "line 7, scope default"),
        ("api.notifier.endpoint", "https://engine.example", "as api.admin.endpoint"),
        ("api.recommendation.endpoint", "http://localhost:8000", "this installation's own"),
        ("site_name", "shop_en", "the name of the entry"),
        ("author_id", 0, "built-in default"),
    ],
)
@pytest.mark.usefixtures("file")
def test_each_setting_says_what_decided_it(key: str, value: Any, source: str) -> None:
    assert setting(key) == (value, source)


@pytest.mark.usefixtures("file")
def test_a_site_without_credentials_is_shown_too() -> None:
    assert setting("site_name", site="empty") == ("Nobody", "line 18, scope empty")
    assert setting("authentication.license_key", site="empty") == ("", "built-in default")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_secret_is_shown(file: Path, form: tuple[str, ...]) -> None:
    said = shown(*form)
    assert "77" in said
    for secret in ("9999-8888", "very-secret"):
        assert secret not in said


def test_names_of_earlier_versions_are_pointed_out(file: Path) -> None:
    note = f"{file}, line 6: included_content_types is the old name of included_item_types."
    assert note in shown("--site", "shop_en")


@pytest.mark.parametrize(
    ("text", "site", "sentence"),
    [
        (FILE, "shop_e", "Did you mean 'shop_en'?"),
        (FILE, "", "No site is called ''"),
        ("personalization: [", "shop_en", "this is not valid YAML"),
        (FILE.replace("SHOW_KEY", "SHOW_NONE"), "shop_en", "SHOW_NONE is not set"),
        ("{}", "shop_en", "It names no site."),
    ],
)
def test_wrong_input_ends_in_one_sentence(file: Path, text: str, site: str, sentence: str) -> None:
    file.write_text(text)
    with pytest.raises(CommandError, match=sentence.replace("?", r"\?")) as refused:
        call_command("config_show", "--site", site)
    assert refused.value.returncode == 2
