import re
import unittest

from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.gdpr_crm.tools.redaction import (
    compile_identifiers,
    redact,
    redact_json,
)

TEXTS = st.text(max_size=60)
DIGITS = st.text("123456789", min_size=9, max_size=9)
SEPARATORS = st.sampled_from(["", " ", ".", "-", "/", "\u00a0"])
EMAILS = st.from_regex(r"\A[a-z]{2,8}\.[a-z]{2,8}@[a-z]{3,8}\.(com|fr|eu)\Z")


class TestRedaction(unittest.TestCase):
    def assertRedacted(self, text, expected, **identifiers):
        self.assertEqual(redact(text, compile_identifiers(**identifiers)), expected)

    def test_address_goes_in_every_letter_case_and_form(self):
        self.assertRedacted(
            'Jo <JO.Doe@X.example>, "jo.doe@x.example"; mailto:jo.doe@x.example.',
            'Jo <[…]>, "[…]"; mailto:[…].',
            emails=["jo.doe@x.example"],
        )

    def test_longer_address_that_contains_it_stays(self):
        text = "ajo@x.example jo@x.example-two.com mar.jo@x.example"
        self.assertRedacted(text, text, emails=["jo@x.example"])

    def test_escaped_line_end_hides_nothing(self):
        self.assertRedacted(
            r"DESCRIPTION:\nJo Doemann\nJo Doe\njo@x.example",
            r"DESCRIPTION:\nJo Doemann\n[…]\n[…]",
            emails=["jo@x.example"],
            names=["Jo Doe"],
        )

    def test_number_goes_in_every_form(self):
        for form in (
            "0612345678",
            "06 12 34 56 78",
            "06.12.34.56.78",
            "+33 6 12 34 56 78",
            "0033612345678",
            "+33 (0)6 12 34 56 78",
        ):
            self.assertRedacted(f"({form})", "([…])", phones=["+33612345678"])

    def test_longer_number_that_contains_it_stays(self):
        text = "SIRET 98612345678901"
        self.assertRedacted(text, text, phones=["+33612345678"])

    def test_name_goes_as_whole_words_only(self):
        self.assertRedacted(
            "JEANNE  martin and Jeanne Martineau",
            "[…] and Jeanne Martineau",
            names=["Jeanne Martin"],
        )

    def test_single_or_short_name_is_no_identifier(self):
        self.assertIsNone(compile_identifiers(names=["Rose", "Jo X"], phones=["1234"]))

    @given(before=TEXTS, after=TEXTS, email=EMAILS)
    def test_no_address_survives_between_spaces(self, before, after, email):
        result = redact(f"{before} {email} {after}", compile_identifiers([email]))
        self.assertNotIn(f" {email} ", result)

    @given(digits=DIGITS, separator=SEPARATORS, sizes=st.lists(st.integers(1, 4)))
    def test_no_grouping_of_a_number_survives(self, digits, separator, sizes):
        groups, rest = [], digits
        for size in sizes:
            groups.append(rest[:size])
            rest = rest[size:]
        number = separator.join(filter(None, [*groups, rest]))
        result = redact(
            f"tel {number} end", compile_identifiers(phones=["+33" + digits])
        )
        self.assertEqual(result, "tel […] end")

    @given(text=TEXTS, email=EMAILS)
    def test_text_without_identifiers_stays_as_it_is(self, text, email):
        self.assertEqual(redact(text, compile_identifiers([email])), text)

    @given(email=EMAILS, keys=st.lists(st.text("abc", min_size=1), unique=True))
    def test_json_keeps_its_shape(self, email, keys):
        value = {key: [email, 1, None, {"x": email}] for key in keys}
        result = redact_json(value, compile_identifiers([email]))
        self.assertEqual(list(result), keys)
        self.assertFalse(re.search(re.escape(email), repr(list(result.values()))))
