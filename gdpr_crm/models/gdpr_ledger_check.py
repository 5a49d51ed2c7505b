from odoo import api, fields, models
from odoo.exceptions import AccessError


class GdprLedgerCheck(models.Model):
    """One verification of the consent ledger, kept as evidence (GDPR Art. 5(2))."""

    _name = "gdpr.ledger.check"
    _description = "Ledger Verification"
    _order = "id desc"
    _rec_name = "create_date"

    event_count = fields.Integer(string="Events", readonly=True)
    subject_count = fields.Integer(string="Persons", readonly=True)
    fault_count = fields.Integer(string="Faults", readonly=True)
    disagreeing_count = fields.Integer(
        string="States Put Right",
        readonly=True,
        help="Consents whose state wasn't what their events say.",
    )
    faults = fields.Text(
        string="Faulty Events",
        readonly=True,
        help="The number of each faulty event and what is wrong with it.",
    )
    result = fields.Selection(
        [("whole", "Whole"), ("faulty", "Faulty")],
        compute="_compute_result",
        store=True,
    )

    @api.depends("fault_count", "disagreeing_count")
    def _compute_result(self):
        for check in self:
            faulty = check.fault_count or check.disagreeing_count
            check.result = "faulty" if faulty else "whole"

    @api.model
    def _run(self, repair=True):
        """Verify every chain and every state.

        :param bool repair: put states right that disagree with their events
        :return: the ``gdpr.ledger.check`` that records the result
        """
        Event = self.env["gdpr.consent.event"].sudo()
        Consent = self.env["gdpr.consent"].sudo()
        faults = Event._verify()
        disagreeing = Consent._find_disagreeing()
        if repair:
            disagreeing._repair()
        check = self.sudo().create(
            {
                "event_count": Event.search_count([]),
                "subject_count": len(Event._read_group([], ["subject_id"])),
                "fault_count": len(faults),
                "disagreeing_count": len(disagreeing),
                "faults": "\n".join(f"{f.event_id}: {f.reason}" for f in faults[:1000]),
            }
        )
        if check.result == "faulty":
            check._alert()
        return check

    def _alert(self):
        """Tell the privacy officers: somebody wrote past the addon."""
        officers = self.env.ref("gdpr_crm.group_officer").all_user_ids.filtered(
            lambda user: user.active and not user.share
        )
        subject = self.env._("The consent ledger doesn't verify")
        body = self.env._(
            "%(faults)s faulty events, %(states)s states that disagreed with their "
            "events. Somebody changed the database past Odoo: look at Privacy, Logs, "
            "Ledger Verifications.",
            faults=self.fault_count,
            states=self.disagreeing_count,
        )
        self.env["mail.thread"].message_notify(
            partner_ids=officers.partner_id.ids, subject=subject, body=body
        )

    def action_run(self):
        """Verify the whole ledger now and show the result."""
        if not self.env.user.has_group("gdpr_crm.group_officer"):
            raise AccessError(self.env._("Only a privacy officer verifies the ledger."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "name": self.env._("Ledger Verification"),
            "view_mode": "form",
            "res_id": self._run().id,
        }

    @api.model
    def _cron_verify(self):
        self._run()
