import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError

FROZEN_FIELDS = {"purpose_id", "lang", "body", "policy_url", "terms_url", "version"}


class GdprNotice(models.Model):
    """A dated version of the wording shown to people for a purpose (Art. 7(1), 13).

    Once used or published it is frozen: an old consent keeps the wording it was
    given on.
    """

    _name = "gdpr.notice"
    _description = "Privacy Notice"
    _order = "purpose_id, lang, version desc"
    _rec_name = "display_name"

    purpose_id = fields.Many2one(
        "gdpr.purpose", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="purpose_id.company_id", store=True)
    lang = fields.Selection(
        selection="_selection_lang",
        string="Language",
        required=True,
        default=lambda self: self.env.lang or "en_US",
    )
    version = fields.Integer(readonly=True, copy=False)
    body = fields.Html(string="Wording", required=True, translate=False)
    policy_url = fields.Char(string="Privacy Policy")
    terms_url = fields.Char(string="Terms")
    published_on = fields.Datetime(readonly=True, copy=False)
    change = fields.Selection(
        [
            ("minor", "Earlier consents still stand"),
            ("material", "Earlier consents must be renewed"),
        ],
        readonly=True,
        copy=False,
        help="What was decided when a new version replaced this wording's earlier one.",
    )
    change_reason = fields.Text(readonly=True, copy=False)
    digest = fields.Char(
        string="Fingerprint",
        readonly=True,
        copy=False,
        help="SHA-256 of what was shown.",
    )

    _version_unique = models.Constraint(
        "UNIQUE(purpose_id, lang, version)",
        "There is one notice a purpose, language and version.",
    )

    @api.model
    def _selection_lang(self):
        # also languages not installed yet: the wording may be there before them
        langs = self.env["res.lang"].sudo().with_context(active_test=False).search([])
        return [(lang.code, lang.name) for lang in langs]

    @api.depends("purpose_id.name", "version", "lang")
    def _compute_display_name(self):
        for notice in self:
            notice.display_name = self.env._(
                "%(purpose)s, version %(version)s (%(lang)s)",
                purpose=notice.purpose_id.name or "",
                version=notice.version,
                lang=notice.lang or "",
            )

    @api.model_create_multi
    def create(self, vals_list):
        notices = super().create(vals_list)
        for (purpose, lang), group in notices.grouped(
            lambda notice: (notice.purpose_id, notice.lang)
        ).items():
            last = max(
                self.search(
                    [("purpose_id", "=", purpose.id), ("lang", "=", lang)]
                ).mapped("version")
            )
            for version, notice in enumerate(group, last + 1):
                notice.version = version
        return notices

    def write(self, vals):
        if FROZEN_FIELDS & vals.keys() and any(self.mapped("published_on")):
            raise UserError(
                self.env._(
                    "This notice was already shown to people and can't be changed. "
                    "Duplicate it and publish the new version."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_published(self):
        if any(self.mapped("published_on")):
            raise UserError(
                self.env._("A notice that was shown to people is kept as proof.")
            )

    def action_publish(self):
        """Freeze these notices; from now on they are shown to people.

        Where people consented to an earlier wording, a wizard asks first whether
        their consents still stand.
        """
        if len(self) == 1 and not self.published_on and self._earlier_consents():
            return {
                "type": "ir.actions.act_window",
                "res_model": "gdpr.notice.change",
                "name": self.env._("Publish a New Version"),
                "view_mode": "form",
                "target": "new",
                "context": {"default_notice_id": self.id},
            }
        return self._publish()

    def _earlier_consents(self):
        """Return the consents that stand on an earlier wording in this language."""
        self.ensure_one()
        return self.env["gdpr.consent"].search(
            [
                ("purpose_id", "=", self.purpose_id.id),
                ("state", "in", ("given", "pending")),
                ("notice_id.lang", "=", self.lang),
                ("notice_id.version", "<", self.version),
            ]
        )

    def _publish(self, change=False, reason=None, renew_by=None):
        """Freeze these notices.

        :param str change: "material" makes consents to earlier wordings end
        :param date renew_by: when they end, unless the person says yes again
        """
        for notice in self.filtered(lambda notice: not notice.published_on):
            if change == "material":
                notice._earlier_consents()._end_by(renew_by)
            notice.write({"change": change, "change_reason": reason})
        for notice in self.filtered(lambda notice: not notice.published_on):
            notice.write(
                {
                    "digest": notice._get_digest(),
                    "published_on": fields.Datetime.now(),
                }
            )

    def _get_digest(self):
        self.ensure_one()
        shown = (self.lang, self.body, self.policy_url or "", self.terms_url or "")
        return hashlib.sha256("\n".join(map(str, shown)).encode()).hexdigest()
