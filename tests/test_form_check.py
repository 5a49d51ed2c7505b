from lxml import html
from markupsafe import escape

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.gdpr_crm.tools import links

from .form_common import POLICY, FormCase

DEAD = links.Answer("status", 404)
SILENT = links.Answer("silent")


@tagged("post_install", "-at_install")
class TestFormCheck(FormCase):
    """Each rule of the form's own check."""

    def test_form_without_fault_has_none(self):
        with self.answering():
            self.form.action_check()
        self.assertEqual(self.form._check(), [])
        self.assertIn("found no fault", self.form.faults_html)

    def test_every_fault_says_what_to_do_and_why(self):
        self.form.write({"purpose_id": False, "policy_url": False})
        self.form.company_id.write({"email": False, "phone": False, "street": False})
        self.form.field_ids.write({"reason": "x", "required": True})
        self.newsletter.description = False
        faults = self.form._check()
        self.assertGreater(len(faults), 6)
        for fault in faults:
            self.assertTrue(fault.article.startswith("Art. "), fault)
            self.assertGreater(len(fault.message), 15, fault)
            self.assertIn(str(escape(fault.message)), self.form.faults_html)
        blocking = [fault.blocking for fault in faults]
        self.assertEqual(blocking, sorted(blocking, reverse=True), "blocking first")

    # purposes

    def test_purpose_is_stated(self):
        self.form.purpose_id = False
        self.assertFault("purpose_missing")

    def test_purpose_has_a_description(self):
        self.enquiry.description = "  "
        self.assertFault("purpose_vague")

    def test_archived_purpose(self):
        self.newsletter.active = False
        self.assertFault("purpose_archived")

    def test_purpose_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.newsletter.company_id = other
        self.assertFault("purpose_company")

    def test_legitimate_interest_needs_a_balancing_test(self):
        self.events.write({"lawful_basis": "legitimate_interest"})
        self.assertFault("balancing_missing")
        self.events.balancing_test = "Weighed."
        self.assertNotIn("balancing_missing", self.codes())

    # consent

    def test_consent_needs_a_published_notice_in_the_language(self):
        purpose = self.newsletter.copy({"code": "form_no_notice"})
        self.form.purpose_ids = purpose
        self.assertFault("notice_missing")
        self.publish_notice(purpose, lang="fr_FR")
        self.assertFault("notice_missing")
        self.publish_notice(purpose)
        self.assertNotIn("notice_missing", self.codes())

    def test_notice_may_not_bundle_reverse_or_hide_the_withdrawal(self):
        for code, body in (
            ("bundled", "I accept the terms of use, and the letter. I can withdraw."),
            ("opt_out", "Untick this if you want no letter. You can withdraw."),
            ("withdrawal_unnamed", "I want the letter."),
            ("wording_empty", "<p><br></p>"),
        ):
            with self.subTest(code=code):
                self.publish_notice(self.newsletter, body)
                self.assertFault(code)
        self.publish_notice(self.newsletter)
        self.assertFalse(self.codes(blocking=True))

    def test_marketing_consent_needs_double_opt_in(self):
        self.newsletter.double_opt_in = False
        self.assertFault("double_opt_in")
        self.newsletter.marketing = False
        self.assertFault("double_opt_in", blocking=False)

    def test_box_ticked_beforehand_is_found_on_the_page(self):
        view = self.env.ref("gdpr_crm.form_box")
        self.env["ir.ui.view"].create(
            {
                "name": "ticked",
                "mode": "extension",
                "inherit_id": view.id,
                "arch": """<input type="checkbox" position="attributes">
                    <attribute name="t-att-checked">'checked'</attribute></input>""",
            }
        )
        self.assertFault("preticked")

    def test_box_taken_off_the_page_is_found(self):
        self.env["ir.ui.view"].create(
            {
                "name": "no box",
                "mode": "extension",
                "inherit_id": self.env.ref("gdpr_crm.form_box").id,
                "arch": """<input type="checkbox" position="replace"/>""",
            }
        )
        self.assertFault("box_missing")

    # fields

    def test_form_asks_for_something(self):
        self.form.field_ids = False
        self.assertFault("field_missing")

    def test_every_field_has_a_reason(self):
        for reason in (False, " ", "because"):
            self.line("phone").reason = reason
            self.assertFault("field_unjustified")

    def test_field_is_declared_by_its_purpose(self):
        self.enquiry._declared("phone").unlink()
        self.assertFault("field_undeclared")

    def test_field_serves_a_purpose_of_the_form(self):
        self.line("phone").purpose_id = self.purpose
        self.assertFault("field_purpose")

    def test_field_of_what_can_be_refused_is_not_required(self):
        self.line("contact_name").write(
            {"purpose_id": self.newsletter.id, "required": True}
        )
        self.assertFault("required_needless")
        self.line("contact_name").required = False
        self.assertNotIn("required_needless", self.codes())

    def test_nothing_sensitive_is_asked_for(self):
        line = self.line("description")
        for label in (
            "Do you have allergies?", "Religion", "Votre état de santé", "Union member",
            "Gewerkschaft", "Political party", "Sexual orientation", "Strafblad",
            "Social security number", "Discapacidad", "Blood group", "Ethnic origin",
        ):  # fmt: skip
            with self.subTest(label=label):
                line.label = label
                self.assertFault("sensitive")
        line.write({"label": "Message", "hint": "Tell us about your disability"})
        self.assertFault("sensitive")

    def test_ordinary_labels_are_not_sensitive(self):
        line = self.line("description")
        for label in (
            "Message", "How can we help?", "Your project", "Secteur d'activité",
            "Number of employees", "Budget", "Healthcare sector", "Ihre Nachricht",
            "Which medical device interests you?", "Enceinte acoustique", "Fonction",
        ):  # fmt: skip
            with self.subTest(label=label):
                line.label = label
                self.assertNotIn("sensitive", self.codes())

    def test_form_of_address_is_not_required(self):
        self.line("contact_name").write({"label": "Mr/Ms", "required": True})
        self.assertFault("title_required")

    def test_all_required_and_two_addresses_are_worth_a_look(self):
        self.form.field_ids.required = True
        self.assertFault("all_required", blocking=False)
        self.assertFault("two_addresses", blocking=False)

    def test_own_tick_box_is_no_consent(self):
        self.env["ir.model.fields"].sudo().create(
            {
                "name": "x_letter",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "ttype": "boolean",
                "field_description": "Letter",
            }
        )
        self.form.field_ids = [
            Command.create(
                {"field_name": "x_letter", "label": "I agree to receive your offers"}
            )
        ]
        self.assertFault("consent_disguised")

    def test_field_that_was_removed_breaks_neither_check_nor_page(self):
        line = self.line("phone")
        self.env.cr.execute(
            "UPDATE gdpr_form_field SET field_name = 'x_gone' WHERE id = %s", [line.id]
        )
        line.invalidate_recordset()
        self.assertFault("field_gone")
        self.assertNotIn("x_gone", str(self.form._render_fields()))

    def test_consent_needs_an_address(self):
        self.line("email_from").unlink()
        self.assertFault("email_missing")
        (self.newsletter | self.events).double_opt_in = False
        self.assertNotIn("email_missing", self.codes())
        self.line("phone").unlink()
        self.assertFault("address_missing")
        self.form.purpose_ids = False
        self.assertFault("address_missing", blocking=False)

    # links and controller

    def test_policy_link_is_there_and_well_formed(self):
        self.form.policy_url = False
        self.assertFault("policy_missing")
        for url in ("www.example.com", "javascript:alert(1)"):
            self.form.policy_url = url
            self.assertFault("link_invalid")

    def test_links_that_do_not_answer(self):
        self.assertFault("link_unasked", blocking=False)
        for answer in (DEAD, SILENT, links.Answer("private"), links.Answer("unknown")):
            with self.answering(privacy=answer):
                self.form.action_check()
            self.assertFault("link_dead")

    def test_policy_of_a_notice_is_asked_for_too(self):
        self.env["gdpr.notice"].create(
            {
                "purpose_id": self.newsletter.id,
                "lang": "en_US",
                "body": "I want it. I can withdraw.",
                "policy_url": "https://www.example.com/letter",
            }
        ).action_publish()
        with self.answering(letter=DEAD):
            self.form.action_check()
        self.assertFault("link_dead")

    def test_terms_are_worth_a_look(self):
        self.form.terms_url = False
        self.assertFault("terms_missing", blocking=False)

    def test_controller_is_named_with_an_address(self):
        self.form.company_id.write({"email": False, "phone": False, "street": False})
        self.assertFault("controller_contact")
        self.form.company_id.write({"phone": "+32 2 290 34 90"})
        self.assertNotIn("controller_contact", self.codes())

    def test_missing_officer_is_worth_a_look(self):
        self.form.company_id.gdpr_officer_id = False
        self.assertFault("officer_missing", blocking=False)

    def test_inactive_language(self):
        self.env.cr.execute("UPDATE gdpr_form SET lang = 'xx_XX'")
        self.form.invalidate_recordset()
        self.assertFault("language")

    # live

    def test_check_follows_what_is_typed(self):
        with self.answering():
            self.form.action_check()
        with Form(self.form.with_user(self.manager)) as form:
            self.assertIn("found no fault", form.faults_html)
            with form.field_ids.edit(2) as line:
                line.reason = False
            self.assertIn("has no reason", form.faults_html)
            with form.field_ids.edit(2) as line:
                line.reason = "To call you back when you ask for it."
            self.assertIn("found no fault", form.faults_html)

    def test_new_form_is_composed_with_proposals(self):
        with Form(self.env["gdpr.form"].with_user(self.manager)) as form:
            form.name = "Écrivez-nous !"
            form.purpose_id = self.enquiry
            with form.field_ids.new() as line:
                line.field_name = "email_from"
                self.assertEqual(line.label, "Email")
                self.assertEqual(line.reason, "To answer you well.")
                self.assertEqual(line.purpose_id, self.enquiry)
        form = form.record
        self.assertEqual(form.slug, "ecrivez-nous")
        self.assertEqual(form.title, "Écrivez-nous !")
        self.assertEqual(form.policy_url, POLICY)


