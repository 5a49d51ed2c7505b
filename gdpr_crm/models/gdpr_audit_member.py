from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL


class GdprAuditMember(models.Model):
    """The persons behind an audit's figure, as they were on that day.

    Their ids stand in arrays: five million memberships take a few megabytes and a
    few seconds, where a row for each would take minutes. No foreign key, so that
    the audit locks nobody's data.
    """

    _name = "gdpr.audit.member"
    _description = "Persons behind an Audit's Figure"
    _log_access = False

    line_id = fields.Many2one(
        "gdpr.audit.line", required=True, readonly=True, ondelete="cascade", index=True
    )
    size = fields.Integer(required=True, readonly=True)

    def init(self):
        # the ORM has no field for an array
        self.env.cr.execute(
            """
            ALTER TABLE gdpr_audit_member
                ADD COLUMN IF NOT EXISTS subject_ids integer[] NOT NULL
            """
        )

    @api.model
    def _subquery(self, line_ids):
        """Return the SQL of the ids of the subjects behind these audit lines."""
        return SQL(
            "SELECT unnest(subject_ids) FROM gdpr_audit_member WHERE line_id = ANY(%s)",
            list(line_ids),
        )


class GdprSubject(models.Model):
    _inherit = "gdpr.subject"

    audit_line_id = fields.Many2one(
        "gdpr.audit.line",
        string="Audit Figure",
        compute="_compute_audit_line_id",
        search="_search_audit_line_id",
        groups="gdpr_crm.group_officer",
        help="For searching: the persons behind a figure of an audit.",
    )

    def action_campaign(self):
        """Prepare something to be done for these persons."""
        if not self.env.user.has_group("gdpr_crm.group_officer"):
            raise AccessError(self.env._("Only a privacy officer may do this."))
        self.check_access("read")
        source = self.env._("%(count)s selected persons", count=len(self))
        ids = SQL("SELECT unnest(%s)", self.ids)
        return self.env["gdpr.campaign"]._from_subjects(ids, source)._open()

    def _compute_audit_line_id(self):
        self.audit_line_id = False

    @api.model
    def _search_audit_line_id(self, operator, value):
        if operator != "in":
            return NotImplemented
        # whoever may read the line may read its list
        lines = self.env["gdpr.audit.line"].search(Domain("id", "in", list(value)))
        if not lines:
            return Domain.FALSE
        members = self.env["gdpr.audit.member"]._subquery(lines.ids)
        return Domain("id", "in", SQL("(%s)", members))
