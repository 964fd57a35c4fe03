"""Segments by REST: reference `cdp.md` 4.5. Base ``/api/ibexa/v2``, JSON wrapped in the name of its type.

Callers are users of the back office, by HTTP Basic or by their login there; Django's permissions of segments
say what they may do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from django.contrib.auth import authenticate, get_user_model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from personalization.basic_auth import basic_credentials
from personalization.segments import changes, queries
from personalization.segments.changes import Locked, SegmentFault
from personalization.segments.models import Membership, Segment, SegmentGroup
from personalization.xml_form import as_xml

MOST_BYTES = 64 * 1024
MOST_SEGMENTS = 500
M = TypeVar("M", SegmentGroup, Segment)
View = Callable[..., HttpResponse]


class Problem(Exception):
    def __init__(self, status: HTTPStatus, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


def answer(request: HttpRequest, name: str, document: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A document in the form that the caller accepts, JSON unless it asks for XML."""
    media_type = f"application/vnd.ibexa.api.{name}"
    wrapped = {name: {"_media-type": f"{media_type}+json", **document}}
    if "xml" in request.headers.get("Accept", "") and "json" not in request.headers.get("Accept", ""):
        return HttpResponse(as_xml(wrapped), status=status, content_type=f"{media_type}+xml")
    return HttpResponse(orjson.dumps(wrapped), status=status, content_type=f"{media_type}+json")


def refused(request: HttpRequest, problem: Problem) -> HttpResponse:
    document = {
        "errorCode": problem.status.value,
        "errorMessage": problem.code or problem.status.phrase,
        "errorDescription": str(problem),
    }
    response = answer(request, "ErrorMessage", document, status=problem.status.value)
    if problem.status is HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Basic realm="segments"'
    return response


