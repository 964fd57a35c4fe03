"""Charts as files."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

from django.http import Http404, HttpResponse

from personalization.screens.charts import Chart


def csv_file(charts: Iterable[Chart], key: str, name: str) -> HttpResponse:
    """One of the charts by its key as ``<name>-<key>.csv``. Raises Http404 where there is none."""
    chart = next((one for one in charts if one.key == key), None)
    if chart is None:
        raise Http404
    target = StringIO()
    csv.writer(target).writerows(chart.cells())
    content = target.getvalue().encode("utf-8-sig")  # the mark by which Excel knows UTF-8
    return file(content, f"{name}-{key}.csv", "text/csv; charset=utf-8")


def file(content: bytes, name: str, kind: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=kind, headers=headers)
