"""Tables as XLSX files: values only, never a formula."""

import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import xlsxwriter

FORMATS = {
    "text": {"text_wrap": True, "valign": "top"},
    "number": {"valign": "top"},
    "percent": {"num_format": "0.0 %", "valign": "top"},
    "date": {"num_format": "yyyy-mm-dd", "valign": "top"},
}


class Column(NamedTuple):
    """A column's heading, what it holds (a key of ``FORMATS``) and its width."""

    heading: str
    kind: str = "text"
    width: int = 28


class Sheet(NamedTuple):
    """A sheet's title (cut to the 31 characters allowed), its columns and rows."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence]


def write_table(title: str, headers: Sequence[str], rows: Iterable[Sequence]) -> bytes:
    """Return an XLSX file with one sheet.

    :param title: the sheet's name
    :param headers: one a column
    :param rows: numbers, and anything else as its text; None is left empty
    """
    return write_sheets([Sheet(title, [Column(header) for header in headers], rows)])


def write_sheets(sheets: Iterable[Sheet]) -> bytes:
    """Return an XLSX file with these sheets.

    Texts are written as texts, so none is taken for a formula or a link.
    """
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        formats = {kind: book.add_format(values) for kind, values in FORMATS.items()}
        for sheet in sheets:
            page = book.add_worksheet(_sheet_name(sheet.title))
            page.freeze_panes(1, 0)
            for number, column in enumerate(sheet.columns):
                page.set_column(number, number, column.width)
                page.write_string(0, number, column.heading, bold)
            styles = [formats[column.kind] for column in sheet.columns]
            for number, row in enumerate(sheet.rows, 1):
                for column, value in enumerate(row):
                    _write_cell(page, number, column, value, styles[column])
    return file.getvalue()


def _write_cell(page, row: int, column: int, value: object, style) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        page.write_number(row, column, value, style)
    elif isinstance(value, date):
        page.write_datetime(row, column, value, style)
    elif value is not None:
        page.write_string(row, column, str(value), style)


def _sheet_name(title: str) -> str:
    """
    >>> _sheet_name("Who / what: [all]")
    'Who   what   all'
    """
    return "".join(" " if c in "[]:*?/\\'" else c for c in title)[:31].strip() or "1"
