from odoo import api, fields, models


class GdprConsent(models.Model):
    _inherit = "gdpr.consent"

    @api.model
    def _record(
        self,
        subject,
        purpose,
        action,
        channel="staff",
        evidence=None,
        notice=None,
        note=None,
    ):
        """Let the mailing lists of the purpose follow what the person decided."""
        before = self.sudo().search(
            [("subject_id", "=", subject.id), ("purpose_id", "=", purpose.id)]
        )
        state = before.state
        consent = super()._record(
            subject,
            purpose,
            action,
            channel=channel,
            evidence=evidence,
            notice=notice,
            note=note,
        )
        if consent.sudo().state != state:
            self.env["mailing.subscription"]._gdpr_follow(consent.sudo(), state)
        return consent

    def _mailing_reason(self):
        """Return why this consent (or none) lets nobody be written to."""
        if self.state == "given":
            ended = self.expires_on and self.expires_on <= fields.Datetime.now()
            return "gdpr_expired" if ended else "gdpr_pending"
        return {
            "pending": "gdpr_pending",
            "refused": "gdpr_declined",
            "withdrawn": "gdpr_declined",
            "expired": "gdpr_expired",
        }.get(self.state, "gdpr_no_basis")
