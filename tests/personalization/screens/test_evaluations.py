"""Evaluations in the back office: their list, one report, and having one made."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from config.jobs import queue
from config.jobs.models import Job, State
from personalization.server.evaluation import reports
from personalization.server.evaluation.models import Evaluation
from tests.personalization.screens.conftest import logged, somebody
from tests.personalization.screens.reported import stored
from tests.personalization.server import made
from tests.personalization.server.made import did

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
URL = "/admin/personalization/evaluation/"


def asked(customer: str, **changes: str) -> dict[str, str]:
    return {"action": "measure", "signal": "click", "days": "90"} | changes


def test_it_shows_a_report_beside_popularity_and_chance(customer: str, admin: Client) -> None:
    row = stored(customer)
    page = re.sub(r"\s+", " ", admin.get(f"{URL}{row.pk}/").content.decode())
    assert "hold 40.0 % of what people came to later, 4.0 times as much" in page
    assert re.search(r"Recall at 20.*?</th><td>40.0 %</td><td>10.0 %</td><td>5.0 %</td>", page)
    assert "<td>0.3123</td>" in page
    assert "1,237 events, 01/01/2026 to 01/20/2026" in page
    command = f"manage.py evaluate customer --customer {customer} --signal click --days 30 --later 0.2 --k 20"
    assert command in page
    file = admin.get(f"{URL}{row.pk}/quality.csv").content.decode("utf-8-sig").splitlines()
    assert file[:2] == ["Metric,For you (learnt),What is popular,Chance", "Recall,40.0,10.0,5.0"]
    assert f"{URL}{row.pk}/" in admin.get(f"{URL}?customer={customer}").content.decode()


def test_it_does_not_praise_what_is_no_better_than_what_is_popular(customer: str, admin: Client) -> None:
    row = stored(customer, recall=0.1, popular=0.1)
    assert "no better than lists of what is popular" in admin.get(f"{URL}{row.pk}/").content.decode()
    row = stored(customer, popular=0)
    assert "hold nothing of it" in admin.get(f"{URL}{row.pk}/").content.decode().replace("\n", " ")


def test_it_says_what_to_do_where_nothing_was_measured(customer: str, admin: Client) -> None:
    page = admin.get(f"{URL}?customer={customer}").content.decode()
    assert "Measure now, or run the command below" in page
    assert f"manage.py evaluate customer --customer {customer}" in page


def test_a_worker_measures_when_asked_and_the_newest_reports_are_kept(customer: str, admin: Client) -> None:
    rows = [stored(customer) for _ in range(reports.KEPT)]
    for user in range(8):
        made.happened(customer, did("click", f"u{user}", 1 + user % 4, 1 + (user + 1) % 4, days=0.5))
        made.happened(customer, did("click", f"u{user}", 1 + (user + 2) % 4, days=0.2))
    page = f"{URL}?customer={customer}"
    assert admin.post(page, asked(customer)).status_code == 302
    assert "waits for a worker" in admin.get(page).content.decode()
    admin.post(page, asked(customer))
    assert Job.objects.filter(kind=reports.JOB).count() == 1
    assert logged() == ["lodestar.measure"]  # it was asked for once
    queue.run_due(kinds=[reports.JOB])
    row = Evaluation.objects.filter(customer_id=customer).latest("pk")
    assert not Evaluation.objects.filter(pk=rows[0].pk).exists()
    assert Evaluation.objects.filter(customer_id=customer).count() == reports.KEPT
    assert row.report["baselines"].keys() == {"popular", "random"}
    assert "The evaluation has ended." in admin.get(f"{URL}progress/?customer={customer}").json()["html"]
    assert f"{URL}{row.pk}/" in admin.get(page).content.decode()


def test_it_says_in_a_sentence_why_it_failed(customer: str, admin: Client) -> None:
    page = f"{URL}?customer={customer}"
    admin.post(page, asked(customer, signal="buy"))
    queue.run_due(kinds=[reports.JOB])
    shown = admin.get(page).content.decode()
    assert re.search(r"The evaluation of .* failed: There are no buy events", shown)
    assert Job.objects.get(kind=reports.JOB).state == State.FAILED


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"days": "0"}, "days"), ({"days": "soon"}, "days"), ({"signal": "login"}, "signal")],
)
def test_it_says_beside_the_field_what_is_wrong(
    customer: str, admin: Client, changes: dict[str, str], field: str
) -> None:
    answer = admin.post(f"{URL}?customer={customer}", asked(customer, **changes))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Job.objects.filter(kind=reports.JOB).exists()


def test_an_evaluation_can_be_cancelled(customer: str, admin: Client) -> None:
    page = f"{URL}?customer={customer}"
    admin.post(page, asked(customer))
    admin.post(page, {"action": "cancel"})
    admin.post(page, {"action": "cancel"})
    assert Job.objects.get(kind=reports.JOB).state == State.CANCELLED
    assert logged() == ["lodestar.measure", "lodestar.cancel_evaluation"]
    assert "Measure now" in admin.get(page).content.decode()


def test_its_pages_need_few_queries(customer: str, admin: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(reports.KEPT):
        stored(customer)
    admin.get(URL)
    with django_assert_max_num_queries(15):  # one of them where customers were read two seconds ago
        admin.get(f"{URL}?customer={customer}")


def test_readers_only_read_and_nobody_sees_nothing(customer: str) -> None:
    row, page = stored(customer), f"{URL}?customer={customer}"
    reader = somebody("view_model")
    assert "Measure now" not in reader.get(page).content.decode()
    assert reader.get(f"{URL}{row.pk}/").status_code == 200
    assert reader.post(page, asked(customer)).status_code in (302, 403)
    assert not Job.objects.filter(kind=reports.JOB).exists()
    nobody = somebody()
    for path in (
        page,
        f"{URL}{row.pk}/",
        f"{URL}{row.pk}/quality.csv",
        f"{URL}progress/?customer={customer}",
    ):
        assert nobody.get(path).status_code in (302, 403)
