"""Screens of the customer data platform in the back office, below *Customer data*."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.urls import URLPattern, path
from wagtail import hooks

from cdp.screens import (
    activations,
    audiences,
    dataflows,
    identifiers,
    insights,
    people,
    runs,
    schemas,
    transform,
)
from personalization.screens import customer_data

ROOT = "customer-data/dataflow"

customer_data.register(
    dataflows.DataflowScreens(),
    schemas.SchemaScreens(),
    identifiers.IdentifierScreens(),
    people.ProfileScreens(),
    audiences.AudienceScreens(),
    activations.ActivationScreens(),
    insights.InsightScreens(),
)


@hooks.register("register_admin_urls")  # type: ignore[untyped-decorator]
def urls() -> list[URLPattern]:
    one = f"{ROOT}/<int:pk>"
    return [
        path(f"{ROOT}/new/", dataflows.NewDataflow.as_view(), name="cdp_dataflow_new"),
        path(f"{one}/", runs.Details.as_view(), name="cdp_dataflow"),
        path(f"{one}/general/", dataflows.General.as_view(), name="cdp_dataflow_general"),
        path(f"{one}/download/", dataflows.Download.as_view(), name="cdp_dataflow_download"),
        path(f"{one}/received/", dataflows.Received.as_view(), name="cdp_dataflow_received"),
        path(f"{one}/mapping/", dataflows.FileMapping.as_view(), name="cdp_dataflow_mapping"),
        path(f"{one}/transform/", transform.TransformAndMap.as_view(), name="cdp_dataflow_transform"),
        path(f"{one}/activation/", dataflows.Activation.as_view(), name="cdp_dataflow_activation"),
        path(f"{one}/runs/<int:run>/", runs.RunDetails.as_view(), name="cdp_dataflow_run"),
        path(f"{one}/runs/<int:run>/refused/", runs.RefusedRows.as_view(), name="cdp_dataflow_refused"),
        path("customer-data/schema/new/", schemas.NewSchema.as_view(), name="cdp_schema_new"),
        path("customer-data/schema/<int:pk>/", schemas.OneSchema.as_view(), name="cdp_schema"),
        *of_accounts(),
        *of_people(),
    ]


def of_accounts() -> list[URLPattern]:
    identifier = "customer-data/person-identifier"
    return [
        path(f"{identifier}/new/", identifiers.NewIdentifier.as_view(), name="cdp_identifier_new"),
        path(f"{identifier}/<int:pk>/", identifiers.OneIdentifier.as_view(), name="cdp_identifier"),
        path("customer-data/insight/<int:pk>/", insights.OneInsight.as_view(), name="cdp_insight"),
    ]


def of_people() -> list[URLPattern]:
    audience, activation = "customer-data/audience", "customer-data/activation"
    return [
        path("customer-data/profile/<uuid:uuid>/", people.Card.as_view(), name="cdp_profile"),
        path(f"{audience}/new/", audiences.NewAudience.as_view(), name="cdp_audience_new"),
        path(f"{audience}/preview/", audiences.Preview.as_view(), name="cdp_audience_preview"),
        path(f"{audience}/<int:pk>/", audiences.Builder.as_view(), name="cdp_audience"),
        path(f"{audience}/<int:pk>/history/", people.History.as_view(), name="cdp_audience_history"),
        path(f"{audience}/<int:pk>/why/", people.Why.as_view(), name="cdp_audience_why"),
        path(f"{activation}/new/", activations.NewActivation.as_view(), name="cdp_activation_new"),
        path(f"{activation}/<int:pk>/", activations.OneActivation.as_view(), name="cdp_activation"),
    ]


@hooks.register("register_permissions")  # type: ignore[untyped-decorator]
def permissions() -> QuerySet[Permission]:
    return Permission.objects.filter(
        content_type__app_label__in=["dataflows", "audiences", "activations", "profiles"],
        codename__in=[
            "view_profile",
            "view_personidentifier",
            "change_personidentifier",
            "view_insight",
            "change_insight",
            "view_audience",
            "change_audience",
            "view_activation",
            "change_activation",
            "view_dataflow",
            "change_dataflow",
            "activate_dataflow",
            "view_schema",
            "change_schema",
        ],
    )
