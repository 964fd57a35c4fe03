"""Groups of people who use the back office, and what each may do (docs/permissions.md).

They are made once, by a migration; from then on they are the administrators'. The layers below know their own
permissions only, so the table stands in the topmost one.
"""

from __future__ import annotations

from typing import Any

EVERYBODY = ("wagtailadmin.access_admin",)
LOOKING_AT_THE_ENGINE = (
    "engine.view_model",
    "engine.view_scenario",
    "engine.view_scenariotest",
    "engine.view_storeditem",
    "engine.view_importrun",
    "engine.view_callcount",
    "connector.view_exportrun",
    "jobs.view_outbox",
)
LOOKING_AT_CUSTOMER_DATA = (
    "dataflows.view_dataflow",
    "dataflows.view_schema",
    "profiles.view_personidentifier",
    "profiles.view_insight",
    "audiences.view_audience",
    "activations.view_activation",
    "cdp.view_webhookrequest",
)
LOOKING_AT_SEGMENTS = ("segments.view_segment", "segments.view_segmentgroup")
GROUPS: dict[str, tuple[str, ...]] = {
    "Personalization editors": (
        *EVERYBODY,
        *LOOKING_AT_THE_ENGINE,
        *LOOKING_AT_SEGMENTS,
        "engine.change_model",
        "engine.change_scenario",
        "engine.change_scenariotest",
    ),
    "Marketers": (
        *EVERYBODY,
        "engine.view_scenario",
        "engine.view_scenariotest",
        "engine.view_storeditem",
        "engine.view_callcount",
        *LOOKING_AT_CUSTOMER_DATA,
        *LOOKING_AT_SEGMENTS,
        "engine.change_scenariotest",
        "audiences.change_audience",
        "activations.change_activation",
        "profiles.change_insight",
        "segments.add_segment",
        "segments.change_segment",
        "segments.add_segmentgroup",
        "segments.change_segmentgroup",
    ),
    # Who people are is for nobody by default but the administrators: events are of pseudonyms.
    "Analysts": (
        *EVERYBODY,
        *LOOKING_AT_THE_ENGINE,
        *LOOKING_AT_CUSTOMER_DATA,
        *LOOKING_AT_SEGMENTS,
        "tracking.view_event",
    ),
    "Personalization administrators": (
        *EVERYBODY,
        *LOOKING_AT_THE_ENGINE,
        *LOOKING_AT_CUSTOMER_DATA,
        *LOOKING_AT_SEGMENTS,
        "tracking.view_event",
        "tracking.view_person",
        "tracking.erase_person",
        "engine.change_model",
        "engine.change_scenario",
        "engine.change_scenariotest",
        "connector.add_exportrun",
        "connector.view_accesstoken",
        "connector.add_accesstoken",
        "connector.change_accesstoken",
        "jobs.change_outbox",
        "customers.view_customer",
        "customers.add_customer",
        "customers.change_customer",
        "dataflows.change_dataflow",
        "dataflows.activate_dataflow",
        "dataflows.change_schema",
        "profiles.change_personidentifier",
        "profiles.view_profile",
        "profiles.change_profile",
        "profiles.erase_profile",
        "profiles.change_insight",
        "audiences.change_audience",
        "activations.change_activation",
        "cdp.change_webhookrequest",
        "segments.add_segment",
        "segments.change_segment",
        "segments.delete_segment",
        "segments.add_segmentgroup",
        "segments.change_segmentgroup",
        "segments.delete_segmentgroup",
    ),
}


def make(groups: Any, permissions: Any) -> list[str]:
    """Make the groups that are not there, by the managers of both models; the names of those made.

    A group with the name of one of ours is left as it is: somebody made it, or changed it since.
    """
    made = []
    for name, wanted in GROUPS.items():
        group, is_new = groups.get_or_create(name=name)
        if not is_new:
            continue
        for app_label, codename in (one.split(".", 1) for one in wanted):
            found = permissions.filter(content_type__app_label=app_label, codename=codename)
            group.permissions.add(*found)
        made.append(name)
    return made
