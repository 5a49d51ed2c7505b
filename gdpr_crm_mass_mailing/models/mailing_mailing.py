from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import request

READY = ("in_queue", "sending")


class MailingMailing(models.Model):
    """A mailing names what it is for, and reaches only who may be written to for it.

    A user can't send or schedule one without a purpose. Code on the server that
    sends without one is Odoo's own or another addon's: it passes, but people who
    object or whose data are restricted are left out of every mailing.
    """

    _inherit = "mailing.mailing"

    gdpr_purpose_id = fields.Many2one(
        "gdpr.purpose",
        string="Processing Purpose",
        domain=[("channel", "in", ("email", "any"))],
        compute="_compute_gdpr_purpose_id",
        store=True,
        readonly=False,
        tracking=True,
        index="btree_not_null",
        ondelete="restrict",
        help="Only people who may be written to for this purpose get the mailing.",
    )
    gdpr_left_out = fields.Integer(string="Left Out", compute="_compute_gdpr_left_out")
    gdpr_left_out_reasons = fields.Char(
        string="Why Left Out", compute="_compute_gdpr_left_out"
    )

    @api.depends("contact_list_ids", "mailing_model_id")
    def _compute_gdpr_purpose_id(self):
        """Take over the purpose that all the lists have in common."""
        for mailing in self:
            purposes = mailing.contact_list_ids.mapped("gdpr_purpose_id")
            on_list = mailing.mailing_on_mailing_list
            common = purposes if on_list and len(purposes) == 1 else purposes.browse()
            mailing.gdpr_purpose_id = common or mailing.gdpr_purpose_id

    @api.onchange("contact_list_ids", "mailing_model_id")
    def _onchange_gdpr_purpose(self):
        # a proposal to the user who sees it: code doesn't choose by chance
        if not self.gdpr_purpose_id:
            self.gdpr_purpose_id = self.env.company.gdpr_mailing_purpose_id

    def _compute_gdpr_left_out(self):
        groups = self.env["mailing.trace"]._read_group(
            [
                ("mass_mailing_id", "in", self.ids),
                ("trace_status", "=", "cancel"),
                ("failure_type", "=like", "gdpr_%"),
            ],
            ["mass_mailing_id", "failure_type"],
            ["__count"],
        )
        labels = dict(
            self.env["mailing.trace"]
            ._fields["failure_type"]
            ._description_selection(self.env)
        )
        by_mailing = {}
        for mailing, reason, count in groups:
            by_mailing.setdefault(mailing.id, {})[labels[reason]] = count
        for mailing in self:
            counts = by_mailing.get(mailing.id, {})
            mailing.gdpr_left_out = sum(counts.values())
            mailing.gdpr_left_out_reasons = ", ".join(
                self.env._("%(reason)s: %(count)s", reason=reason, count=count)
                for reason, count in sorted(counts.items(), key=lambda item: -item[1])
            )

    # ------------------------------------------------------------
    # No sending without a purpose
    # ------------------------------------------------------------

    def _gdpr_check_purpose(self):
        """Refuse to send for nothing in particular, when a user asks for it.

        :raise UserError: when a mailing names no purpose, or an archived one
        """
        if not request:
            return
        for mailing in self.filtered(lambda mailing: mailing.mailing_type == "mail"):
            purpose_sudo = mailing.sudo().gdpr_purpose_id  # another company's
            if not purpose_sudo:
                raise UserError(
                    self.env._(
                        "“%(mailing)s” names no purpose. Choose what it is for: only "
                        "people who may be written to for this purpose get it.",
                        mailing=mailing.display_name,
                    )
                )
            if not purpose_sudo.active:
                raise UserError(mailing._gdpr_archived_message())

    def _gdpr_archived_message(self):
        return self.env._(
            "The purpose “%(purpose)s” is archived: nobody may be written to for it. "
            "Choose another purpose.",
            purpose=self.sudo().gdpr_purpose_id.name,
        )

    def write(self, vals):
        result = super().write(vals)
        if {"state", "gdpr_purpose_id"} & vals.keys():
            self.filtered(lambda m: m.state in READY)._gdpr_check_purpose()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        mailings = super().create(vals_list)
        mailings.filtered(lambda m: m.state in READY)._gdpr_check_purpose()
        return mailings

    def action_schedule(self):
        self._gdpr_check_purpose()
        return super().action_schedule()

    def action_send_mail(self, res_ids=None):
        self._gdpr_check_purpose()
        return super().action_send_mail(res_ids=res_ids)

    @api.model
    def _process_mass_mailing_queue(self):
        archived = self.search(
            [("state", "in", READY), ("gdpr_purpose_id.active", "=", False)]
        ).filtered("gdpr_purpose_id")
        for mailing in archived:
            mailing._gdpr_back_to_draft(mailing._gdpr_archived_message())
        return super()._process_mass_mailing_queue()

    def _gdpr_back_to_draft(self, message):
        """Take queued mailings out of the queue and tell who is responsible."""
        for mailing in self:
            mailing.action_cancel()
            mailing.activity_schedule(
                "mail.mail_activity_data_todo",
                summary=self.env._("Mailing not sent"),
                note=message,
                user_id=(mailing.user_id or mailing.create_uid).id,
            )

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    def _gdpr_obstacles(self, emails):
        """Return ``gdpr.subject._mailing_obstacles`` for this mailing."""
        self.ensure_one()
        # staff who send need not see the purposes of another company
        return self.env["gdpr.subject"]._mailing_obstacles(
            emails, self.sudo().gdpr_purpose_id, marketing=self.use_exclusion_list
        )

    def _gdpr_allows_tracking(self):
        self.ensure_one()
        purpose_sudo = self.sudo().gdpr_purpose_id
        return not purpose_sudo or purpose_sudo.mailing_tracking

    def _get_mass_mailing_context(self):
        """Leave the links as they are where clicks may not be measured."""
        context = super()._get_mass_mailing_context()
        if not self._gdpr_allows_tracking():
            context.pop("post_convert_links", None)
        return context

    def _gdpr_subject_of(self, email):
        """Return the subject who gets personal links, empty where Odoo's serve."""
        subject_sudo = self.env["gdpr.subject"].sudo()
        if not self.sudo().gdpr_purpose_id:
            return subject_sudo
        known = self.env.context.get("gdpr_mailing_subjects")
        if known is not None:
            return known.get(email, subject_sudo)
        return subject_sudo.search([("email", "=", email)])

    def _get_unsubscribe_url(self, email_to, res_id):
        """Lead to the person's preferences."""
        if subject_sudo := self._gdpr_subject_of(email_to):
            return subject_sudo._preference_url(self.sudo().gdpr_purpose_id)
        return super()._get_unsubscribe_url(email_to, res_id)

    def _get_unsubscribe_oneclick_url(self, email_to, res_id):
        """Withdraw this purpose, not every mail (RFC 8058)."""
        if subject_sudo := self._gdpr_subject_of(email_to):
            return subject_sudo._unsubscribe_url(self.sudo().gdpr_purpose_id)
        return super()._get_unsubscribe_oneclick_url(email_to, res_id)

    def action_gdpr_view_left_out(self):
        """Open who was left out, by reason."""
        self.ensure_one()
        action = self._action_view_traces_filtered("canceled")
        return action | {
            "name": self.env._("Left Out"),
            "domain": [("failure_type", "=like", "gdpr_%")],
            "context": action["context"] | {"group_by": "failure_type"},
        }
