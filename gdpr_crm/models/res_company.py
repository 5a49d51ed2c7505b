from datetime import timedelta

from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    gdpr_officer_id = fields.Many2one(
        "res.users", string="Privacy Officer", help="Answers requests by default."
    )
    gdpr_contact = fields.Char(
        string="Data Protection Contact",
        help="Name and address of the data protection officer, or of who answers.",
    )
    gdpr_security_measures = fields.Text(
        string="Security Measures",
        help="In general terms, for the record of processing activities (Art. 30).",
    )
    gdpr_policy_url = fields.Char(string="Privacy Policy")
    gdpr_terms_url = fields.Char(string="Terms")
    gdpr_confirmation_days = fields.Integer(
        string="Confirmation Link Valid (days)", default=7, required=True
    )
    gdpr_download_days = fields.Integer(
        string="Download Link Valid (days)", default=7, required=True
    )
    gdpr_reminder_days = fields.Integer(
        string="Remind the Person after (days)", default=3, required=True
    )
    gdpr_signup_days = fields.Integer(
        string="Sign-up Link Valid (days)",
        default=7,
        required=True,
        help="A consent that isn't confirmed by then is closed.",
    )
    gdpr_purge_days = fields.Integer(
        string="Delete Unconfirmed Sign-ups after (days)",
        default=30,
        required=True,
        help="Counted from the day they were closed.",
    )
    gdpr_record_ip = fields.Boolean(
        string="Record Shortened IP Addresses",
        help="Adds the shortened address to the proof of a confirmed consent. The "
        "proof holds without it: off unless you need it.",
    )
    gdpr_audit_keep = fields.Integer(
        string="Audits Kept with Their Lists",
        default=12,
        required=True,
        help="Older audits keep their figures; the lists of persons behind them go.",
    )

    gdpr_grace_days = fields.Integer(
        string="Erasure Can Be Undone for (days)",
        help="An approved erasure waits so long before it is carried out. 0: at once.",
    )

    _gdpr_grace_not_negative = models.Constraint(
        "CHECK(gdpr_grace_days >= 0)", "The grace period can't be negative."
    )
    _gdpr_days_positive = models.Constraint(
        "CHECK(gdpr_confirmation_days > 0 AND gdpr_download_days > 0 "
        "AND gdpr_reminder_days > 0 AND gdpr_signup_days > 0 AND gdpr_purge_days > 0)",
        "The privacy periods are counted in days, at least one.",
    )

    def _gdpr_contact(self):
        """Return whom a person can write to about their data."""
        self.ensure_one()
        officer = self.gdpr_officer_id
        return self.gdpr_contact or officer.email_formatted or self.email or ""

    def _gdpr_signup_deadline(self):
        """Return until when a sign-up that starts now can be confirmed."""
        self.ensure_one()
        return fields.Datetime.now() + timedelta(days=self.gdpr_signup_days)
