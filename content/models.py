"""Page types of the demo site, and the tables of the read model.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey
from taggit.models import TaggedItemBase
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel
from wagtail.fields import RichTextField
from wagtail.models import Orderable, Page, TranslatableMixin

from content.blocks import BodyField
from content.items.record import Announcement, ContentId, DirtyItem, Item
from content.items.types import item_type
from content.route import descend

__all__ = [
    "Announcement",
    "ArticlePage",
    "ContentId",
    "DirtyItem",
    "FolderPage",
    "HomePage",
    "Item",
    "PlacePage",
    "ProductPage",
    "ProductVariant",
]


def page_pointer() -> models.OneToOneField:  # type: ignore[type-arg]
    """What Django makes by itself, under a name that the pages of a site which joins do not have.

    `Page.homepage` and `Page.articlepage` belong to them: two pages of one class name are an error otherwise.
    """
    return models.OneToOneField(
        Page,
        on_delete=models.CASCADE,
        parent_link=True,
        auto_created=True,
        related_name="%(app_label)s_%(class)s",
    )


def image_field() -> models.ForeignKey:  # type: ignore[type-arg]
    # SET_NULL: deleting a picture must not delete what it illustrates.
    return models.ForeignKey(
        "wagtailimages.Image",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("image"),
    )


def price_field() -> models.DecimalField:  # type: ignore[type-arg]
    return models.DecimalField(
        max_digits=10,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
        verbose_name=_("price"),
    )


class HomePage(Page):  # type: ignore[misc]
    page_ptr = page_pointer()
    tagline = models.CharField(_("tagline"), max_length=255, blank=True)
    intro = RichTextField(_("introduction"), blank=True)
    image = image_field()

    template = "pages/home.html"
    content_panels = [*Page.content_panels, FieldPanel("tagline"), FieldPanel("intro"), FieldPanel("image")]

    class Meta:
        verbose_name = _("home page")

    def route(self, request: HttpRequest, path_components: list[str]) -> Any:
        page, rest = descend(self, path_components)
        return super().route(request, rest) if page is self else page.specific.route(request, rest)


class FolderPage(Page):  # type: ignore[misc]
    page_ptr = page_pointer()
    """A category: its page id is a step in the location paths of everything below it."""

    intro = RichTextField(_("introduction"), blank=True)
    image = image_field()

    template = "pages/folder.html"
    content_panels = [*Page.content_panels, FieldPanel("intro"), FieldPanel("image")]

    class Meta:
        verbose_name = _("folder")


class ArticleTag(TaggedItemBase):  # type: ignore[misc]
    content_object = ParentalKey("ArticlePage", on_delete=models.CASCADE, related_name="tagged_items")


class PlaceTag(TaggedItemBase):  # type: ignore[misc]
    content_object = ParentalKey("PlacePage", on_delete=models.CASCADE, related_name="tagged_items")


class ProductTag(TaggedItemBase):  # type: ignore[misc]
    content_object = ParentalKey("ProductPage", on_delete=models.CASCADE, related_name="tagged_items")


@item_type(
    "article",
    id=39,
    fields={
        "title": "title",
        "intro": "intro",
        "body": "body",
        "image": "image",
        "caption": "caption",
        "authors_position": "authors_position",
        "tags": "tags",
        "publication_date": "publication_date",
        "reading_minutes": "reading_minutes",
    },
)
class ArticlePage(Page):  # type: ignore[misc]
    page_ptr = page_pointer()
    intro = RichTextField(_("introduction"), blank=True)
    image = image_field()
    caption = RichTextField(_("caption"), blank=True)
    body = BodyField(blank=True, verbose_name=_("body"))
    author = models.CharField(_("author"), max_length=255, blank=True)
    authors_position = models.CharField(_("position of the author"), max_length=255, blank=True)
    tags = ClusterTaggableManager(through=ArticleTag, blank=True)
    publication_date = models.DateTimeField(_("publication date"), default=timezone.now)
    reading_minutes = models.PositiveSmallIntegerField(_("reading time in minutes"), default=5)

    template = "pages/article.html"
    content_panels = [
        *Page.content_panels,
        FieldPanel("intro"),
        MultiFieldPanel([FieldPanel("image"), FieldPanel("caption")], heading=_("Picture")),
        FieldPanel("body"),
        MultiFieldPanel([FieldPanel("author"), FieldPanel("authors_position")], heading=_("Author")),
        FieldPanel("tags"),
        FieldPanel("publication_date"),
        FieldPanel("reading_minutes"),
    ]

    class Meta:
        verbose_name = _("article")


@item_type(
    "place",
    id=38,
    fields={
        "name": "title",
        "intro": "intro",
        "description": "description",
        "image": "image",
        "caption": "caption",
        "location": "location",
        "latitude": "latitude",
        "longitude": "longitude",
        "authors_position": "authors_position",
        "tags": "tags",
        "rating": "rating",
        "publication_date": "publication_date",
        "metas": "metas",
    },
)
class PlacePage(Page):  # type: ignore[misc]
    page_ptr = page_pointer()
    intro = RichTextField(_("introduction"), blank=True)
    description = RichTextField(_("description"), blank=True)
    image = image_field()
    caption = RichTextField(_("caption"), blank=True)
    location = models.CharField(_("location"), max_length=255, blank=True)
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        _("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    author = models.CharField(_("author"), max_length=255, blank=True)
    authors_position = models.CharField(_("position of the author"), max_length=255, blank=True)
    tags = ClusterTaggableManager(through=PlaceTag, blank=True)
    rating = models.PositiveSmallIntegerField(_("rating"), default=0, validators=[MaxValueValidator(5)])
    publication_date = models.DateTimeField(_("publication date"), default=timezone.now)
    metas = models.TextField(_("meta tags"), blank=True)

    template = "pages/place.html"
    content_panels = [
        *Page.content_panels,
        FieldPanel("intro"),
        FieldPanel("description"),
        MultiFieldPanel([FieldPanel("image"), FieldPanel("caption")], heading=_("Picture")),
        MultiFieldPanel(
            [FieldPanel("location"), FieldPanel("latitude"), FieldPanel("longitude")], heading=_("Location")
        ),
        MultiFieldPanel([FieldPanel("author"), FieldPanel("authors_position")], heading=_("Author")),
        FieldPanel("tags"),
        FieldPanel("rating"),
        FieldPanel("publication_date"),
    ]
    promote_panels = [*Page.promote_panels, FieldPanel("metas")]

    class Meta:
        verbose_name = _("place")


@item_type(
    "product",
    id=40,
    fields={
        "name": "title",
        "subtitle": "subtitle",
        "description": "description",
        "image": "image",
        "sku": "sku",
        "price": "price",
        "currency": "currency",
        "brand": "brand",
        "color": "color",
        "tags": "tags",
        "variants": "variants",
    },
    author="",
)
class ProductPage(Page):  # type: ignore[misc]
    page_ptr = page_pointer()
    subtitle = models.CharField(_("subtitle"), max_length=255, blank=True)
    description = RichTextField(_("description"), blank=True)
    image = image_field()
    sku = models.CharField(_("article number (SKU)"), max_length=64, blank=True)
    price = price_field()
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="EUR",
        validators=[RegexValidator(r"^[A-Z]{3}\Z", _("Write the currency as three capital letters."))],
    )
    brand = models.CharField(_("brand"), max_length=255, blank=True)
    color = models.CharField(_("colour"), max_length=64, blank=True)
    tags = ClusterTaggableManager(through=ProductTag, blank=True)

    template = "pages/product.html"
    content_panels = [
        *Page.content_panels,
        FieldPanel("subtitle"),
        FieldPanel("description"),
        FieldPanel("image"),
        MultiFieldPanel([FieldPanel("sku"), FieldPanel("price"), FieldPanel("currency")], heading=_("Shop")),
        FieldPanel("brand"),
        FieldPanel("color"),
        FieldPanel("tags"),
        InlinePanel("variants", heading=_("Variants"), label=_("Variant")),
    ]

    class Meta:
        verbose_name = _("product")
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gte=0), name="product_price_not_negative")
        ]


class ProductVariant(TranslatableMixin, Orderable):  # type: ignore[misc]
    """One thing a visitor can put into the basket: a size, a colour."""

    page = ParentalKey(ProductPage, on_delete=models.CASCADE, related_name="variants")
    name = models.CharField(_("name"), max_length=255)
    sku = models.CharField(_("article number (SKU)"), max_length=64)
    price = price_field()
    color = models.CharField(_("colour"), max_length=64, blank=True)
    size = models.CharField(_("size"), max_length=64, blank=True)

    panels = [FieldPanel(name) for name in ("name", "sku", "price", "color", "size")]

    class Meta(TranslatableMixin.Meta, Orderable.Meta):  # type: ignore[misc]
        verbose_name = _("product variant")
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gte=0), name="variant_price_not_negative")
        ]

    def __str__(self) -> str:
        return self.name
