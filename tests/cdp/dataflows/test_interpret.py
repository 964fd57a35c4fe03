"""A file of a source ..."""

from __future__ import annotations

import codecs

import orjson
import pytest

from cdp.dataflows.configuration import Parsing
from cdp.dataflows.faults import DataflowFault
from cdp.dataflows.interpret.detect import detect
from cdp.dataflows.interpret.read import BadRow, read

UMLAUT = "name;ort\nJörg;Köln\nÄnne;Bonn\n"


def detected(body: bytes) -> Parsing:
    found = detect(body)
    assert found is not None
    return found


def test_it_is_recognised_as_an_array_of_objects() -> None:
    body = orjson.dumps([{"id": 1, "name": "Ada"}, {"id": 2}])
    parsing = detected(body)
    assert (parsing.format, parsing.records_path, parsing.encoding) == ("json", "", "utf-8")
    assert read(body, parsing) == [{"id": 1, "name": "Ada"}, {"id": 2}]


def test_it_is_recognised_as_json_lines() -> None:
    body = b'{"id": 1}\n\n{"id": 2}\n'
    parsing = detected(body)
    assert parsing.format == "ndjson"
    assert read(body, parsing) == [{"id": 1}, {"id": 2}]


def test_it_has_no_new_line_where_a_text_has_an_unusual_break() -> None:
    body = '{"id": 1, "note": "a\u2028b\x85c"}\n{"id": 2}'.encode()
    assert detected(body).format == "ndjson"
    assert list(read(body, detected(body))) == [{"id": 1, "note": "a\u2028b\x85c"}, {"id": 2}]


def test_it_finds_the_only_list_of_an_object() -> None:
    body = b'{"meta": {"n": 2}, "rows": [{"id": 1}, {"id": 2}]}'
    parsing = detected(body)
    assert parsing.records_path == "rows"
    assert len(read(body, parsing)) == 2


def test_it_follows_a_path_that_somebody_gave() -> None:
    body = b'{"a": {"b": [{"id": 1}], "c": []}}'
    assert read(body, Parsing(format="json", records_path="a.b")) == [{"id": 1}]
    with pytest.raises(DataflowFault, match="no 'a.x'"):
        read(body, Parsing(format="json", records_path="a.x"))


@pytest.mark.case("D17")
def test_it_has_the_delimiter_that_gives_the_same_number_of_columns() -> None:
    body = b"a;b;c\n1,5;2;3\n1;2;3"
    parsing = detected(body)
    assert (parsing.delimiter, parsing.header, parsing.decimal) == (";", True, ",")
    assert read(body, parsing) == [{"a": "1,5", "b": "2", "c": "3"}, {"a": "1", "b": "2", "c": "3"}]


@pytest.mark.parametrize(
    ("body", "delimiter", "format_"),
    [
        (b"a,b\n1,2\n", ",", "csv"),
        (b"a\tb\n1\t2\n", "\t", "tsv"),
        (b"a|b\n1|2\n", "|", "csv"),
        (b'name,text\nx,"one, two; three"\ny,"a ""quoted"" word"\n', ",", "csv"),
    ],
)
def test_it_is_recognised_as_delimited_text(body: bytes, delimiter: str, format_: str) -> None:
    parsing = detected(body)
    assert (parsing.delimiter, parsing.format) == (delimiter, format_)


@pytest.mark.parametrize(
    "body", [b"just some words of a letter\nand another line\n", b"{broken", b"[1, 2", b""]
)
def test_it_is_for_a_person_to_say_what_it_is(body: bytes) -> None:
    assert detect(body) is None


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (UMLAUT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + UMLAUT.encode(), "utf-8-sig"),
        (UMLAUT.encode("windows-1252"), "windows-1252"),
        (UMLAUT.encode("utf-16"), "utf-16"),
    ],
)
def test_it_is_read_in_the_encoding_that_it_has(body: bytes, encoding: str) -> None:
    parsing = detected(body)
    assert parsing.encoding == encoding
    assert read(body, parsing)[0] == {"name": "Jörg", "ort": "Köln"}


