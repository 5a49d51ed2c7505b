import unittest

from hypothesis import given
from hypothesis import strategies as st

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.gdpr_crm.tools.masking import MARK, mask, merge

from .common import GdprCase

SENSITIVE = "Met her last week, she is on chemotherapy until May."
HARMLESS = "Wants an offer for 200 chairs by Friday."
DOUBTFUL = "Doesn't eat pork."


@tagged("post_install", "-at_install")
class TestScan(GdprCase):
    def setUp(self):
        super().setUp()
        self.known = self.env["gdpr.finding"].search([])

    def plant(self, record, **values):
        """Write texts as if they had been there before the addon."""
        record._gdpr_with_known_text().write(values)

    def scan(self, **values):
        scan = self.env["gdpr.scan"].with_user(self.officer).create(values)
        scan.action_start()
        with self.enter_registry_test_mode():
            self.env.ref("gdpr_crm.ir_cron_scan").method_direct_trigger()
        self.env.invalidate_all()
        return scan

    def findings(self, record=None):
        found = self.env["gdpr.finding"].search([]) - self.known
        if record:
            found = found.filtered(
                lambda f: (f.res_model, f.res_id) == (record._name, record.id)
            )
        return found

    def resolve(self, findings, action, **values):
        self.env["gdpr.finding.resolution"].with_user(self.officer).create(
            {"finding_ids": findings.ids, "action": action, **values}
        ).action_resolve()

    def test_scan_finds_what_is_on_file_and_leaves_the_rest(self):
        self.plant(self.partner, comment=f"<p>{SENSITIVE}</p>")
        lead = self.env["crm.lead"].create({"name": "Chairs", "description": HARMLESS})
        scan = self.scan()
        self.assertEqual((scan.state, scan.progress), ("done", 100))
        finding = self.findings(self.partner)
        self.assertEqual(
            (finding.category, finding.level, finding.field_name),
            ("health", "block", "comment"),
        )
        self.assertFalse(self.findings(lead))

    def test_every_place_is_searched(self):
        lead = self.env["crm.lead"].create({"name": "Chairs"})
        lead.with_context(mail_post_autofollow=False)
        message = self.env["mail.message"].create(
            {"model": "crm.lead", "res_id": lead.id, "body": f"<p>{SENSITIVE}</p>"}
        )
        activity = lead.activity_schedule(
            "mail.mail_activity_data_todo", note=SENSITIVE
        )
        attachment = self.env["ir.attachment"].create(
            {
                "name": "note.txt",
                "raw": SENSITIVE.encode(),
                "mimetype": "text/plain",
                "res_model": "crm.lead",
                "res_id": lead.id,
            }
        )
        tracking = self.env["mail.tracking.value"].create(
            {
                "mail_message_id": message.id,
                "field_id": self.env["ir.model.fields"]._get("crm.lead", "name").id,
                "old_value_char": SENSITIVE,
            }
        )
        tag = self.env["crm.tag"].create({"name": "diabetic"})
        self.scan()
        for record in (message, activity, attachment, tracking, tag):
            found = self.findings(record)
            self.assertEqual(found.mapped("category"), ["health"], record)
            if record != tag:
                self.assertEqual(
                    (found.document_model, found.document_id), ("crm.lead", lead.id)
                )

    def test_finding_holds_no_word_of_the_text(self):
        self.plant(self.partner, comment=SENSITIVE)
        self.scan()
        self.env.flush_all()
        self.env.cr.execute("SELECT f::text FROM gdpr_finding f")
        for (row,) in self.env.cr.fetchall():
            self.assertNotIn("chemo", row.lower())

    def test_killed_scan_goes_on_where_it_was(self):
        partners = self.env["res.partner"].create(
            [{"name": f"P{i}", "email": f"p{i}@s.example"} for i in range(7)]
        )
        for partner in partners:
            self.plant(partner, comment=SENSITIVE)
        scan = self.env["gdpr.scan"].create({})
        scan.action_start()
        target = scan.target_ids.filtered(lambda t: t.res_model == "res.partner")
        target.last_id = partners[0].id - 1
        target._run_batch(limit=3)
        self.assertEqual(len(self.findings()), 3)
        self.env.invalidate_all()
        target._run_batch(limit=100)
        self.assertEqual(len(self.findings()), 7)
        self.assertTrue(target.done)

    def test_paused_scan_stands_still_and_goes_on(self):
        scan = self.env["gdpr.scan"].create({})
        scan.action_start()
        scan.action_pause()
        with self.enter_registry_test_mode():
            self.env.ref("gdpr_crm.ir_cron_scan").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual((scan.state, scan.scanned), ("paused", 0))
        scan.action_start()
        scan.action_stop()
        self.assertEqual(scan.state, "stopped")
        with self.assertRaises(UserError):
            scan.action_start()

    def test_second_scan_looks_only_at_what_changed(self):
        self.scan()
        self.env.cr.execute(
            "UPDATE res_partner SET write_date = '2020-01-01' WHERE id != %s",
            self.partner.ids,
        )
        self.env.invalidate_all()
        self.partner.comment = HARMLESS
        scan = self.scan(scope="changed")
        target = scan.target_ids.filtered(lambda t: t.res_model == "res.partner")
        self.assertEqual(target.scanned, 1)

    def test_text_that_was_cleaned_closes_its_finding(self):
        self.plant(self.partner, comment=SENSITIVE)
        self.scan()
        self.partner.comment = HARMLESS
        self.scan()
        self.assertEqual(self.findings(self.partner).state, "gone")
        self.plant(self.partner, comment=SENSITIVE)
        self.scan()
        self.assertEqual(self.findings(self.partner).state, "open")

    # what becomes of a finding

    def found(self, text=SENSITIVE):
        self.plant(self.partner, comment=f"<p>Hello.</p><p>{text}</p>")
        self.scan()
        return self.findings(self.partner)

    def test_masking_takes_the_words_out_and_leaves_the_text(self):
        finding = self.found()
        self.resolve(finding, "mask")
        self.assertIn(MARK, self.partner.comment)
        self.assertNotIn("chemo", self.partner.comment)
        self.assertIn("<p>Hello.</p>", self.partner.comment)
        self.assertEqual(finding.state, "masked")
        self.assertEqual(finding.closed_uid, self.officer)

    def test_clearing_empties_the_field_but_no_name(self):
        finding = self.found()
        self.resolve(finding, "clear")
        self.assertFalse(self.partner.comment)
        lead = self.env["crm.lead"].create({"name": "x"})
        self.plant(lead, name=SENSITIVE)
        self.scan()
        with self.assertRaises(UserError):
            self.resolve(self.findings(lead), "clear")

    def test_putting_aside_moves_the_text_to_the_officers(self):
        self.resolve(self.found(), "quarantine")
        self.assertNotIn("chemo", self.partner.comment)
        aside = self.env["gdpr.quarantine"].search([], limit=1)
        self.assertIn("chemo", aside.text)
        self.assertEqual(
            (aside.res_model, aside.res_id), ("res.partner", self.partner.id)
        )

    def test_false_alarm_lets_the_same_words_pass_everywhere(self):
        finding = self.found()
        with self.assertRaises(ValidationError):
            self.env["crm.lead"].create({"name": "x", "description": SENSITIVE})
        self.resolve(finding, "false_alarm")
        self.env["crm.lead"].create({"name": "x", "description": SENSITIVE})
        self.scan()
        self.assertEqual(self.findings(self.partner).state, "false_alarm")
        self.env["gdpr.allowance"].search([]).unlink()
        with self.assertRaises(ValidationError):
            self.env["crm.lead"].create({"name": "y", "description": SENSITIVE})

    def test_exception_frees_the_record_and_nothing_else(self):
        finding = self.found()
        with self.assertRaises(UserError):
            self.resolve(finding, "justify")
        self.resolve(
            finding, "justify", ground="explicit_consent", reason="Signed on paper"
        )
        self.assertEqual(finding.state, "justified")
        self.partner.comment = SENSITIVE
        self.scan()
        self.assertEqual(finding.state, "justified")

    def test_tag_is_masked_in_every_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        tag = self.env["crm.tag"].create({"name": "diabetic"})
        tag.with_context(lang="fr_FR").name = "diabétique"
        self.scan()
        self.resolve(self.findings(tag), "mask")
        self.assertEqual(tag.name, MARK)
        self.assertEqual(tag.with_context(lang="fr_FR").name, MARK)

    # the officer's queue

    def test_doubtful_text_stops_nobody_and_goes_to_the_queue(self):
        level = {f.level for f in self.env["gdpr.finding"]._detect(DOUBTFUL, "comment")}
        self.assertEqual(level, {"review"}, "pick another doubtful sentence")
        lead = (
            self.env["crm.lead"]
            .with_user(self.salesperson)
            .create({"name": "Offer", "description": DOUBTFUL})
        )
        finding = self.findings(lead)
        self.assertEqual((finding.level, finding.state), ("review", "open"))
        self.assertEqual(finding.user_id, self.salesperson)
        with self.assertRaises(AccessError):
            finding.with_user(self.salesperson).read(["category"])


