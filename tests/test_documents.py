"""Reading files and taking identifiers out of them, without Odoo's database."""

import contextlib
import io
import unittest
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.gdpr_crm.tools import personal_fields
from odoo.addons.gdpr_crm.tools.documents import (
    UnreadableError,
    extract_text,
    is_email,
    rewrite,
)
from odoo.addons.gdpr_crm.tools.redaction import (
    Identifiers,
    compile_identifiers,
    split_number,
)

PATTERN = compile_identifiers(["jo.doe@x.example"])
WORDS = st.text("abcdefghij é,;\n", max_size=40)


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


class TestDocuments(unittest.TestCase):
    @given(content=st.binary(max_size=300))
    def test_any_bytes_are_read_or_refused_cleanly(self, content):
        with contextlib.suppress(UnreadableError):
            self.assertIsInstance(extract_text(content), str)
        rewrite(content, PATTERN)

    @given(before=WORDS, after=WORDS)
    @settings(deadline=None)
    def test_what_comes_back_never_holds_the_identifier(self, before, after):
        text = f"{before} jo.doe@x.example {after}"
        for content in (
            text.encode(),
            zipped({"a.csv": text}),
            zipped({"b.zip": zipped({"c.txt": text})}),
        ):
            changed = rewrite(content, PATTERN)
            self.assertIsNotNone(changed)
            self.assertNotIn("jo.doe", extract_text(changed))

    @given(text=WORDS)
    def test_file_without_the_person_keeps_its_text(self, text):
        self.assertEqual(rewrite(text.encode(), PATTERN), text.encode())

    def test_bomb_and_damage_are_refused(self):
        with self.assertRaises(UnreadableError):
            extract_text(zipped({"a": b"x"})[:-10])
        deep = b"x"
        for _level in range(6):
            deep = zipped({"a.zip": deep})
        with self.assertRaises(UnreadableError):
            extract_text(deep)

    def test_mail_without_a_known_header_is_plain_text(self):
        self.assertFalse(is_email(b"Note: buy milk\n\nbody"))
        self.assertTrue(is_email(b"Received: x\r\nDate: y\r\n\r\nbody"))

    @given(national=st.integers(600000000, 799999999))
    def test_number_is_the_same_however_it_is_written(self, national):
        digits = str(national)
        forms = (f"+33{digits}", f"0033 {digits}", f"+33 (0){digits}", f"0{digits}")
        self.assertEqual({split_number(form)[0] for form in forms}, {digits})

    def test_nothing_known_matches_nothing(self):
        self.assertFalse(Identifiers())
        self.assertIsNone(Identifiers().compile())

    @given(name=st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=20))
    def test_custom_prefix_changes_no_judgement(self, name):
        plain = personal_fields.personal_kind(name, "char")
        self.assertEqual(personal_fields.personal_kind(f"x_{name}", "char"), plain)
