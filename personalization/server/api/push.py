"""The item API's other half: items, transfers and editorial lists in XML (engine-protocol.md 2.1 to 2.7)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from config.customers.directory import CustomerAccount
from personalization.server import editorial
from personalization.server.api.answers import Refusal, authenticated
from personalization.server.api.documents import versioned, xml_body
from personalization.server.items import push, pushed, transfers
from personalization.server.items.revisions import Key
from personalization.server.items.xml import attribute

XML = "application/xml; charset=utf-8"
DEFAULT_LIST = "editorial_list"


@csrf_exempt
def items(request: HttpRequest, customer_id: str) -> HttpResponse:
    """``POST /api/<customer>/item``: 202 once all items of the document are stored."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        account = authenticated(request, customer_id)
        root = versioned(xml_body(request, root="items"))
        runs = push.take(account, pushed.read(root, alphanumeric=account.alphanumeric_items))
    except Refusal as refusal:
        return refusal.response()
    except pushed.Wrong as fault:
        return Refusal(400, str(fault)).response()
    return JsonResponse({"imports": [run.pk for run in runs]}, status=202)


def schema(request: HttpRequest, customer_id: str) -> HttpResponse:  # noqa: ARG001 - the same for everybody
    """``GET /api/00000/item/schema.xsd``: the schema of the items document."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return HttpResponse(schema_text(), content_type=XML)


@cache
def schema_text() -> bytes:
    return (Path(__file__).parent / "items.xsd").read_bytes()


@csrf_exempt
def transferred(request: HttpRequest, customer_id: str) -> HttpResponse:
    """``POST /api/<customer>/transferitems``: 202 once events of the sources count for their targets."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        account = authenticated(request, customer_id)
        transfers.transfer(account.customer_id, read_transfers(xml_body(request, root="transfers"), account))
    except Refusal as refusal:
        return refusal.response()
    except pushed.Wrong as fault:
        return Refusal(400, str(fault)).response()
    return HttpResponse(status=202)


def read_transfers(root: Element, account: CustomerAccount) -> list[tuple[Key, Key]]:
    """Source and target of every transfer."""
    if len(root) > transfers.MOST:
        raise Refusal(400, f"At most {transfers.MOST} items are transferred at once; got {len(root)}.")
    found = []
    for number, one in enumerate(root, 1):
        source, target = (ends(one, name, number, account) for name in ("sourceitem", "targetitem"))
        if source == target:
            raise Refusal(400, f"Transfer {number}: source and target are the same item {source[1]}.")
        found.append((source, target))
    return found


def ends(transfer: Element, name: str, number: int, account: CustomerAccount) -> Key:
    given = transfer.find(name)
    if transfer.tag != "transfer" or given is None:
        raise Refusal(400, f"Transfer {number} must be a transfer element with sourceitem and targetitem.")
    return key_of(given.get("type", ""), given.get("id", ""), f"Transfer {number}, {name}", account)


def key_of(kind: str, item_id: str, place: str, account: CustomerAccount) -> Key:
    checked = pushed.checked_id(item_id, place, alphanumeric=account.alphanumeric_items)
    return pushed.whole(kind, f"{place}: type"), checked


@csrf_exempt
def editorial_list(request: HttpRequest, customer_id: str, code: str = DEFAULT_LIST) -> HttpResponse:
    """``POST``, ``GET`` and ``DELETE`` of ``/<product>/<customer>/editoriallist[/<referencecode>]``."""
    if request.method not in ("POST", "GET", "HEAD", "DELETE"):
        return HttpResponseNotAllowed(["POST", "GET", "HEAD", "DELETE"])
    try:
        account = authenticated(request, customer_id)
        if request.method == "POST":
            return store_list(request, account, code)
        if request.method == "DELETE":
            if not editorial.remove(account.customer_id, code):
                raise Refusal(404, f"There is no editorial list {code[:64]!r}.")
            return HttpResponse(status=202)
        entries = editorial.stored(account.customer_id, code)
        if entries is None:
            raise Refusal(404, f"There is no editorial list {code[:64]!r}.")
    except Refusal as refusal:
        return refusal.response()
    except (pushed.Wrong, editorial.WrongList) as fault:
        return Refusal(400, str(fault)).response()
    return HttpResponse(list_document(code, entries), content_type=XML)


def store_list(request: HttpRequest, account: CustomerAccount, code: str) -> HttpResponse:
    root = versioned(xml_body(request, root="editoriallist"))
    named = root.get("referencecode", code)
    if not editorial.NAME.fullmatch(named):
        raise Refusal(400, f"A referencecode has 1 to 64 letters, digits, _ and -; got {named[:80]!r}.")
    editorial.replace(account.customer_id, named, list(read_list(root, account)))
    return HttpResponse(status=202)


def read_list(root: Element, account: CustomerAccount) -> Iterable[editorial.Entry]:
    for number, one in enumerate(root, 1):
        place = f"List item {number}"
        if one.tag != "listitem":
            raise Refusal(400, f"{place} must be a listitem element; got {one.tag[:80]!r}.")
        relevance = one.get("relevance", "1")
        if not (relevance.isascii() and relevance.isdigit() and len(relevance) <= 9):
            raise Refusal(400, f"{place}: relevance must be a natural number; got {relevance[:40]!r}.")
        kind, item_id = key_of(one.get("itemtype", ""), one.get("itemid", ""), place, account)
        yield kind, item_id, int(relevance)


def list_document(code: str, entries: list[editorial.Entry]) -> str:
    lines = "".join(
        f'<listitem itemid={attribute(item)} itemtype="{kind}" relevance="{relevance}"/>'
        for kind, item, relevance in entries
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}\n<editoriallist version="1" referencecode={attribute(code)}>{lines}</editoriallist>\n'
