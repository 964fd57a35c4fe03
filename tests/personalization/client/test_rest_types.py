"""What the engine fetches by item type, and what every address of the content REST says to wrong input."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.images import ImageFile
from django.test import Client
from PIL import Image as Picture
from wagtail.images.models import Image

from content.items.pictures import rendition_of
from content.models import Item

from .conftest import SITES, payload_of
from .test_rest import PREFIX, bearer, items

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]

OLD = "/api/ezp/v2/ibexa_recommendation/v1"
PLACE, ARTICLE = 38, 39


def ids(answer: Any) -> list[int]:
    return [item["contentId"] for item in items(answer)]


@pytest.mark.parametrize("prefix", [PREFIX, OLD])
def test_it_answers_a_page_of_a_type(prefix: str, client: Client, make_items: Callable[..., None]) -> None:
    make_items(25)
    path = f"{prefix}/contenttypes/{PLACE}?lang=eng-GB"

    assert ids(client.get(path, headers=bearer())) == list(range(1, 11))
    assert ids(client.get(f"{path}&page=2&page_size=10", headers=bearer())) == list(range(11, 21))
    assert ids(client.get(f"{path}&page=3", headers=bearer())) == list(range(21, 26))
    assert client.get(f"{path}&page=4", headers=bearer()).status_code == 204


def test_it_answers_the_example_of_the_handbook(client: Client, make_items: Callable[..., None]) -> None:
    make_items(2)
    query = "lang=eng-GB&fields=title,description,image,intro,name&page=1&page_size=20&image=rss"

    found = items(client.get(f"{OLD}/contenttypes/{PLACE}?{query}", headers=bearer()))

    assert [(item["contentId"], item["name"]) for item in found] == [
        (1, "place 1 eng-GB"),
        (2, "place 2 eng-GB"),
    ]


def test_it_pages_across_types_and_languages(
    client: Client, make_items: Callable[..., None], sites_file: Any
) -> None:
    sites_file(SITES.replace("languages: [eng-GB]", "languages: [eng-GB, fre-FR]"))
    make_items(2)
    make_items(2, language="fre-FR")
    make_items(2, kind="article", start=8)
    path = f"{PREFIX}/contenttypes/{ARTICLE},{PLACE},999?page_size=3"

    pages = [items(client.get(f"{path}&page={page}", headers=bearer())) for page in (1, 2)]

    assert [[(item["contentId"], item["language"]) for item in page] for page in pages] == [
        [(8, "eng-GB"), (9, "eng-GB"), (1, "eng-GB")],
        [(2, "eng-GB"), (1, "fre-FR"), (2, "fre-FR")],
    ]


def test_it_counts_only_what_lies_below_the_path(client: Client, make_items: Callable[..., None]) -> None:
    make_items(12)

    path = f"{PREFIX}/contenttypes/{PLACE}"

    assert ids(client.get(f"{path}?path=/1/2/12/", headers=bearer())) == [12]
    assert ids(client.get(f"{path}?path=/1/2/&page=2", headers=bearer())) == [11, 12]
    assert client.get(f"{path}?path=/7/", headers=bearer()).status_code == 204


def test_it_answers_the_site_that_sa_names(
    client: Client, make_items: Callable[..., None], sites_file: Any
) -> None:
    sites_file(SITES.replace("customer_id: 502", "customer_id: 501"))
    make_items(1)
    make_items(1, language="fre-FR")
    path = f"{PREFIX}/contenttypes/{PLACE}"

    both = items(client.get(path, headers=bearer()))
    french = items(client.get(f"{path}?sa=site_fr", headers=bearer()))

    assert [item["language"] for item in both] == ["eng-GB", "fre-FR"]
    assert [item["language"] for item in french] == ["fre-FR"]


def test_it_never_shows_hidden_items(client: Client, make_items: Callable[..., None]) -> None:
    make_items(2)
    Item.objects.filter(content_id=2).update(is_visible=False)

    assert ids(client.get(f"{PREFIX}/contenttypes/{PLACE}?hidden=1", headers=bearer())) == [1]
    assert client.get(f"{PREFIX}/content/id/2?hidden=1", headers=bearer()).status_code == 204


def test_it_pages_with_a_fixed_number_of_queries(
    client: Client, make_items: Callable[..., None], django_assert_max_num_queries: Any
) -> None:
    make_items(60)
    headers = bearer()
    with django_assert_max_num_queries(5):
        client.get(f"{PREFIX}/contenttypes/{PLACE}?page_size=50", headers=headers)


def test_it_keeps_the_items_of_customers_apart(client: Client, make_items: Callable[..., None]) -> None:
    make_items(1)

    assert client.get(f"{PREFIX}/contenttypes/{PLACE}", headers=bearer(501)).status_code == 200
    assert client.get(f"{PREFIX}/contenttypes/{PLACE}", headers=bearer(502)).status_code == 204
    answer = client.get(f"{PREFIX}/contenttypes/{PLACE}?sa=site_en", headers=bearer(502))
    assert answer.status_code == 400
    assert "(site_fr)" in json.loads(answer.content)["ErrorMessage"]["errorDescription"]


ENDPOINTS = ["content/id/1", "content/1", "contentlist/1,2", "content/list/1,2", "contenttypes/38"]


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "content/remote-id/remote-1"])
@pytest.mark.parametrize("prefix", [PREFIX, OLD])
def test_it_answers_401_without_a_token(
    prefix: str, endpoint: str, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(1)

    answer = client.get(f"{prefix}/{endpoint}")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert client.get(f"{prefix}/{endpoint}", headers=bearer(502)).status_code == 204
    assert client.get(f"{prefix}/{endpoint}", headers=bearer()).status_code == 200


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, "content/remote-id/remote-1"])
@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("lang=eng-XX", 400, "lang takes language codes of the form eng-GB; got 'eng-XX'."),
        ("lang=zz", 400, "got 'zz'."),
        ("lang=eng-GB,zz", 400, "got 'zz'."),
        ("lang=eng-gb", 400, "got 'eng-gb'."),
        ("lang=ger-DE", 204, ""),
        ("lang=", 200, ""),
        ("fields=" + ",".join(f"f{n}" for n in range(201)), 400, "at most 200 names; got 201."),
        ("fields=", 200, ""),
        ("image=nosuch", 200, ""),
        ("image=../../etc/passwd", 200, ""),
        ("unknown=1&hidden=x", 200, ""),
    ],
)
def test_it_judges_parameters_alike_everywhere(
    endpoint: str, query: str, status: int, says: str, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(1)

    answer = client.get(f"{PREFIX}/{endpoint}?{query}", headers=bearer())

    assert_answers(answer, status, says)


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("38?page=0", 400, "page must be a whole number from 1 to 1000000000; got '0'."),
        ("38?page=-1", 400, "got '-1'."),
        ("38?page=NaN", 400, "got 'NaN'."),
        ("38?page=1.5", 400, "got '1.5'."),
        ("38?page=", 400, "got ''."),
        ("38?page=%D9%A1", 400, "page must be"),
        ("38?page=1000000000&page_size=1000", 204, ""),
        ("38?page_size=0", 400, "page_size must be a whole number from 1 to 1000; got '0'."),
        ("38?page_size=1001", 400, "got '1001'."),
        ("38?page_size=NaN", 400, "got 'NaN'."),
        ("38?page_size=" + "9" * 100, 400, "page_size must be"),
        ("38?path=/1/2", 400, "path must be a location path such as /1/2/95/; got '/1/2'."),
        ("38?path=/a/", 400, "got '/a/'."),
        ('38?path=/1/"/', 400, "path must be"),
        ("38?path=/", 200, ""),
        ("38?sa=nosuch", 400, "sa must be the name of one of your sites (site_en); got 'nosuch'."),
        ("place", 400, "Ids are whole numbers separated by commas; got 'place'."),
        ("38,", 400, "got ''."),
        ("-1", 400, "got '-1'."),
        (",".join("38" for _ in range(501)), 400, "At most 500 ids are answered at once; got 501."),
        ("999", 204, ""),
        ("0", 204, ""),
    ],
)
def test_it_says_what_is_wrong_with_a_page(
    path: str, status: int, says: str, client: Client, make_items: Callable[..., None]
) -> None:
    make_items(1)

    assert_answers(client.get(f"{PREFIX}/contenttypes/{path}", headers=bearer()), status, says)


def assert_answers(answer: Any, status: int, says: str) -> None:
    assert answer.status_code == status, answer.content
    if status == 204:
        assert answer.content == b""
    elif status == 400:
        assert says in json.loads(answer.content)["ErrorMessage"]["errorDescription"]


@pytest.mark.parametrize("tail", ["", "runExport/38", "contenttype/38", "content/id/1/2"])
def test_it_takes_no_unknown_address_for_a_customer(tail: str, client: Client) -> None:
    answer = client.get(f"{OLD}/{tail}")

    assert answer.status_code == 404
    assert "contenttypes" in json.loads(answer.content)["ErrorMessage"]["errorDescription"]


@pytest.fixture
def picture(tmp_path: Path, settings: Any) -> Image:
    settings.MEDIA_ROOT = tmp_path / "media"
    file = io.BytesIO()
    Picture.new("RGB", (900, 700), "teal").save(file, "PNG")
    return Image.objects.create(title="Teal", file=ImageFile(file, name="teal é.png"))


@pytest.fixture
def pictured(make_items: Callable[..., None], picture: Image) -> str:
    """Item 1 has a picture and related ones; returns the address that it was exported with."""
    exported = str(rendition_of(picture).url)
    make_items(2)
    fields = {"image": exported, "related": [exported, 7], "intro": "/media/images/none.jpg"}
    Item.objects.filter(content_id=1).update(payload=payload_of(1, "place", "eng-GB", **fields))
    return exported


@pytest.mark.parametrize("endpoint", ["contenttypes/38", "content/id/1", "contentlist/1"])
def test_it_answers_pictures_in_a_configured_variation(
    endpoint: str, pictured: str, client: Client, settings: Any
) -> None:
    settings.IMAGE_VARIATIONS = {"rss": "max-90x90|format-jpeg"}

    item = items(client.get(f"{PREFIX}/{endpoint}?image=rss", headers=bearer()))[0]

    assert ".max-90x90" in item["image"]
    assert item["image"].startswith("/media/images/teal_")
    assert item["related"] == [item["image"], 7]
    assert item["intro"] == "/media/images/none.jpg"
    drawn = Picture.open(Path(settings.MEDIA_ROOT) / item["image"].removeprefix("/media/"))
    assert max(drawn.size) == 90
    drawn.close()


def test_it_answers_pictures_as_exported_where_the_variation_is_unknown(
    pictured: str, client: Client
) -> None:
    item = items(client.get(f"{PREFIX}/content/id/1?image=nosuch", headers=bearer()))[0]

    assert item["image"] == pictured


def test_it_leaves_a_picture_whose_file_is_gone(
    pictured: str, picture: Image, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    Path(picture.file.path).unlink()

    item = items(client.get(f"{PREFIX}/content/id/1?image=small", headers=bearer()))[0]

    assert item["image"] == pictured
    assert "No variation small" in caplog.text


def test_one_request_draws_a_limited_number_of_pictures(
    pictured: str, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next requests draw the rest, and what is drawn is free."""
    settings.IMAGE_VARIATIONS = {"rss": "max-90x90|format-jpeg"}
    monkeypatch.setattr("personalization.client.rest.MOST_DRAWN", 1)
    file = io.BytesIO()
    Picture.new("RGB", (900, 700), "red").save(file, "PNG")
    red = Image.objects.create(title="Red", file=ImageFile(file, name="red.png"))
    second = str(rendition_of(red).url)
    Item.objects.filter(content_id=2).update(payload=payload_of(2, "place", "eng-GB", image=second))

    def drawn() -> int:
        answer = client.get(f"{PREFIX}/contentlist/1,2?image=rss", headers=bearer())
        return sum(".max-90x90" in item["image"] for item in items(answer))

    assert [drawn() for _ in range(3)] == [1, 2, 2]
