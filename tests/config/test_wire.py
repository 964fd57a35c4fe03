"""Addresses that no view is asked about."""

from __future__ import annotations

import pytest
from django.test import Client

NUL = "The address must not contain a NUL byte (%00).\n"


@pytest.mark.django_db
def test_it_lets_other_escapes_pass(client: Client) -> None:
    assert client.get("/media/%2500").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/%00",
        "/en/%00/",
        "/media/images/sea.jpg%00",
        "/admin/login/?next=%00",
        "/?q=a%00b",
        "/api/00000/item/38/%00",
        "/api/00000/item/38/5?lang=%00",
        "/api/v2/00000/u/%00.json",
        "/api/v2/00000/u%00/popular.json",
        "/api/v2/00000/u/popular.json?lang=%00",
        "/api/ibexa/v2/personalization/v1/content/remote-id/%00",
        "/api/ibexa/v2/personalization/v1/export/download/a%00b",
    ],
)
def test_it_refuses_a_nul_before_anything_looks_it_up(client: Client, address: str) -> None:
    for sent in ({}, {"RAW_URI": address}):
        answer = client.get(address, **sent)
        assert (answer.status_code, answer.content.decode()) == (400, NUL)


@pytest.mark.django_db(databases="__all__")
def test_it_leaves_the_address_of_an_event_to_the_intake(client: Client) -> None:
    answer = client.get("/api/00000/click/u%00/1/2")
    assert answer.status_code == 400
    assert answer.content.decode().startswith("the address must not contain a NUL byte")
