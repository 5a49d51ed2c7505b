from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.gdpr_crm.models import gdpr_audit

from .common import GdprCase


class AuditCase(GdprCase):
    """A purpose that concerns the planted persons alone: those in Auditville."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.purpose.audience = "[('city', '=', 'Auditville')]"
        cls.purpose.lead_audience = "[('city', '=', 'Auditville')]"

    @classmethod
    def person(cls, name, **values):
        values = {
            "name": name,
            "email": f"{name.lower().replace(' ', '.')}@audit.example",
            "city": "Auditville",
            **values,
        }
        return cls.env["res.partner"].create(values).gdpr_subject_id

    def audit(self, company=None):
        audit = self.env["gdpr.audit"].create(
            {"company_id": (company or self.env.company).id}
        )
        audit._take()
        return audit

    def line(self, audit, category, purpose=None):
        return audit.line_ids.filtered(
            lambda line: (
                line.category == category
                and line.purpose_id == (purpose or self.env["gdpr.purpose"])
            )
        )

    def members(self, audit, category, purpose=None):
        """Return the subjects behind a figure, which agrees with their number."""
        line = self.line(audit, category, purpose)
        self.assertEqual(len(line), 1)
        subjects = self.env["gdpr.subject"].search([("audit_line_id", "=", line.id)])
        self.assertEqual(line.count, len(subjects), line.display_name)
        return subjects


@tagged("post_install", "-at_install")
class TestAuditBasis(AuditCase):
    def planted(self):
        """One person in each situation."""
        names = (
            "valid pending expired lapsed unconfirmed refused withdrawn objected "
            "restricted none"
        )
        people = {name: self.person(f"P {name}") for name in names.split()}
        for name in ("valid", "withdrawn", "objected", "restricted", "lapsed"):
            self.record("give", "portal", subject=people[name])
        self.record("give", "form", subject=people["pending"])
        self.record("give", "form", subject=people["expired"])
        self.record("expire", "system", subject=people["expired"])
        self.record("refuse", "portal", subject=people["refused"])
        self.record("withdraw", "portal", subject=people["withdrawn"])
        people["objected"]._object_to_marketing()
        people["restricted"]._restrict()
        # its end has come, the cron hasn't
        self.set_consent(people["lapsed"], expires_on=fields.Datetime.now())
        self.record("give", "portal", subject=people["unconfirmed"])
        self.set_consent(people["unconfirmed"], confirmed=False)
        return people

    def set_consent(self, subject, **values):
        key = self.env["gdpr.consent"]._LEDGER_KEY
        subject.consent_ids.with_context(gdpr_ledger=key).write(values)

    def test_each_person_of_the_audience_is_in_exactly_one_situation(self):
        people = self.planted()
        self.person("P elsewhere", city="Lyon")
        audit = self.audit()
        expected = {
            "valid": ["valid"],
            "pending": ["pending", "unconfirmed"],
            "expired": ["expired", "lapsed"],
            "declined": ["refused", "withdrawn"],
            "objected": ["objected"],
            "restricted": ["restricted"],
            "none": ["none"],
        }
        for category, names in expected.items():
            with self.subTest(category=category):
                self.assertEqual(
                    self.members(audit, category, self.purpose),
                    self.env["gdpr.subject"]
                    .concat(*(people[name] for name in names))
                    .sorted("id", reverse=True),
                )
        basis = audit.basis_line_ids.filtered(lambda x: x.purpose_id == self.purpose)
        self.assertEqual(sum(basis.mapped("count")), len(people))
        self.assertAlmostEqual(sum(basis.mapped("share")), 1)
        self.assertAlmostEqual(self.line(audit, "valid", self.purpose).share, 0.1)

    def test_valid_is_who_the_gate_lets_through(self):
        people = self.env["gdpr.subject"].concat(*self.planted().values())
        settings = [
            {"lawful_basis": "consent", "double_opt_in": False},
            {"lawful_basis": "consent", "double_opt_in": True, "marketing": False},
            {"lawful_basis": "legitimate_interest"},
            {"lawful_basis": "legitimate_interest", "balancing_test": "done"},
            {"lawful_basis": "contract", "marketing": False},
            {"lawful_basis": "legal_obligation", "marketing": True},
        ]
        for values in settings:
            with self.subTest(**values):
                self.purpose.write(values)
                self.assertEqual(
                    self.members(self.audit(), "valid", self.purpose).sorted(),
                    people._filter_contactable(self.purpose).sorted(),
                )

    def test_leads_are_in_the_audience(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Offer",
                "contact_name": "Lea Dubois",
                "email_from": "lea@audit.example",
                "city": "Auditville",
            }
        )
        self.assertEqual(
            self.members(self.audit(), "none", self.purpose), lead.gdpr_subject_id
        )

    def test_erased_person_is_not_counted(self):
        subject = self.person("P gone")
        subject._erase_identity()
        self.assertFalse(self.members(self.audit(), "none", self.purpose))

    def test_archived_purpose_is_not_audited(self):
        self.purpose.active = False
        self.assertNotIn(self.purpose, self.audit().line_ids.purpose_id)

    def test_without_any_basis(self):
        self.env["gdpr.purpose"].search([("id", "!=", self.purpose.id)]).active = False
        subject = self.person("P none")
        audit = self.audit()
        self.assertIn(subject, self.members(audit, "no_basis"))
        self.assertEqual(audit.no_basis_count, self.line(audit, "no_basis").count)
        self.record("give", "portal", subject=subject)
        self.assertNotIn(subject, self.members(self.audit(), "no_basis"))

    def test_covered_by_no_purpose(self):
        self.env["gdpr.purpose"].search([("id", "!=", self.purpose.id)]).active = False
        inside, outside = self.person("P in"), self.person("P out", city="Lyon")
        archived = self.person("P archived", active=False)
        found = self.members(self.audit(), "uncovered")
        self.assertNotIn(inside, found)
        self.assertLessEqual(outside + archived, found)

    def test_odoo_s_own_contacts_are_no_persons_of_the_crm(self):
        self.env["gdpr.purpose"].search([]).active = False
        found = self.members(self.audit(), "uncovered")
        own = self.env.ref("base.public_user") + self.env.ref("base.user_root")
        self.assertFalse(found & own.partner_id.gdpr_subject_id)


@tagged("post_install", "-at_install")
class TestAuditFindings(AuditCase):
    def assertFound(self, category, subjects, purpose=None, among=None):
        found = self.members(self.audit(), category, purpose)
        planted = among if among is not None else subjects
        self.assertEqual((found & planted).sorted(), subjects.sorted())

    def test_nobody_can_be_informed_without_address(self):
        lost = self.person("P lost", email=False)
        street = self.person("P street", email=False, street="1 rue X")
        phone = self.person("P phone", email=False, phone="+33 6 12 34 56 78")
        self.assertFound("unreachable", lost, among=lost + street + phone)

    def test_person_is_reachable_by_any_of_their_records(self):
        subject = self.person("P phone", email=False, phone="+33612345678")
        self.env["crm.lead"].create(
            {"name": "x", "contact_name": "P phone", "phone": "+33612345678"}
        )
        self.assertFound("unreachable", subject.browse(), among=subject)

    def test_art_14_notice_is_overdue_a_month_after_an_import(self):
        with freeze_time("2026-03-02 10:00:00"):
            Partner = self.env["res.partner"].with_context(import_file=True)
            late, told = Partner.create(
                [{"name": n, "email": f"{n}@import.example"} for n in ("late", "told")]
            )
            self.assertEqual(late.gdpr_source, "import")
            self.assertEqual(str(late.gdpr_inform_by), "2026-04-02")
            own = self.env["res.partner"].create(
                {"name": "own", "email": "own@form.example", "gdpr_source": "person"}
            )
        told.gdpr_informed_on = "2026-03-10"
        partners = late + told + own
        for day, overdue in (("2026-04-02", False), ("2026-04-03", True)):
            with self.subTest(day=day), freeze_time(f"{day} 12:00:00"):
                partners.invalidate_recordset()
                self.assertFound(
                    "uninformed",
                    late.gdpr_subject_id if overdue else self.subject.browse(),
                    among=partners.gdpr_subject_id,
                )
                self.assertEqual(late.gdpr_inform_overdue, overdue)
                found = partners.search(
                    [("gdpr_inform_overdue", "=", True), ("id", "in", partners.ids)]
                )
                self.assertEqual(found, late if overdue else late.browse())

    def test_person_s_own_form_needs_no_art_14_notice(self):
        partner = self.env["res.partner"].create({"name": "x", "email": "x@y.example"})
        self.assertFalse(partner.gdpr_source or partner.gdpr_inform_by)

    def test_source_goes_along_when_a_lead_becomes_a_customer(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Offer",
                "contact_name": "Lea Dubois",
                "email_from": "lea@list.example",
                "gdpr_source": "purchase",
                "gdpr_collected_on": "2026-01-05",
            }
        )
        partner = lead._create_customer()
        self.assertEqual(partner.gdpr_source, "purchase")
        self.assertEqual(str(partner.gdpr_collected_on), "2026-01-05")

    def test_consent_on_an_outdated_notice(self):
        old, new = self.person("P old"), self.person("P new")
        notice = self.env["gdpr.notice"].create(
            {"purpose_id": self.purpose.id, "lang": "en_US", "body": "<p>One</p>"}
        )
        notice.action_publish()
        self.record("give", "portal", subject=old)
        second = notice.copy({"body": "<p>Two</p>"})
        self.assertFound("outdated", old.browse(), self.purpose, among=old + new)
        second._publish("material", "new", fields.Date.today() + timedelta(days=90))
        self.record("give", "portal", subject=new, notice=second)
        self.assertFound("outdated", old, self.purpose, among=old + new)

    def test_consent_stands_where_an_officer_said_so(self):
        subject = self.person("P old")
        notice = self.env["gdpr.notice"].create(
            {"purpose_id": self.purpose.id, "lang": "en_US", "body": "<p>One</p>"}
        )
        notice.action_publish()
        self.record("give", "portal", subject=subject)
        notice.copy({"body": "<p>Two</p>"})._publish("minor", "A comma")
        self.assertFound("outdated", subject.browse(), self.purpose, among=subject)

    def test_confirmed_without_proof(self):
        proven, planted = self.person("P proven"), self.person("P planted")
        self.record("give", "portal", subject=proven)
        self.record("give", "form", subject=planted)
        key = self.env["gdpr.consent"]._LEDGER_KEY
        planted.consent_ids.with_context(gdpr_ledger=key).write(
            {"state": "given", "confirmed": True}
        )
        self.assertFound("unproven", planted, self.purpose, among=proven + planted)

    def test_on_the_blacklist_but_with_consent(self):
        listed, free = self.person("P listed"), self.person("P free")
        for subject in listed + free:
            self.record("give", "portal", subject=subject)
        self.env["mail.blacklist"]._add(listed.email)
        self.assertFound("blacklisted", listed, self.purpose, among=listed + free)
        self.purpose.channel = "sms"
        self.assertFound("blacklisted", listed.browse(), self.purpose, among=listed)

    def test_consents_of_one_number_disagree(self):
        self.purpose.channel = "sms"
        yes, no, other = (
            self.person(f"P {name}", phone=phone)
            for name, phone in (
                ("yes", "+33612345678"),
                ("no", "+33612345678"),
                ("other", "+33687654321"),
            )
        )
        self.record("give", "portal", subject=yes)
        self.record("refuse", "portal", subject=other)
        among = yes + no + other
        self.assertFound("disagree", yes.browse(), self.purpose, among=among)
        self.record("refuse", "portal", subject=no)
        self.assertFound("disagree", yes + no, self.purpose, among=among)

    def test_common_and_company_s_consent_disagree(self):
        own = self.purpose.copy(
            {"company_id": self.env.company.id, "code": self.purpose.code}
        )
        subject = self.person("P both")
        self.record("give", "portal", subject=subject)
        self.record("refuse", "portal", subject=subject, purpose=own)
        for purpose in self.purpose + own:
            self.assertFound("disagree", subject, purpose)

    # written to after a no

    def sent(self, subject, purpose=None, days=0, status="sent", kind="email_outgoing"):
        """Plant what the mass composer leaves behind for a message sent."""
        date = fields.Datetime.now() + timedelta(days=days)
        mail = self.env["mail.mail"].create(
            {
                "subject": "Offer",
                "message_type": kind,
                "date": date,
                "is_notification": True,
                "state": "sent",
                "recipient_ids": [(6, 0, subject.partner_ids.ids)],
                "gdpr_purpose_id": purpose and purpose.id,
            }
        )
        self.env["mail.notification"].create(
            {
                "mail_message_id": mail.mail_message_id.id,
                "mail_mail_id": mail.id,
                "res_partner_id": subject.partner_ids.id,
                "notification_type": "email",
                "notification_status": status,
            }
        )
        return mail

    def test_written_to_after_an_objection(self):
        names = ("after", "before", "failed", "personal", "service")
        people = {name: self.person(f"P {name}") for name in names}
        among = self.subject.concat(*people.values())
        among._object_to_marketing()
        service = self.purpose.copy(
            {"code": "svc", "lawful_basis": "contract", "marketing": False}
        )
        self.sent(people["after"], days=1)
        self.sent(people["before"], days=-1)
        self.sent(people["failed"], days=1, status="exception")
        self.sent(people["personal"], days=1, kind="comment")
        self.sent(people["service"], purpose=service, days=1)
        self.assertFound("written_objected", people["after"], among=among)

    def test_written_to_after_withdrawal(self):
        same, other, unknown, kept = (
            self.person(f"P {name}") for name in ("same", "other", "unknown", "kept")
        )
        second = self.purpose.copy({"code": "second"})
        for subject in same + other + unknown + kept:
            self.record("give", "portal", subject=subject)
            self.record("withdraw", "portal", subject=subject)
        self.record("give", "portal", subject=kept, purpose=second)
        self.sent(same, purpose=self.purpose, days=1)
        self.sent(other, purpose=second, days=1)
        # the mail is deleted after sending: its purpose is gone
        for subject in unknown + kept:
            mail = self.sent(subject, purpose=self.purpose, days=1)
            mail.with_context(active_test=False).unlink()
        among = same + other + unknown + kept
        self.assertFound("written_declined", same, self.purpose, among=among)
        self.assertFound("written_unknown", unknown, among=among)

    def test_message_to_an_address_without_contact(self):
        lead = self.env["crm.lead"].create(
            {"name": "x", "contact_name": "Lea", "email_from": "lea@audit.example"}
        )
        subject = lead.gdpr_subject_id
        subject._object_to_marketing()
        message = self.env["mail.message"].create(
            {
                "message_type": "email_outgoing",
                "date": fields.Datetime.now() + timedelta(days=1),
            }
        )
        self.env["mail.notification"].create(
            {
                "mail_message_id": message.id,
                "mail_email_address": '"Lea" <lea@audit.example>',
                "notification_type": "email",
                "notification_status": "sent",
            }
        )
        self.assertFound("written_objected", subject)

    def test_contradictions_are_added_up(self):
        planted = self.person("P planted")
        self.record("give", "portal", subject=planted)
        before = self.audit().contradiction_count
        self.env["mail.blacklist"]._add(planted.email)
        self.assertEqual(self.audit().contradiction_count, before + 1)


@tagged("post_install", "-at_install")
class TestAuditSnapshot(AuditCase):
    def test_list_stays_as_it_was_when_data_change(self):
        stays, changes = self.person("P stays"), self.person("P changes")
        audit = self.audit()
        line = self.line(audit, "none", self.purpose)
        self.record("give", "portal", subject=changes)
        self.purpose.name = "Renamed"
        self.person("P new")
        self.assertEqual(
            self.members(audit, "none", self.purpose).sorted(),
            (stays + changes).sorted(),
        )
        self.assertEqual((line.count, line.purpose_name), (2, "Test newsletter"))
        changes._erase_identity()
        self.assertIn(changes, self.members(audit, "none", self.purpose))

    def test_computing_again_changes_nothing(self):
        audit = self.audit()
        before = audit.line_ids.mapped("count")
        self.person("P new")
        audit._take()
        self.assertEqual(audit.line_ids.mapped("count"), before)

    def test_change_since_the_audit_before(self):
        with freeze_time(fields.Datetime.now() - timedelta(days=30)):
            first = self.audit()
        self.person("P one")
        self.person("P two")
        second = self.audit()
        self.assertEqual(second.previous_id, first)
        self.assertEqual(self.line(second, "none", self.purpose).change, 2)

    def test_only_the_last_audits_keep_their_lists(self):
        self.env.company.gdpr_audit_keep = 2
        self.person("P one")
        audits = [self.audit() for _number in range(3)]
        old, recent = (self.line(a, "none", self.purpose) for a in audits[:2])
        self.assertEqual(old.count, 1)
        self.assertFalse(
            self.env["gdpr.audit.member"].search([("line_id", "=", old.id)])
        )
        self.assertTrue(recent.has_members)
        with self.assertRaises(UserError):
            old.action_view_subjects()

    def test_large_base_is_left_to_the_cron(self):
        self.patch(gdpr_audit, "RUN_AT_ONCE", 0)
        action = self.env["gdpr.audit"].with_user(self.officer).action_run()
        audit = self.env["gdpr.audit"].browse(action["res_id"])
        self.assertEqual(audit.state, "waiting")
        with self.enter_registry_test_mode():
            self.env.ref("gdpr_crm.ir_cron_audit_waiting").method_direct_trigger()
        self.assertEqual(audit.state, "done")

    def test_cron_audits_every_company(self):
        company = self.env["res.company"].create({"name": "Second"})
        with self.enter_registry_test_mode():
            self.env.ref("gdpr_crm.ir_cron_audit").method_direct_trigger()
        audits = self.env["gdpr.audit"].search([("state", "=", "done")])
        self.assertLessEqual(company + self.env.company, audits.company_id)


@tagged("post_install", "-at_install")
class TestAuditAccess(AuditCase):
    def test_officer_runs_an_audit_and_opens_a_list(self):
        subject = self.person("P none")
        action = self.env["gdpr.audit"].with_user(self.officer).action_run()
        audit = self.env["gdpr.audit"].with_user(self.officer).browse(action["res_id"])
        line = self.line(audit, "none", self.purpose)
        action = line.action_view_subjects()
        subjects = self.env["gdpr.subject"].with_user(self.officer)
        self.assertIn(subject, subjects.search(action["domain"]))

    def test_salesperson_neither_runs_nor_reads_nor_searches(self):
        audit = self.audit()
        Audit = self.env["gdpr.audit"].with_user(self.salesperson)
        with self.assertRaises(AccessError):
            Audit.action_run()
        with self.assertRaises(AccessError):
            Audit.browse(audit.id).read(["subject_count"])
        line = self.line(audit, "no_basis")
        with self.assertRaises(AccessError):
            self.env["gdpr.subject"].with_user(self.salesperson).search(
                [("audit_line_id", "=", line.id)]
            )

    def test_nobody_types_over_a_snapshot(self):
        audit = self.audit()
        for user in (self.officer, self.manager):
            with self.assertRaises(AccessError):
                audit.with_user(user).write({"subject_count": 0})
            with self.assertRaises(AccessError):
                audit.line_ids[:1].with_user(user).write({"count": 0})
            with self.assertRaises(AccessError):
                audit.with_user(user).unlink()

    def test_companies_are_audited_apart(self):
        company = self.env["res.company"].create({"name": "Other"})
        officer = new_test_user(
            self.env,
            "gdpr_other_officer",
            groups="gdpr_crm.group_officer,sales_team.group_sale_salesman",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        ours = self.person("P ours", company_id=self.env.company.id)
        theirs = self.person("P theirs", company_id=company.id)
        shared = self.person("P shared")
        mine, other = self.audit(), self.audit(company)
        self.assertEqual(
            self.members(mine, "none", self.purpose).sorted(), (ours + shared).sorted()
        )
        self.assertEqual(
            self.members(other, "none", self.purpose).sorted(),
            (theirs + shared).sorted(),
        )
        Audit = self.env["gdpr.audit"].with_user(officer)
        self.assertEqual(Audit.search([("id", "in", (mine + other).ids)]), other)
        line = self.line(mine, "none", self.purpose)
        self.assertFalse(
            self.env["gdpr.subject"]
            .with_user(officer)
            .search([("audit_line_id", "=", line.id)])
        )