def test_it_is_refused_when_it_is_no_text() -> None:
    with pytest.raises(DataflowFault) as fault:
        detect(b"\x81\x8d\xff\x00\xfe")
    assert fault.value.code == "undecodable"


@pytest.mark.case("D21")
def test_it_has_no_rows_for_blank_lines() -> None:
    body = b"a,b\n\n1,2\n   \n,\n3,4\n\n"
    assert read(body, detected(body)) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_it_names_columns_itself_where_there_is_no_header() -> None:
    body = b"1,Ada\n2,Bob\n"
    parsing = detected(body)
    assert parsing.header is False
    assert read(body, parsing)[0] == {"column_1": "1", "column_2": "Ada"}


def test_it_reads_empty_cells_and_null_tokens_as_nothing() -> None:
    body = b"a,b,c\n1,,NULL\n"
    assert read(body, detected(body)) == [{"a": "1", "b": None, "c": "NULL"}]
    parsing = detected(body).model_copy(update={"null_tokens": ("NULL",)})
    assert read(body, parsing) == [{"a": "1", "b": None, "c": None}]


def test_it_fills_short_rows_and_refuses_long_ones() -> None:
    body = b"a,b\n1,2\n3\n4,5,6\n7,8\n"
    rows = read(body, detected(body))
    assert rows[1] == {"a": "3", "b": None}
    assert isinstance(rows[2], BadRow)
    assert rows[2].code == "ragged_row"
    assert rows[3] == {"a": "7", "b": "8"}


def test_it_skips_rows_and_unescapes_as_it_is_told() -> None:
    body = b"exported today\nby us\nname|text\nAda|'it\\'s'\n"
    parsing = Parsing(format="csv", delimiter="|", quote="'", escape="backslash", skip_rows=2)
    assert read(body, parsing) == [{"name": "Ada", "text": "it's"}]


@pytest.mark.parametrize(
    ("body", "parsing", "code"),
    [
        (b"a,a\n1,2\n", Parsing(format="csv"), "duplicate_header"),
        (b"[1, 2", Parsing(format="json"), "unrecognized_format"),
        (b'"text"', Parsing(format="json"), "unrecognized_format"),
        (
            ",".join(f"c{n}" for n in range(501)).encode() + b"\n1\n",
            Parsing(format="csv"),
            "too_many_columns",
        ),
        ("a,b\nJörg,1".encode("windows-1252"), Parsing(format="csv"), "undecodable"),
    ],
)
def test_it_is_refused_as_a_whole(body: bytes, parsing: Parsing, code: str) -> None:
    with pytest.raises(DataflowFault) as fault:
        read(body, parsing)
    assert fault.value.code == code


def test_its_rows_that_are_no_objects_leave_the_others_alone() -> None:
    rows = read(b'[{"a": 1}, 2, [3]]', Parsing())
    assert rows[0] == {"a": 1}
    assert [one.code for one in rows[1:] if isinstance(one, BadRow)] == ["not_object", "not_object"]
    lines = read(b'{"a": 1}\nnonsense\n', Parsing(format="ndjson"))
    assert isinstance(lines[1], BadRow)


def test_its_rows_that_are_too_deep_leave_the_others_alone() -> None:
    def body(depth: int) -> bytes:
        return b'[{"a": 1}, {"a": ' + b"[" * depth + b"]" * depth + b"}]"

    assert not isinstance(read(body(63), Parsing())[1], BadRow)
    for depth in (64, 1000):
        good, bad = read(body(depth), Parsing())
        assert good == {"a": 1}
        assert isinstance(bad, BadRow)
        assert bad.code == "too_deep"


def test_its_lines_end_where_json_lines_end() -> None:
    rows = read('{"a": "x\u2028y\x85z"}\n{"a": "b"}\n'.encode(), Parsing(format="ndjson"))
    assert rows == [{"a": "x\u2028y\x85z"}, {"a": "b"}]
