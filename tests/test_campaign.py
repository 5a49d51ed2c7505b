from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import SQL

from .test_audit import AuditCase

REASON = "Customers of the shop we took over"


class CampaignCase(AuditCase):
    def campaign(self, subjects, action="ask", **values):
        values = {"purpose_id": self.purpose.id, "reason": REASON, **values}
        return (
            self.env["gdpr.campaign"]
            .with_user(self.officer)
            ._from_subjects(
                SQL("SELECT unnest(%s)", subjects.ids), "Test", action=action, **values
            )
        )

    def run_campaign(self, campaign):
        """Start it and let the cron work once."""
        campaign.action_start()
        with self.enter_registry_test_mode():
            self.env.ref("gdpr_crm.ir_cron_campaign").method_direct_trigger()
        campaign.invalidate_recordset()

    def reasons(self, campaign):
        return {
            line.subject_id: line.reason or line.state for line in campaign.line_ids
        }

    def mails(self, subjects):
        emails = set(subjects.mapped("email"))
        return (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", "gdpr.campaign.line")])
            .filtered(lambda mail: mail.email_to in emails)
        )


@tagged("post_install", "-at_install")
class TestCampaignAsk(CampaignCase, HttpCase):
    def planted(self):
        names = [
            "free",
            "expired",
            "given",
            "pending",
            "refused",
            "withdrawn",
            "objected",
            "restricted",
            "asked",
            "blacklisted",
            "erased",
            "outside",
            "mute",
        ]
        people = {name: self.person(f"P {name}") for name in names}
        record = self.record
        for name in ("expired", "given", "withdrawn"):
            record("give", "portal", subject=people[name])
        record("expire", "system", subject=people["expired"])
        record("withdraw", "portal", subject=people["withdrawn"])
        record("give", "form", subject=people["pending"])
        record("refuse", "portal", subject=people["refused"])
        people["objected"]._object_to_marketing()
        people["restricted"]._restrict()
        record("ask", "email", subject=people["asked"])
        record("expire", "system", subject=people["asked"])
        self.env["mail.blacklist"]._add(people["blacklisted"].email)
        people["erased"]._erase_identity()
        people["outside"].partner_ids.city = "Lyon"
        people["mute"] = self.person("P silent", email=False)
        return people

    EXPECTED = {
        "free": "done",
        "expired": "done",
        "given": "given",
        "pending": "pending",
        "refused": "declined",
        "withdrawn": "declined",
        "objected": "objected",
        "restricted": "restricted",
        "asked": "asked",
        "blacklisted": "blacklisted",
        "erased": "erased",
        "outside": "outside",
        "mute": "no_email",
    }

    def test_only_who_may_be_asked_is_asked_and_the_preview_says_so(self):
        people = self.planted()
        subjects = self.env["gdpr.subject"].concat(*people.values())
        campaign = self.campaign(subjects)
        counted = dict(campaign._count_reasons())
        self.assertFalse(self.mails(subjects), "nothing is sent before the start")
        self.run_campaign(campaign)
        found = self.reasons(campaign)
        expected = dict(self.EXPECTED)
        if "mailing.mailing" in self.env:  # there the blacklist is an objection
            expected["blacklisted"] = "objected"
        self.assertEqual({n: found[p] for n, p in people.items()}, expected)
        self.assertEqual(counted.pop(None), 2)
        self.assertEqual(counted["declined"], 2)
        self.assertEqual(sum(counted.values()), campaign.skipped_count)
        self.assertEqual(campaign.state, "done")
        asked = people["free"] + people["expired"]
        self.assertEqual(
            set(self.mails(subjects).mapped("email_to")), set(asked.mapped("email"))
        )
        for subject in asked:
            self.assertConsent("pending", subject)
            self.assertContactable(False, subject)
        self.assertFalse(self.env["gdpr.consent.event"]._verify(subjects))
        self.assertEqual(people["free"].consent_summary, "pending")

    def test_person_answers_behind_their_own_link(self):
        subject = self.person("P free")
        self.run_campaign(self.campaign(subject))
        mail = self.mails(subject)
        self.assertNotIn("/privacy/preferences/ey", mail.body_html)
        [values] = mail._prepare_outgoing_list()
        self.assertEqual(values["email_to_normalized"], [subject.email])
        url = values["body"].split('href="')[1].split('"')[0]
        self.assertIn(f"#purpose-{self.purpose.id}", url)
        self.assertNotIn(mail.body_html, url)
        path = url.split("#")[0].split("/privacy/", 1)[1]
        page = self.url_open(f"/privacy/{path}")
        self.assertEqual(page.status_code, 200)
        self.assertConsent("pending", subject)
        token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        self.url_open(
            f"/privacy/{path}",
            data={
                "csrf_token": token,
                "action": "save",
                f"purpose_{self.purpose.id}": "give",
            },
        )
        self.env.invalidate_all()
        self.assertConsent("given", subject)
        self.assertContactable(True, subject)
        last = subject.event_ids.sorted("number")[-1]
        self.assertEqual((last.action, last.channel), ("give", "email_link"))

    def test_nobody_is_asked_twice(self):
        subject = self.person("P free")
        first, second = self.campaign(subject), self.campaign(subject)
        self.run_campaign(first)
        self.run_campaign(second)
        self.assertEqual(self.reasons(second), {subject: "pending"})
        self.record("expire", "system", subject=subject)
        third = self.campaign(subject)
        self.run_campaign(third)
        self.assertEqual(self.reasons(third), {subject: "asked"})
        self.assertEqual(len(self.mails(subject)), 1)

    def test_who_says_no_after_the_start_is_left_out(self):
        subjects = self.person("P one") + self.person("P two")
        campaign = self.campaign(subjects, per_hour=1)
        self.run_campaign(campaign)
        self.assertEqual((campaign.done_count, campaign.waiting_count), (1, 1))
        left = campaign.line_ids.filtered(lambda line: line.state == "waiting")
        left.subject_id._object_to_marketing()
        with freeze_time(fields.Datetime.now() + timedelta(hours=2)):
            self.run_campaign(campaign)
        self.assertEqual(left.reason, "objected")
        self.assertEqual(len(self.mails(subjects)), 1)

    def test_mails_an_hour_are_limited(self):
        subjects = self.env["gdpr.subject"].concat(
            *(self.person(f"P {n}") for n in range(5))
        )
        campaign = self.campaign(subjects, per_hour=2)
        self.run_campaign(campaign)
        self.assertEqual(campaign.done_count, 2)
        self.run_campaign(campaign)
        self.assertEqual(campaign.done_count, 2)
        with freeze_time(fields.Datetime.now() + timedelta(hours=1, minutes=1)):
            self.run_campaign(campaign)
        self.assertEqual(campaign.done_count, 4)

    def test_batch_that_fails_leaves_everybody_as_before(self):
        subjects = self.person("P one") + self.person("P two")
        campaign = self.campaign(subjects)
        campaign.action_start()
        Line = type(self.env["gdpr.campaign.line"])
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.patch(Line, "_mail", lambda *args: 1 / 0)
            campaign.sudo()._run_batch(10)
        self.env.invalidate_all()
        self.assertEqual(set(campaign.line_ids.mapped("state")), {"waiting"})
        self.assertFalse(subjects.consent_ids)

    def test_paused_and_cancelled_campaigns_do_nothing(self):
        subject = self.person("P free")
        campaign = self.campaign(subject)
        campaign.action_start()
        campaign.action_pause()
        self.env["gdpr.campaign"]._cron_run()
        self.assertEqual(self.reasons(campaign), {subject: "waiting"})
        campaign.action_cancel()
        self.env["gdpr.campaign"]._cron_run()
        self.assertEqual(self.reasons(campaign), {subject: "waiting"})

    def test_started_campaign_keeps_what_was_previewed(self):
        campaign = self.campaign(self.person("P free"))
        campaign.action_start()
        with self.assertRaises(UserError):
            campaign.action = "erase"
        with self.assertRaises(UserError):
            campaign.reason = "Another"

    def test_reason_and_fitting_purpose_are_needed(self):
        subject = self.person("P free")
        with self.assertRaises(UserError):
            self.campaign(subject, reason=" ").action_start()
        self.purpose.lawful_basis = "contract"
        with self.assertRaises(UserError):
            self.campaign(subject).action_start()

    def test_erasure_requests_for_who_did_not_answer_in_time(self):
        silent, answered, customer = (
            self.person(f"P {name}") for name in ("silent", "answered", "customer")
        )
        self.env["gdpr.purpose"].search([("id", "!=", self.purpose.id)]).active = False
        contract = self.purpose.copy(
            {
                "code": "contract",
                "lawful_basis": "contract",
                "audience": "[('email', '=', 'p.customer@audit.example')]",
                "lead_audience": "[(0, '=', 1)]",
            }
        )
        self.assertTrue(customer._may_contact(contract))
        campaign = self.campaign(silent + answered + customer)
        self.run_campaign(campaign)
        self.record("give", "email_link", subject=answered)
        campaign.invalidate_recordset()
        self.assertEqual((campaign.yes_count, campaign.unanswered_count), (1, 0))
        with freeze_time(fields.Datetime.now() + timedelta(days=31)):
            campaign.invalidate_recordset()
            self.assertEqual(campaign.unanswered_count, 2)
            action = campaign.action_erase_unanswered()
        erase = self.env["gdpr.campaign"].browse(action["res_id"])
        self.assertEqual(
            erase.line_ids.subject_id.sorted(), (silent + customer).sorted()
        )
        self.run_campaign(erase)
        self.assertEqual(self.reasons(erase)[customer], "has_basis")
        request = silent.request_ids
        self.assertEqual((request.right, request.state), ("erasure", "draft"))
        self.assertTrue(silent.email, "nobody is erased by opening a request")


