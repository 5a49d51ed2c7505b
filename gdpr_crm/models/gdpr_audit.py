from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from .gdpr_audit_line import CONTRADICTIONS

RUN_AT_ONCE = 50_000  # persons; more than these are counted by the cron


class GdprAudit(models.Model):
    """The cross-check of the whole base on one day (GDPR Art. 5(2), 6).

    For every purpose and everyone it concerns: is there a valid basis, and if not,
    why not; and what contradicts itself. The figures stay for good, the lists behind
    them as long as the company's settings say.
    """

    _name = "gdpr.audit"
    _description = "Audit of the Base"
    _inherit = ["mail.thread"]
    _order = "date desc, id desc"
    _mail_post_access = "read"

    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.company,
    )
    state = fields.Selection(
        [("waiting", "Waiting"), ("done", "Done")],
        required=True,
        readonly=True,
        default="waiting",
    )
    subject_count = fields.Integer(
        string="Persons", readonly=True, help="Known to the company, not erased."
    )
    no_basis_count = fields.Integer(string="Without Any Basis", readonly=True)
    coverage = fields.Float(
        readonly=True,
        aggregator="avg",
        help="Share of the persons with a valid basis for at least one purpose.",
    )
    finding_count = fields.Integer(
        string="Findings", readonly=True, help="Persons in all the findings together."
    )
    contradiction_count = fields.Integer(
        string="Contradictions",
        readonly=True,
        help="Of these, where what is on file contradicts itself.",
    )
    seconds = fields.Float(readonly=True, help="How long the computation took.")
    line_ids = fields.One2many("gdpr.audit.line", "audit_id", readonly=True)
    basis_line_ids = fields.One2many(
        "gdpr.audit.line",
        "audit_id",
        string="Lawful Bases",
        domain=[
            ("kind", "=", "basis"),
            "|",
            ("count", ">", 0),
            ("category", "=", "valid"),
        ],
        readonly=True,
    )
    finding_line_ids = fields.One2many(
        "gdpr.audit.line",
        "audit_id",
        string="To Be Looked at",
        domain=[("kind", "=", "finding"), ("count", ">", 0)],
        readonly=True,
    )
    previous_id = fields.Many2one(
        "gdpr.audit", string="Audit before", compute="_compute_previous_id"
    )

    @api.depends("date", "company_id")
    def _compute_display_name(self):
        for audit in self:
            date = fields.Datetime.context_timestamp(audit, audit.date).date()
            audit.display_name = self.env._("Audit of %(date)s", date=date)

    @api.depends("date", "company_id", "state")
    def _compute_previous_id(self):
        done = self.search(
            [("company_id", "in", self.company_id.ids), ("state", "=", "done")]
        ).grouped("company_id")
        for audit in self:
            before = done.get(audit.company_id, self.browse()).filtered(
                lambda other, audit=audit: (
                    (other.date, other.id) < (audit.date, audit.id or audit._origin.id)
                )
            )
            audit.previous_id = before[:1]

    # ------------------------------------------------------------
    # Running
    # ------------------------------------------------------------

    @api.model
    def action_run(self):
        """Start an audit of the current company and open it.

        A large base is counted by the cron, so that nobody waits for the page.
        """
        if not self.env.user.has_group("gdpr_crm.group_officer"):
            raise AccessError(self.env._("Only a privacy officer runs an audit."))
        # nobody writes an audit by hand
        audit_sudo = self.sudo()._start(self.env.company)
        if self.env["gdpr.subject"].sudo().search_count([]) <= RUN_AT_ONCE:
            audit_sudo._take()
        else:
            self.env.ref("gdpr_crm.ir_cron_audit_waiting").sudo()._trigger()
        return audit_sudo.with_env(self.env).action_open()

    @api.model
    def _start(self, companies):
        """Return a new audit of each company, still to be computed."""
        # a note that it was made would only repeat its date
        return self.with_context(mail_create_nolog=True).create(
            [{"company_id": company.id} for company in companies]
        )

    def action_open(self):
        """Open this audit."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "name": self.display_name,
            "view_mode": "form",
            "res_id": self.id,
        }

    @api.model
    def _cron_run(self):
        """Audit every company."""
        self._run_waiting(self._start(self.env["res.company"].search([])))

    @api.model
    def _cron_waiting(self):
        """Compute the audits that wait, one after the other."""
        self._run_waiting(self.search([("state", "=", "waiting")]))

    def _run_waiting(self, audits):
        for number, audit in enumerate(audits, 1):
            audit._take()
            if not self.env["ir.cron"]._commit_progress(
                1, remaining=len(audits) - number
            ):
                break

    # ------------------------------------------------------------
    # After the computation
    # ------------------------------------------------------------

    def _finish(self, persons, seconds):
        """Add up the figures and forget the lists that are too old.

        :param int persons: how many persons the company knows
        """
        self.ensure_one()
        lines = self.line_ids
        findings = lines.filtered(lambda line: line.kind == "finding")
        no_basis = sum(
            lines.filtered(lambda line: line.category == "no_basis").mapped("count")
        )
        self.write(
            {
                "state": "done",
                "subject_count": persons,
                "no_basis_count": no_basis,
                "coverage": (persons - no_basis) / persons if persons else 1,
                "finding_count": sum(findings.mapped("count")),
                "contradiction_count": sum(
                    findings.filtered(
                        lambda line: line.category in CONTRADICTIONS
                    ).mapped("count")
                ),
                "seconds": seconds,
            }
        )
        self._forget_old_lists()

    def _forget_old_lists(self):
        """Keep the lists of persons of the company's last audits only."""
        audits = self.search(
            [("company_id", "=", self.company_id.id), ("state", "=", "done")],
            order="date desc, id desc",
            offset=max(self.company_id.gdpr_audit_keep, 1),
        )
        lines = audits.line_ids.filtered("has_members")
        self.env["gdpr.audit.member"].search([("line_id", "in", lines.ids)]).unlink()
        lines.has_members = False

    @api.autovacuum
    def _gc_waiting(self):
        # an audit that never came about says nothing
        before = fields.Datetime.now() - timedelta(days=30)
        self.search([("state", "=", "waiting"), ("date", "<", before)]).unlink()
