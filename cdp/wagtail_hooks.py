"""Screens of the customer data platform in the back office, below *Customer data*."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.urls import URLPattern, path
from wagtail import hooks

from cdp.screens import (
    activation_wizard,
    activations,
    audiences,
    card,
    dataflow_stages,
    dataflows,
    first_steps,
    history,
    identifiers,
    insights,
    joining,
    one_activation,
    overviews,
    people,
    rights,
    runs,
    schemas,
    transform,
    webhook,
)
from config import glossary, onboarding
from personalization.screens import customer_data

ROOT = "customer-data/dataflow"

onboarding.register(*first_steps.STEPS)
glossary.register(*first_steps.TERMS)

customer_data.register(
    overviews.DataflowScreens(),
    overviews.SchemaScreens(),
    identifiers.IdentifierScreens(),
    people.ProfileScreens(),
    audiences.AudienceScreens(),
    activations.ActivationScreens(),
    webhook.WebhookScreens(),
    insights.InsightScreens(),
)


@hooks.register("register_admin_urls")  # type: ignore[untyped-decorator]
def urls() -> list[URLPattern]:
    one = f"{ROOT}/<int:pk>"
    return [
        path(f"{ROOT}/new/", dataflow_stages.NewDataflow.as_view(), name="cdp_dataflow_new"),
        path(f"{one}/", runs.Details.as_view(), name="cdp_dataflow"),
        path(f"{one}/sure/<slug:action>/", dataflows.Sure.as_view(), name="cdp_dataflow_sure"),
        path(f"{one}/general/", dataflow_stages.General.as_view(), name="cdp_dataflow_general"),
        path(f"{one}/download/", dataflow_stages.Download.as_view(), name="cdp_dataflow_download"),
        path(f"{one}/received/", dataflow_stages.Received.as_view(), name="cdp_dataflow_received"),
        path(f"{one}/mapping/", dataflow_stages.FileMapping.as_view(), name="cdp_dataflow_mapping"),
        path(f"{one}/transform/", transform.TransformAndMap.as_view(), name="cdp_dataflow_transform"),
        path(f"{one}/activation/", dataflow_stages.Activation.as_view(), name="cdp_dataflow_activation"),
        path(f"{one}/runs/<int:run>/", runs.RunDetails.as_view(), name="cdp_dataflow_run"),
        path(f"{one}/runs/<int:run>/refused/", runs.RefusedRows.as_view(), name="cdp_dataflow_refused"),
        path("customer-data/schema/new/", schemas.NewSchema.as_view(), name="cdp_schema_new"),
        path("customer-data/schema/<int:pk>/", schemas.OneSchema.as_view(), name="cdp_schema"),
        path(
            "customer-data/schema/<int:pk>/sure/<slug:action>/",
            schemas.Sure.as_view(),
            name="cdp_schema_sure",
        ),
        *of_accounts(),
        *of_people(),
        *of_audiences(),
        *of_activations(),
    ]


def of_accounts() -> list[URLPattern]:
    identifier = "customer-data/person-identifier"
    return [
        path(f"{identifier}/new/", identifiers.NewIdentifier.as_view(), name="cdp_identifier_new"),
        path(f"{identifier}/<int:pk>/", identifiers.OneIdentifier.as_view(), name="cdp_identifier"),
        path("customer-data/insight/<int:pk>/", insights.OneInsight.as_view(), name="cdp_insight"),
    ]


def of_people() -> list[URLPattern]:
    one, erasure = "customer-data/profile/<uuid:uuid>", "customer-data/erasure"
    return [
        path("customer-data/profile/find/", people.Find.as_view(), name="cdp_profile_find"),
        path(f"{one}/", card.Card.as_view(), name="cdp_profile"),
        path(f"{one}/export/", rights.Download.as_view(), name="cdp_profile_export"),
        path(f"{one}/erase/", rights.Erase.as_view(), name="cdp_profile_erase"),
        path(f"{one}/merge/", joining.Merge.as_view(), name="cdp_profile_merge"),
        path(f"{one}/merge/<int:merge>/", joining.Part.as_view(), name="cdp_profile_part"),
        path(f"{erasure}/", rights.Erasures.as_view(), name="cdp_erasures"),
        path(f"{erasure}/<uuid:ticket>/", rights.Receipt.as_view(), name="cdp_erasure"),
    ]


def of_audiences() -> list[URLPattern]:
    audience = "customer-data/audience"
    return [
        path(f"{audience}/new/", audiences.NewAudience.as_view(), name="cdp_audience_new"),
        path(f"{audience}/preview/", audiences.Preview.as_view(), name="cdp_audience_preview"),
        path(f"{audience}/<int:pk>/", audiences.Builder.as_view(), name="cdp_audience"),
        path(f"{audience}/<int:pk>/history/", history.History.as_view(), name="cdp_audience_history"),
        path(f"{audience}/<int:pk>/why/", history.Why.as_view(), name="cdp_audience_why"),
    ]


def of_activations() -> list[URLPattern]:
    activation, draft = "customer-data/activation", "customer-data/activation/new/<str:draft>"
    one, received = one_activation, "customer-data/webhook-request"
    wizard = activation_wizard
    return [
        path(f"{activation}/new/", wizard.General.as_view(), name="cdp_activation_new"),
        path(f"{draft}/", wizard.General.as_view(), name="cdp_activation_general"),
        path(f"{draft}/receiver/", wizard.Receiver.as_view(), name="cdp_activation_receiver"),
        path(f"{draft}/audiences/", wizard.Audiences.as_view(), name="cdp_activation_audiences"),
        path(f"{activation}/<int:pk>/", one.OneActivation.as_view(), name="cdp_activation"),
        path(
            f"{activation}/<int:pk>/requests/<int:sent>/",
            one.OneRequest.as_view(),
            name="cdp_activation_request",
        ),
        path(f"{received}/<int:pk>/", webhook.OneRequest.as_view(), name="cdp_webhook_request"),
    ]


@hooks.register("register_permissions")  # type: ignore[untyped-decorator]
def permissions() -> QuerySet[Permission]:
    return Permission.objects.filter(
        content_type__app_label__in=["dataflows", "audiences", "activations", "profiles", "cdp"],
        codename__in=[
            "view_profile",
            "change_profile",
            "erase_profile",
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
            "view_webhookrequest",
            "change_webhookrequest",
        ],
    )
