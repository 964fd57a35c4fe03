"""The webhooks of this installation's own sites, as the sites file has them: nobody has to copy a secret."""

from __future__ import annotations

from dataclasses import dataclass, field

from cdp import configuration
from cdp.profiles.models import Account
from config import site_access
from config.http.own import own_base

PATH = "/cdp/webhook"


@dataclass(frozen=True, kw_only=True)
class OwnSite:
    """What an activation towards a site of ours needs; ``name`` of the site, for people."""

    name: str
    base_url: str
    client_id: str
    segment_group_identifier: str
    secret: str = field(repr=False)

    def config(self) -> dict[str, str]:
        """The settings of the target ``ibexa``."""
        return {
            "base_url": self.base_url,
            "client_id": self.client_id,
            "segment_group_identifier": self.segment_group_identifier,
        }


def of(account: Account) -> list[OwnSite]:
    """Those whose entry of the sites file names the account: people of one account never get elsewhere.

    One that takes signed requests only is left out: activations towards a site send its secret, no signature.
    """
    found = configuration.current()
    if not any(part.account_number == account.number for part in found.sites.values()):
        return []
    entries = {entry.name: entry for entry in site_access.configured_sites()}
    sites = []
    for name, part in found.sites.items():
        entry = entries.get(name)
        for one in part.activations if part.account_number == account.number else ():
            if one.signing_secret or found.activations.get(one.client_id) != one:
                continue
            base = entry.host_uri if entry else own_base()
            sites.append(
                OwnSite(
                    name=entry.site_name if entry else name,
                    base_url=f"{base}{PATH}",
                    client_id=one.client_id,
                    segment_group_identifier=one.segment_group_identifier,
                    secret=one.client_secret[0],
                )
            )
    return sites


def find(account: Account, client_id: str) -> OwnSite | None:
    return next((one for one in of(account) if one.client_id == client_id), None)