class TestMasking(unittest.TestCase):
    @given(
        st.text(alphabet="ab <>/p\n", max_size=40),
        st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=5),
    )
    def test_nothing_of_a_span_stays_and_nothing_else_goes(self, text, spans):
        spans = [(min(a, b), min(max(a, b), len(text))) for a, b in spans]
        masked = mask(text, spans, mark="#")
        outside = [c for i, c in enumerate(text) if not _inside(i, spans)]
        rest = iter(masked)
        self.assertTrue(all(c in rest for c in outside), "what is outside stays")
        if "<" not in text:
            self.assertEqual(
                masked.replace("#", "").replace(" ", "").replace("\n", ""),
                "".join(outside).replace(" ", "").replace("\n", ""),
            )

    @given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8))
    def test_merged_spans_cover_the_same_and_do_not_overlap(self, spans):
        spans = [(min(pair), max(pair)) for pair in spans]
        merged = merge(spans)
        self.assertEqual(
            {i for a, b in merged for i in range(a, b)},
            {i for a, b in spans for i in range(a, b)},
        )
        self.assertEqual(merged, sorted(merged))
        for (_a, end), (start, _b) in zip(merged, merged[1:], strict=False):
            self.assertLess(end, start)


def _inside(position, spans):
    return any(start <= position < end for start, end in spans)
