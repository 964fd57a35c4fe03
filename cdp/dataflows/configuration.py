"""The settings of a dataflow as one document: what is saved, tested and put in force as a whole."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cdp.dataflows.faults import DataflowFault

COLUMN_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
MOST_COLUMNS = 500

Type = Literal["string", "integer", "decimal", "boolean", "date", "datetime", "array", "object"]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "windows-1252", "iso-8859-1")


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parsing(Part):
    """How bytes become rows."""

    format: Literal["json", "ndjson", "csv", "tsv"] = "json"
    records_path: str = Field(default="", max_length=200)
    encoding: Literal["utf-8", "utf-8-sig", "utf-16", "windows-1252", "iso-8859-1"] = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: Literal['"', "'"] = '"'
    escape: Literal["doubled", "backslash"] = "doubled"
    header: bool = True
    skip_rows: int = Field(default=0, ge=0, le=100)
    null_tokens: tuple[Annotated[str, Field(max_length=32)], ...] = ()
    decimal: Literal[".", ","] = "."
    date_formats: tuple[Annotated[str, Field(max_length=64)], ...] = ()


class Column(Part):
    """A column of the source: where it comes from, and what it is called and taken for from here on."""

    source: str
    name: str
    type: Type = "string"
    hint: str = ""
    mandatory: bool = False
    included: bool = True


class Transformation(Part):
    """Makes a column out of others; ``output`` may be one of its inputs, which it then replaces."""

    function: str
    inputs: tuple[str, ...] = Field(min_length=1, max_length=20)
    params: dict[str, Any] = Field(default_factory=dict)
    output: str
    on_error: Literal["error", "null", "keep"] = "error"


class Mapping(Part):
    """What fills a schema. ``fields``: field of the schema -> column."""

    schema_id: int
    write_mode: Literal["append", "overwrite"] | None = None
    allow_empty: bool = False
    fields: dict[str, str] = Field(default_factory=dict)


class Configuration(Part):
    version: Literal[1] = 1
    parsing: Parsing | None = None
    columns: tuple[Column, ...] = ()
    ignore_missing: bool = False
    transformations: tuple[Transformation, ...] = ()
    mappings: tuple[Mapping, ...] = ()

    @property
    def by_name(self) -> dict[str, Column]:
        return {one.name: one for one in self.columns if one.included}


def load(document: dict[str, Any] | None) -> Configuration:
    """The document of a row. Raises :class:`DataflowFault` for one that no version of ours wrote."""
    try:
        return Configuration.model_validate(document or {})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in fault["loc"])
        raise DataflowFault("bad_configuration", f"{path}: {fault['msg']}.") from None


def dump(configuration: Configuration) -> dict[str, Any]:
    return configuration.model_dump(mode="json")


def hash_of(configuration: Configuration, schemas: Any = None) -> str:
    """Changes whenever something changes that a test would have to see. ``schemas``: their definitions."""
    document = {"configuration": dump(configuration), "schemas": schemas}
    return sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
