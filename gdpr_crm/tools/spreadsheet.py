"""Plain XLSX files: values only, never a formula, in constant memory."""

import io
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

TITLE_MAX = 31
TITLE_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
FORMATS = {
    "percent": {"num_format": "0.0 %"},
    "date": {"num_format": "yyyy-mm-dd"},
    "text": {"text_wrap": True, "valign": "top"},
    "number": {},
}


class Column(NamedTuple):
    """A column's heading, what it holds (a key of ``FORMATS``) and its width."""

    heading: str
    kind: str = "text"
    width: int = 18


class Sheet(NamedTuple):
    """A sheet's title, its columns and its rows."""

    title: str
    columns: list[Column]
    rows: Iterable[Iterable[object]]


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """Return an XLSX file with these sheets.

    A text that begins like a formula stays a text: what people typed can't be
    executed by who opens the file.
    """
    import xlsxwriter  # noqa: PLC0415  comes with Odoo, and is slow to import

    output = io.BytesIO()
    # rows go to a temporary file: memory doesn't grow with their number
    book = xlsxwriter.Workbook(output, {"constant_memory": True})
    heading = book.add_format({"bold": True, "bg_color": "#e9ecef", "text_wrap": True})
    formats = {kind: book.add_format(values) for kind, values in FORMATS.items()}
    for sheet in sheets:
        page = book.add_worksheet(sheet.title.translate(TITLE_FORBIDDEN)[:TITLE_MAX])
        page.freeze_panes(1, 0)
        for number, column in enumerate(sheet.columns):
            page.set_column(number, number, column.width)
            page.write_string(0, number, column.heading, heading)
        for row_number, row in enumerate(sheet.rows, 1):
            for number, (column, value) in enumerate(
                zip(sheet.columns, row, strict=True)
            ):
                _write(page, row_number, number, value, formats[column.kind])
    book.close()
    return output.getvalue()


def _write(page, row: int, column: int, value: object, style) -> None:
    if value is None or value is False:
        page.write_blank(row, column, None, style)
    elif isinstance(value, datetime | date):
        page.write_datetime(row, column, value, style)
    elif isinstance(value, int | float):
        page.write_number(row, column, value, style)
    else:
        page.write_string(row, column, str(value), style)