@tagged("post_install", "-at_install")
class TestFormPublication(FormCase):
    def publish_with(self, **answers):
        with self.answering(**answers):
            self.form.with_user(self.manager).action_publish()

    def activities(self, form=None):
        return (form or self.form).activity_ids

    def test_manager_publishes_and_takes_offline(self):
        self.publish_with()
        self.assertEqual(self.form.state, "published")
        self.assertTrue(self.form.published_on)
        self.form.with_user(self.manager).action_unpublish()
        self.assertEqual(self.form.state, "draft")

    def test_blocking_fault_stops_publication_and_is_named(self):
        self.line("phone").reason = False
        with self.assertRaisesRegex(UserError, "Telephone.*has no reason"):
            self.publish_with()
        self.assertEqual(self.form.state, "draft")

    def test_dead_or_silent_link_stops_publication(self):
        for answer in (DEAD, SILENT):
            with self.assertRaisesRegex(UserError, "can't be read"):
                self.publish_with(privacy=answer)

    def test_warnings_stop_nothing(self):
        self.form.company_id.gdpr_officer_id = False
        self.publish_with()
        self.assertEqual(self.form.state, "published")

    def test_state_cannot_be_written_past_the_check(self):
        form = self.form.with_user(self.manager)
        forged = form.with_context(gdpr_publish=True)
        for record in (form, forged, form.sudo()):
            with self.assertRaises(UserError):
                record.state = "published"
        with self.assertRaises(UserError):
            self.env["gdpr.form"].create({"name": "X", "state": "published"})
        self.publish_with()
        self.assertEqual(self.form.copy().state, "draft")

    def test_published_form_stays_as_it_was_checked(self):
        self.publish_with()
        form = self.form.with_user(self.manager)
        line = self.line("phone").with_user(self.manager)
        with self.assertRaises(UserError):
            form.policy_url = "https://www.example.com/other"
        with self.assertRaises(UserError):
            form.purpose_ids = False
        with self.assertRaises(UserError):
            line.label = "Religion"
        with self.assertRaises(UserError):
            line.unlink()
        with self.assertRaises(UserError):
            line.create({"form_id": form.id, "field_name": "city", "label": "City"})
        with self.assertRaises(UserError):
            form.write({"field_ids": [Command.delete(line.id)]})
        draft = self.make_form(name="Draft")
        with self.assertRaises(UserError):
            self.line("phone", draft).form_id = form
        with self.assertRaises(UserError):
            line.form_id = draft
        form.team_id = False  # where leads go is nobody's concern but the company's

    def test_form_of_another_company_is_out_of_reach(self):
        other = self.env["res.company"].create({"name": "Other"})
        form = self.make_form(company_id=other.id, purpose_ids=False, purpose_id=False)
        for user in (self.manager, self.officer):
            with self.assertRaises(AccessError):
                form.with_user(user).read(["name"])

    def test_only_managers_publish(self):
        for user in (self.officer, self.salesperson):
            with self.assertRaises(AccessError):
                self.form.with_user(user).action_publish()
            with self.assertRaises(AccessError):
                self.form.with_user(user).write({"name": "X"})
        for user in (self.employee, self.portal_user):
            with self.assertRaises(AccessError):
                self.form.with_user(user).read(["name"])

    # stops complying

    def assertTakenOffline(self):
        self.assertEqual(self.form.state, "draft")
        self.assertEqual(self.activities().user_id, self.officer)
        self.assertIn("stopped complying", self.activities().summary)

    def test_archived_purpose_takes_the_form_offline(self):
        self.publish_with()
        self.newsletter.with_user(self.manager).active = False
        self.assertTakenOffline()
        self.assertIn("Letter", self.activities().note)

    def test_purpose_that_changes_its_basis_does(self):
        self.publish_with()
        self.newsletter.lawful_basis = "legitimate_interest"
        self.assertTakenOffline()

    def test_declaration_that_is_taken_back_does(self):
        self.publish_with()
        self.enquiry._declared("phone").with_user(self.manager).unlink()
        self.assertTakenOffline()

    def test_worse_notice_does(self):
        self.publish_with()
        self.publish_notice(self.events, "I accept the terms. I can withdraw.")
        self.assertTakenOffline()

    def test_harmless_change_does_not(self):
        self.publish_with()
        self.newsletter.description = "Better words."
        self.publish_notice(self.events)
        self.assertEqual(self.form.state, "published")
        self.assertFalse(self.activities())

    def check_by_cron(self, **answers):
        with self.enter_registry_test_mode(), self.answering(**answers):
            self.env.ref("gdpr_crm.ir_cron_form_check").method_direct_trigger()

    def test_dead_policy_takes_the_form_offline(self):
        self.publish_with()
        self.check_by_cron()
        self.assertEqual(self.form.state, "published")
        self.check_by_cron(privacy=DEAD)
        self.assertTakenOffline()

    def test_policy_that_is_silent_once_does_not(self):
        self.publish_with()
        self.check_by_cron(privacy=SILENT)
        self.assertEqual(self.form.state, "published")
        self.check_by_cron()
        self.check_by_cron(privacy=SILENT)
        self.assertEqual(self.form.state, "published")
        self.check_by_cron(privacy=SILENT)
        self.assertTakenOffline()

    def test_managers_are_told_where_no_officer_is_named(self):
        self.publish_with()
        self.form.company_id.gdpr_officer_id = False
        self.newsletter.active = False
        self.assertIn(self.manager, self.activities().user_id)

    def test_publishing_again_closes_the_activity(self):
        self.publish_with()
        self.newsletter.active = False
        self.newsletter.active = True
        self.publish_with()
        self.assertFalse(self.activities())

    # the rest of the model

    def test_archiving_takes_offline(self):
        self.publish_with()
        self.form.with_user(self.manager).active = False
        self.assertEqual(self.form.state, "draft")

    def test_addresses_are_unique_and_readable(self):
        self.assertEqual(self.form.slug, "contact-us")
        self.assertEqual(self.make_form().slug, "contact-us-2")
        self.assertEqual(self.form.copy().slug, "contact-us-copy")
        for slug in ("Contact", "a/b", "-a", "a b", "../x", "é"):
            with self.assertRaises(ValidationError):
                self.form.slug = slug

    def test_what_a_visitor_may_fill_in(self):
        for name in ("user_id", "stage_id", "probability", "team_id", "partner_id"):
            with self.assertRaises(ValidationError):
                self.line("phone").field_name = name

    def test_bad_settings_are_refused(self):
        for values in (
            {"embed_origins": "www.example.com"},
            {"embed_origins": "https://a.example/path"},
            {"embed_origins": "https://a.example; script-src *"},
            {"minimum_age": 3},
            {"minimum_age": -1},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.form.write(values)

    def test_snippets_lead_to_the_embedded_page(self):
        self.form.title = '"><script>alert(1)</script>'
        for snippet in (self.form.snippet, self.form.snippet_script):
            frame = html.fragment_fromstring(snippet, create_parent="div")[0]
            self.assertEqual(frame.tag, "iframe")
            self.assertEqual(frame.get("src"), self.form.embed_url)
            self.assertEqual(frame.get("title"), self.form.title)
            self.assertNotIn("alert(1)</script>", snippet)
        self.assertNotIn("<script", self.form.snippet)
        self.assertIn("addEventListener", self.form.snippet_script)

    def test_new_user_of_another_role_sees_the_form_on_a_lead(self):
        user = new_test_user(
            self.env, "gdpr_form_sales", groups="sales_team.group_sale_salesman"
        )
        lead = self.env["crm.lead"].create(
            {"name": "L", "user_id": user.id, "gdpr_form_id": self.form.id}
        )
        with Form(lead.with_user(user)) as form:
            self.assertEqual(form.gdpr_form_id.name, "Contact us")
