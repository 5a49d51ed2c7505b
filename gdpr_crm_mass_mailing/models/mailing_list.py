from odoo import fields, models


class MailingList(models.Model):
    _inherit = "mailing.list"

    gdpr_purpose_id = fields.Many2one(
        "gdpr.purpose",
        string="Processing Purpose",
        domain=[("channel", "in", ("email", "any"))],
        index="btree_not_null",
        ondelete="restrict",
        help="What subscribers say yes to: who subscribes consents to it, who leaves "
        "its last list withdraws, and who withdraws leaves its lists.",
    )

    def _gdpr_asked_purpose(self):
        """Return what a person says yes to who subscribes to this list."""
        self.ensure_one()
        return (
            self.sudo().gdpr_purpose_id
            or self.env.company.sudo().gdpr_mailing_purpose_id
        )

    def _mailing_get_opt_out_list(self, mailing):
        """Nobody is mailed before confirming, whatever the mailing's purpose.

        A waiting subscription is no yes either: in Odoo one contact's subscription
        outweighs the opt-out of another contact with the same address.
        """
        opt_out = super()._mailing_get_opt_out_list(mailing)
        lists = self or mailing.contact_list_ids
        waiting = self.env["mailing.subscription"].search(
            [("list_id", "in", lists.ids), ("gdpr_pending_purpose_id", "!=", False)]
        )
        if not waiting:
            return opt_out
        emails = set(waiting.contact_id.mapped("email_normalized"))
        same_address = self.env["mailing.subscription"].search(
            [
                ("list_id", "in", lists.ids),
                ("contact_id.email_normalized", "in", list(emails)),
                ("gdpr_pending_purpose_id", "=", False),
                ("opt_out", "=", False),
            ]
        )
        return set(opt_out) | (
            emails - set(same_address.contact_id.mapped("email_normalized"))
        )

    def action_merge(self, src_lists, archive):
        """Subscriptions that wait for a confirmation go on waiting in the new list."""
        waiting = self.env["mailing.subscription"].search(
            [
                ("list_id", "in", src_lists.ids),
                ("gdpr_pending_purpose_id", "!=", False),
            ]
        )
        purposes = {line.contact_id: line.gdpr_pending_purpose_id for line in waiting}
        before = self.env["mailing.subscription"].search([("list_id", "=", self.id)])
        result = super().action_merge(src_lists, archive)
        after = self.env["mailing.subscription"].search(
            [
                ("list_id", "=", self.id),
                ("contact_id", "in", waiting.contact_id.ids),
                ("id", "not in", before.ids),
            ]
        )
        for line in after:
            line.gdpr_pending_purpose_id = purposes[line.contact_id]
        return result
