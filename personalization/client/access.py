"""Who may fetch what: the credentials that the engine presents.

Reference `client-protocol.md` 4.3, with its inverted checks (W-09) put right.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from django.http import HttpRequest

from config import site_access
from config.site_access import SiteAccess
from personalization.client import tokens
from personalization.client.export import files, htpasswd
from personalization.client.export.announce import password_digest
from personalization.client.models import AccessToken, ExportRun


def readable_sites(request: HttpRequest) -> list[SiteAccess] | None:
    """The sites whose items the caller may read; None when the credentials are wrong or absent.

    A token, also as the password of ``token``, opens the sites of its customer, a configured export login
    those that name it. Sites with the method ``none`` are open to everybody, whatever else is presented.
    """
    sites = site_access.configured_sites()
    login = basic_of(request)
    token = bearer_of(request) or (login[1] if login and login[0] == tokens.LOGIN else "")
    customer_id = tokens.customer_of(token, identifier=AccessToken.UPDATE) if token else None
    if customer_id is not None:
        return [site for site in sites if str(site.customer_id) == customer_id]
    if login and (found := [site for site in sites if same_login(site, *login)]):
        return found
    return [site for site in sites if site.export_method == "none"] or None


def may_download(request: HttpRequest, run: ExportRun) -> bool:
    """Whether the caller may fetch the files of this run."""
    site = site_of(run)
    if site is not None and site.export_method == "none":
        return True
    token = bearer_of(request)
    if token:
        return tokens.customer_of(token, identifier=AccessToken.EXPORT) == run.customer_id
    login = basic_of(request)
    if login is None:
        return False
    if run.password_hash and same(login[0], run.login) & same(password_digest(login[1]), run.password_hash):
        return True
    if not run.password_hash and site is not None and same_login(site, *login):
        return True
    return htpasswd.accepts(files.absolute(run.folder), login=login[0], password=login[1])


def site_of(run: ExportRun) -> SiteAccess | None:
    names = run.options.get("sites", [])
    return next((site for site in site_access.configured_sites() if site.name in names), None)


def same_login(site: SiteAccess, login: str, password: str) -> bool:
    if not (site.export_login and site.export_password):
        return False
    return same(login, site.export_login) & same(password, site.export_password)


def same(offered: str, known: str) -> bool:
    return hmac.compare_digest(offered.encode("utf-8", "replace"), known.encode())


def bearer_of(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def basic_of(request: HttpRequest) -> tuple[str, str] | None:
    """Login and password of HTTP basic authentication, None if there are none or they are unreadable."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    login, colon, password = text.partition(":")
    return (login, password) if colon else None
