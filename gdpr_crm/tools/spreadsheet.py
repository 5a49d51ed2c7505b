"""Tables as XLSX files."""

import io
from collections.abc import Iterable, Sequence

import xlsxwriter


def write_table(title: str, headers: Sequence[str], rows: Iterable[Sequence]) -> bytes:
    """Return an XLSX file with one sheet.

    Texts are written as texts, so none is taken for a formula or a link.

    :param title: the sheet's name; cut to the 31 characters that the format allows
    :param headers: one a column
    :param rows: numbers, and anything else as its text; None is left empty
    """
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet(_sheet_name(title))
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for column, header in enumerate(headers):
            sheet.write_string(0, column, header, bold)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    sheet.write_number(number, column, value, wrapped)
                elif value is not None:
                    sheet.write_string(number, column, str(value), wrapped)
        sheet.freeze_panes(1, 0)
        if headers:
            sheet.set_column(0, len(headers) - 1, 28)
    return file.getvalue()


def _sheet_name(title: str) -> str:
    """
    >>> _sheet_name("Who / what: [all]")
    'Who   what   all'
    """
    return "".join(" " if c in "[]:*?/\\'" else c for c in title)[:31].strip() or "1"
