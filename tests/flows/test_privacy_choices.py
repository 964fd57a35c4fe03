"""The demo's footer: an answer about consent can be changed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def decision(page: Page) -> str | None:
    known = {one["name"]: one["value"] for one in page.context.cookies()}
    return known.get("lodestar_consent")


@pytest.mark.parametrize(
    ("path", "opener", "no", "yes"),
    [
        ("/", "Privacy choices", "No, thank you", "Yes, please"),
        ("/fr/", "Choix de confidentialité", "Non, merci", "Oui, volontiers"),
    ],
)
def test_it_opens_the_question_again_and_takes_another_answer(
    path: str, opener: str, no: str, yes: str, page: Page
) -> None:
    page.goto(path)
    question = page.locator(".consent")
    link = page.get_by_role("button", name=opener)
    expect(question).to_be_hidden()

    for words, stored in ((no, "0"), (yes, "1")):
        link.click()
        expect(question).to_be_visible()
        page.get_by_role("button", name=words).click()
        expect(question).to_be_hidden()
        expect(link).to_be_focused()
        assert decision(page) == stored
