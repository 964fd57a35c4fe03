"""What the content list is measured against: a view of the same bytes, and the list one would write first.

A module of addresses for ``LODESTAR_URLS``, so both run in the shipped server behind the same middleware.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework import generics, serializers

from content.items.types import item_types
from content.models import PlacePage
from personalization import contracts


def same_bytes(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(BODY, content_type=contracts.CONTENTLIST_MEDIA_TYPE)


class PlaceSerializer(serializers.ModelSerializer[PlacePage]):
    # From the prefetched rows; the field's own manager would ask once for each page.
    tags = serializers.SerializerMethodField()

    class Meta:
        model = PlacePage
        fields: ClassVar = ["id", "author", *item_types()["place"].fields.values()]

    def get_tags(self, page: PlacePage) -> list[str]:
        return [row.tag.name for row in page.tagged_items.all()]


class PlaceList(generics.ListAPIView[PlacePage]):
    queryset = PlacePage.objects.live().prefetch_related("tagged_items__tag").order_by("pk")
    serializer_class = PlaceSerializer


BODY = Path(os.environ["BENCH_BODY"]).read_bytes()
urlpatterns = [path("bench/same-bytes", same_bytes), path("bench/drf", PlaceList.as_view())]
