"""The fixtures of the connector and of the magazine; every test here works with both."""

from tests.content.conftest import magazine, news, picture
from tests.personalization.client.conftest import engine, export_root, make_items, site_id, sites_file

__all__ = ["engine", "export_root", "magazine", "make_items", "news", "picture", "site_id", "sites_file"]