def endpoint(**methods: str) -> Callable[[View], View]:
    """A view for some methods, each with the permission that it needs (``GET="segments.view_segment"``)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def judged(request: HttpRequest, **parts: Any) -> HttpResponse:
            try:
                permission = methods[str(request.method)]
                may(request, permission)
                return view(request, **parts)
            except KeyError:
                response = refused(
                    request, Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {' or '.join(sorted(methods))}.")
                )
                response["Allow"] = ", ".join(sorted(methods))
                return response
            except Problem as problem:
                return refused(request, problem)
            except Locked as fault:
                return refused(request, Problem(HTTPStatus.FORBIDDEN, str(fault), code=fault.code))
            except SegmentFault as fault:
                return refused(request, Problem(HTTPStatus.BAD_REQUEST, str(fault), code=fault.code))

        protected = csrf_protect(judged)

        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, **parts: Any) -> HttpResponse:
            # A page elsewhere can send the cookie of a login, but not the header.
            by_header = "Authorization" in request.headers
            response: HttpResponse = (judged if by_header else protected)(request, **parts)
            response["Cache-Control"] = "private, no-store"
            return response

        return guarded

    return decorate


def may(request: HttpRequest, permission: str) -> None:
    user: Any = request.user
    if "Authorization" in request.headers:
        login, password = basic_credentials(request)
        user = authenticate(request, username=login, password=password) if login else None
    if user is None or not user.is_authenticated or not user.is_active:
        raise Problem(HTTPStatus.UNAUTHORIZED, "Send the login and password of a user of the back office.")
    if not user.has_perm(permission):
        raise Problem(HTTPStatus.UNAUTHORIZED, f"This user lacks the permission {permission}.")


def body_of(request: HttpRequest, name: str, *, required: tuple[str, ...] = ()) -> dict[str, str]:
    """The texts of ``{name: {...}}``."""
    document = inner(request, name)
    for key in required:
        if key not in document:
            raise Problem(HTTPStatus.BAD_REQUEST, f"{name} needs {' and '.join(required)}; {key} is missing.")
    if wrong := next((key for key, value in document.items() if not isinstance(value, str)), None):
        raise Problem(HTTPStatus.BAD_REQUEST, f"{name}.{wrong} must be a text.")
    if wrong := next((key for key, value in document.items() if "\0" in value), None):
        raise Problem(HTTPStatus.BAD_REQUEST, f"{name}.{wrong} must not hold a NUL.")
    return document


def inner(request: HttpRequest, name: str) -> dict[str, Any]:
    if len(request.body) > MOST_BYTES:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {MOST_BYTES} bytes are taken.")
    try:
        document = orjson.loads(request.body)
    except orjson.JSONDecodeError as fault:
        raise Problem(HTTPStatus.BAD_REQUEST, f"The body is not valid JSON: {fault}.") from None
    found = document.get(name) if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, f'The body must be {{"{name}": {{...}}}}.')
    return found


def found_or_404(row: M | None, what: str, identifier: str) -> M:
    if row is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no {what} {identifier[:80]!r}.")
    return row


def group_document(group: SegmentGroup) -> dict[str, Any]:
    return {
        "_href": reverse("segment-group", kwargs={"identifier": group.identifier}),
        "id": group.pk,
        "identifier": group.identifier,
        "name": group.name,
    }


def segment_document(segment: Segment) -> dict[str, Any]:
    return {
        "_href": reverse("segment", kwargs={"identifier": segment.identifier}),
        "id": segment.pk,
        "identifier": segment.identifier,
        "name": segment.name,
        "SegmentGroup": {
            "_media-type": "application/vnd.ibexa.api.SegmentGroup+json",
            "_href": reverse("segment-group", kwargs={"identifier": segment.group.identifier}),
        },
    }


def listed(name: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: [{"_media-type": f"application/vnd.ibexa.api.{name}+json", **one} for one in documents]}


@endpoint(GET="segments.view_segmentgroup", POST="segments.add_segmentgroup")
def groups(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        given = body_of(request, "SegmentGroupCreate", required=("identifier", "name"))
        group = changes.create_group(identifier=given["identifier"], name=given["name"])
        return answer(request, "SegmentGroup", group_document(group), status=201)
    documents = [group_document(one) for one in SegmentGroup.objects.all()]
    return answer(request, "SegmentGroupList", listed("SegmentGroup", documents))


@endpoint(
    GET="segments.view_segmentgroup",
    PATCH="segments.change_segmentgroup",
    DELETE="segments.delete_segmentgroup",
)
def group(request: HttpRequest, identifier: str) -> HttpResponse:
    row = found_or_404(queries.group_of(identifier), "segment group", identifier)
    if request.method == "DELETE":
        changes.remove_group(row)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        given = body_of(request, "SegmentGroupUpdate")
        row = changes.change_group(row, identifier=given.get("identifier"), name=given.get("name"))
    return answer(request, "SegmentGroup", group_document(row))


@endpoint(GET="segments.view_segment")
def segments_of_group(request: HttpRequest, identifier: str) -> HttpResponse:
    row = found_or_404(queries.group_of(identifier), "segment group", identifier)
    documents = [segment_document(one) for one in row.segments.select_related("group")]
    return answer(request, "SegmentList", listed("Segment", documents))


@endpoint(POST="segments.add_segment")
def segments(request: HttpRequest) -> HttpResponse:
    given = body_of(request, "SegmentCreate", required=("identifier", "name", "group"))
    row = changes.create_segment(
        group_named(given["group"]), identifier=given["identifier"], name=given["name"]
    )
    return answer(request, "Segment", segment_document(row), status=201)


def group_named(identifier: str) -> SegmentGroup:
    """The group that a body names; its identifier, or the address that answers have."""
    row = queries.group_of(identifier.rpartition("/")[2])
    if row is None:
        raise Problem(HTTPStatus.BAD_REQUEST, f"There is no segment group {identifier[:80]!r}.")
    return row


@endpoint(GET="segments.view_segment", PATCH="segments.change_segment", DELETE="segments.delete_segment")
def segment(request: HttpRequest, identifier: str) -> HttpResponse:
    row = found_or_404(queries.segment_of(identifier), "segment", identifier)
    if request.method == "DELETE":
        changes.remove_segment(row)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        given = body_of(request, "SegmentUpdate")
        group = group_named(given["group"]) if "group" in given else None
        row = changes.change_segment(
            row, identifier=given.get("identifier"), name=given.get("name"), group=group
        )
    return answer(request, "Segment", segment_document(row))


@endpoint(GET="segments.view_segment", POST="segments.change_segment")
def segments_of_user(request: HttpRequest, user: int) -> HttpResponse:
    whom(user)
    if request.method == "POST":
        assign_all(user, wanted(request))
        return HttpResponse(status=204)
    rows = Segment.objects.filter(memberships__user=user).select_related("group")
    href = reverse("segments-of-user", kwargs={"user": user})
    person = {
        "_media-type": "application/vnd.ibexa.api.User+json",
        "_href": href.removesuffix("/segments"),
    }
    documents = [segment_document(one) | {"User": person} for one in rows]
    return answer(request, "UserSegmentList", listed("UserSegment", documents))


def wanted(request: HttpRequest) -> list[Segment]:
    """The segments of the body, all of which must exist."""
    names = inner(request, "UserSegmentAssignInput").get("segments")
    if not isinstance(names, list) or not all(isinstance(one, str) and "\0" not in one for one in names):
        raise Problem(HTTPStatus.BAD_REQUEST, "UserSegmentAssignInput.segments must be a list of texts.")
    if len(names) > MOST_SEGMENTS:
        raise Problem(HTTPStatus.BAD_REQUEST, f"At most {MOST_SEGMENTS} segments at once; got {len(names)}.")
    rows = {
        row.identifier: row for row in Segment.objects.filter(identifier__in=names).select_related("group")
    }
    if missing := [name for name in names if name not in rows]:
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no segment {missing[0][:80]!r}.")
    return list(rows.values())


def assign_all(user: int, rows: list[Segment]) -> None:
    """All or none."""
    for row in rows:
        changes.unlocked(row.group)
    changes.add_members((row.pk, user) for row in rows)


@endpoint(DELETE="segments.change_segment")
def segment_of_user(request: HttpRequest, user: int, identifier: str) -> HttpResponse:  # noqa: ARG001
    whom(user)
    row = found_or_404(queries.segment_of(identifier), "segment", identifier)
    if not Membership.objects.filter(segment=row, user=user).exists():
        raise Problem(HTTPStatus.NOT_FOUND, f"The user {user} is not in the segment {identifier[:80]!r}.")
    changes.unassign(row, [user])
    return HttpResponse(status=204)


def whom(user: int) -> None:
    if not get_user_model()._default_manager.filter(pk=user).exists():
        raise Problem(HTTPStatus.NOT_FOUND, f"There is no user {user}.")
