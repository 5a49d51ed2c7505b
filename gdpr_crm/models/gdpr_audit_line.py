from odoo import api, fields, models
from odoo.exceptions import UserError

BASIS = [
    ("valid", "Valid basis"),
    ("pending", "To be confirmed"),
    ("expired", "Expired"),
    ("declined", "Refused or withdrawn"),
    ("objected", "Objects to marketing"),
    ("restricted", "Processing restricted"),
    ("none", "No basis"),
]
# findings that hang on a purpose …
PURPOSE_FINDINGS = [
    ("outdated", "Consent on an outdated notice"),
    ("unproven", "Confirmed without proof"),
    ("blacklisted", "On the blacklist but with consent"),
    ("disagree", "Consents that disagree for one address"),
    ("written_declined", "Written to after refusal or withdrawal"),
]
# … and on the person alone
PERSON_FINDINGS = [
    ("no_basis", "No valid basis for any purpose"),
    ("uncovered", "Covered by no purpose"),
    ("unreachable", "No means to inform the person"),
    ("uninformed", "Art. 14 notice overdue"),
    ("written_objected", "Written to after an objection"),
    ("written_unknown", "Written to without a purpose after a withdrawal"),
]
CONTRADICTIONS = (
    "unproven",
    "blacklisted",
    "disagree",
    "written_declined",
    "written_objected",
    "written_unknown",
)


class GdprAuditLine(models.Model):
    """One figure of an audit: how many persons are in one situation.

    Each person in a purpose's audience is in exactly one of the situations of kind
    *basis*; findings may overlap.
    """

    _name = "gdpr.audit.line"
    _description = "Audit Figure"
    _order = "audit_id desc, sequence, id"
    _rec_name = "display_name"

    audit_id = fields.Many2one(
        "gdpr.audit", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="audit_id.company_id", store=True)
    date = fields.Datetime(related="audit_id.date", store=True)
    sequence = fields.Integer(readonly=True)
    kind = fields.Selection(
        [("basis", "Lawful basis"), ("finding", "Finding")],
        required=True,
        readonly=True,
        index=True,
    )
    category = fields.Selection(
        BASIS + PURPOSE_FINDINGS + PERSON_FINDINGS,
        string="Situation",
        required=True,
        readonly=True,
    )
    contradiction = fields.Boolean(
        readonly=True, help="What is on file contradicts itself."
    )
    purpose_id = fields.Many2one(
        "gdpr.purpose", readonly=True, ondelete="set null", index=True
    )
    purpose_name = fields.Char(
        string="Purpose at the Time",
        readonly=True,
        help="As it was called on the day of the audit.",
    )
    count = fields.Integer(string="Persons", readonly=True)
    share = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Of the purpose's audience, else of all persons.",
    )
    change = fields.Integer(
        compute="_compute_change", help="Since the audit before this one."
    )
    has_members = fields.Boolean(
        string="List Kept",
        readonly=True,
        help="The persons behind the figure can still be listed.",
    )

    @api.depends("category", "purpose_name", "date")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["category"]._description_selection(self.env))
        for line in self:
            parts = [line.purpose_name, labels.get(line.category)]
            line.display_name = ": ".join(filter(None, parts))

    @api.depends("count", "audit_id.previous_id")
    def _compute_change(self):
        previous = {
            (line.audit_id, line.purpose_id, line.category): line.count
            for line in self.audit_id.previous_id.line_ids
        }
        for line in self:
            key = (line.audit_id.previous_id, line.purpose_id, line.category)
            line.change = line.count - previous[key] if key in previous else 0

    def action_view_subjects(self):
        """Open the persons behind this figure, as they were on that day."""
        self.ensure_one()
        if not self.has_members:
            raise UserError(
                self.env._(
                    "The list behind this figure isn't kept any more: only the last "
                    "audits keep theirs (see the settings). Run a new audit."
                )
            )
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm.gdpr_subject_action"
        )
        date = fields.Datetime.context_timestamp(self, self.date).date()
        return action | {
            "name": self.env._(
                "%(figure)s, %(date)s", figure=self.display_name, date=date
            ),
            "domain": [("audit_line_id", "=", self.id)],
            "context": {"gdpr_audit_line_id": self.id},
        }

    def action_campaign(self):
        """Prepare something to be done for the persons behind this figure."""
        self.ensure_one()
        self.check_access("read")
        members = self.env["gdpr.audit.member"]._subquery(self.ids)
        campaign = self.env["gdpr.campaign"]._from_subjects(
            members,
            self.display_name,
            company_id=self.company_id.id,
            purpose_id=self.purpose_id.id,
            action="inform" if self.category == "uninformed" else "ask",
        )
        return campaign._open()
