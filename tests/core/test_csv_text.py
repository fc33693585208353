"""Tables as spreadsheets and exporters write them."""

from __future__ import annotations

import pytest

from provisioning.core.formats.csv_text import BadCsv, read_csv


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nname;kind\na,b;c\n",
        "SEP=;\r\nname;kind\r\na,b;c\r\n",
        '\ufeff"sep=;"\nname;kind\na,b;c\n',
        "sep=\t\nname\tkind\na,b\tc\n",
    ],
)
def test_a_line_that_names_the_separator_is_obeyed_and_not_counted(text: str) -> None:
    for data in (text.encode(), text.removeprefix("\ufeff").encode("utf-16")):
        header, [row] = read_csv(data, 10)
        assert header == ["name", "kind"] and row.number == 2 and row.cells == {"name": "a,b", "kind": "c"}


def test_empty_rows_before_the_header_are_counted_and_left_out() -> None:
    header, [row] = read_csv(b"\n;;\nname;kind\na;b\n", 10)
    assert header == ["name", "kind"] and row.number == 4
    with pytest.raises(BadCsv) as caught:
        read_csv(b"\n\nname,name\n", 10)
    assert caught.value.line == 3


@pytest.mark.parametrize("data", [b"", b"\n\n", b"sep=;", b"sep=;\n"])
def test_a_table_without_a_header_is_refused(data: bytes) -> None:
    with pytest.raises(BadCsv, match="empty"):
        read_csv(data, 10)