@tagged("post_install", "-at_install")
class TestCampaignActions(CampaignCase):
    def test_art_14_notice_is_sent_and_dated(self):
        bought, own = self.person("P bought"), self.person("P own")
        bought.partner_ids.write(
            {"gdpr_source": "purchase", "gdpr_source_note": "List Ltd"}
        )
        campaign = self.campaign(bought + own, "inform", purpose_id=False)
        self.run_campaign(campaign)
        self.assertEqual(self.reasons(campaign), {bought: "done", own: "nothing"})
        self.assertTrue(bought.partner_ids.gdpr_informed_on)
        mail = self.mails(bought + own)
        self.assertEqual(mail.email_to, bought.email)
        self.assertIn("List Ltd", mail.body_html)
        self.assertIn("object to direct marketing", mail.body_html)

    def test_objector_is_informed_all_the_same(self):
        subject = self.person("P bought", gdpr_source="purchase")
        subject._object_to_marketing()
        self.run_campaign(self.campaign(subject, "inform", purpose_id=False))
        self.assertEqual(len(self.mails(subject)), 1)

    def test_recorded_basis_opens_the_gate_with_its_reason(self):
        self.purpose.write({"lawful_basis": "contract", "audience": "[(0, '=', 1)]"})
        self.purpose.lead_audience = "[(0, '=', 1)]"
        customer, objector, other = (
            self.person(f"P {n}") for n in ("customer", "objector", "other")
        )
        objector._object_to_marketing()
        self.run_campaign(self.campaign(customer + objector, "basis"))
        self.assertContactable(True, customer)
        self.assertContactable(False, objector)
        self.assertContactable(False, other)
        self.assertEqual(customer.basis_ids.reason, REASON)
        self.assertEqual(self.members(self.audit(), "valid", self.purpose), customer)
        customer.basis_ids.with_user(self.officer).active = False
        self.env.invalidate_all()
        self.assertContactable(False, customer)

    def test_consent_is_never_recorded_as_a_basis(self):
        subject = self.person("P free")
        with self.assertRaises(UserError):
            self.campaign(subject, "basis").action_start()
        with self.assertRaises(ValidationError):
            self.env["gdpr.basis"].create(
                {
                    "subject_id": subject.id,
                    "purpose_id": self.purpose.id,
                    "reason": "x",
                }
            )

    def test_restrict_and_archive(self):
        subject = self.person("P free")
        lead = self.env["crm.lead"].create(
            {"name": "x", "contact_name": "P", "email_from": subject.email}
        )
        employee = self.employee.partner_id
        employee.email = "employee@audit.example"
        people = subject + employee.gdpr_subject_id
        campaign = self.campaign(people, "archive", purpose_id=False)
        self.run_campaign(campaign)
        self.assertFalse(subject.partner_ids.active or lead.active)
        self.assertEqual(self.reasons(campaign)[employee.gdpr_subject_id], "user")
        self.run_campaign(self.campaign(subject, "restrict", purpose_id=False))
        self.assertTrue(subject.restricted)

    def test_from_an_audit_s_figure(self):
        one, two = self.person("P one"), self.person("P two")
        line = self.line(self.audit(), "none", self.purpose)
        action = line.with_user(self.officer).action_campaign()
        campaign = self.env["gdpr.campaign"].browse(action["res_id"])
        self.assertEqual(campaign.purpose_id, self.purpose)
        self.assertEqual(campaign.line_ids.subject_id.sorted(), (one + two).sorted())
        with Form(campaign.with_user(self.officer)) as form:
            form.reason = REASON
            self.assertIn(">2<", form.preview)

    def test_from_a_selection(self):
        subject = self.person("P one").with_user(self.officer)
        action = subject.action_campaign()
        campaign = self.env["gdpr.campaign"].browse(action["res_id"])
        self.assertEqual(campaign.line_ids.subject_id, subject)

    def test_salesperson_prepares_and_starts_nothing(self):
        subject = self.person("P one")
        with self.assertRaises(AccessError):
            subject.with_user(self.salesperson).action_campaign()
        campaign = self.campaign(subject).with_user(self.salesperson)
        for method in ("action_start", "action_pause", "action_cancel"):
            with self.assertRaises(AccessError):
                getattr(campaign, method)()

    def test_campaign_of_another_company_is_unknown(self):
        company = self.env["res.company"].create({"name": "Other"})
        officer = new_test_user(
            self.env,
            "gdpr_other_officer",
            groups="gdpr_crm.group_officer,sales_team.group_sale_salesman",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        campaign = self.campaign(self.person("P one")).with_user(officer)
        self.assertFalse(campaign.has_access("read"))
        self.assertFalse(campaign.sudo().line_ids.with_user(officer).has_access("read"))
