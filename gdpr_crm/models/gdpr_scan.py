from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .gdpr_scan_target import TARGETS


class GdprScan(models.Model):
    """A search for sensitive data in the texts on file (GDPR Art. 9).

    It runs in the background in batches, each committed with its findings and its
    position: a killed worker loses nothing, and users work on meanwhile.
    """

    _name = "gdpr.scan"
    _description = "Sensitive Data Scan"
    _order = "id desc"
    _rec_name = "create_date"

    scope = fields.Selection(
        [("all", "Everything"), ("changed", "What changed since the last scan")],
        required=True,
        default="all",
    )
    since = fields.Datetime(readonly=True, help="Only what was written since then.")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("running", "Running"),
            ("paused", "Paused"),
            ("stopped", "Stopped"),
            ("done", "Done"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
    )
    started_on = fields.Datetime(readonly=True, copy=False)
    ended_on = fields.Datetime(readonly=True, copy=False)
    target_ids = fields.One2many(
        "gdpr.scan.target", "scan_id", string="Tables", readonly=True, copy=False
    )
    progress = fields.Float(compute="_compute_progress", help="In percent.")
    scanned = fields.Integer(string="Rows Looked at", compute="_compute_progress")
    found = fields.Integer(string="New Findings", compute="_compute_progress")

    @api.depends("target_ids.scanned", "target_ids.total", "target_ids.found", "state")
    def _compute_progress(self):
        for scan in self:
            total = sum(scan.target_ids.mapped("total"))
            scan.scanned = sum(scan.target_ids.mapped("scanned"))
            scan.found = sum(scan.target_ids.mapped("found"))
            if scan.state == "done":
                scan.progress = 100
            else:
                scan.progress = min(99, 100 * scan.scanned / total) if total else 0

    def action_start(self):
        """Start or go on; the work itself is done by the scheduler."""
        for scan in self:
            if scan.state not in ("draft", "paused"):
                raise UserError(self.env._("This scan runs already or is over."))
            if scan.state == "draft":
                scan._prepare()
            scan.state = "running"
        self.env.ref("gdpr_crm.ir_cron_scan").sudo()._trigger()

    def _prepare(self):
        """List the tables; remember from when what changes is left to the next scan."""
        self.ensure_one()
        last = self.search(
            [("state", "=", "done"), ("id", "!=", self.id)],
            order="started_on desc",
            limit=1,
        )
        self.started_on = fields.Datetime.now()
        if self.scope == "changed" and last:
            # a row's date is its transaction's start, which may lie before
            self.since = last.started_on - timedelta(hours=1)
        # officers read how far a scan is, and don't write it
        self.env["gdpr.scan.target"].sudo().create(
            [
                {"scan_id": self.id, "res_model": model_name}
                for model_name in TARGETS
                if model_name in self.env
            ]
        )._count()

    def action_pause(self):
        """Pause after the batch that runs now."""
        self.filtered(lambda scan: scan.state == "running").state = "paused"

    def action_stop(self):
        """Stop; what was found stays."""
        running = self.filtered(lambda scan: scan.state in ("running", "paused"))
        running.write({"state": "stopped", "ended_on": fields.Datetime.now()})

    def action_view_findings(self):
        """Open the findings that wait for a decision."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm.gdpr_finding_action"
        )

    @api.model
    def _cron_run(self):
        """Work on the running scans, batch by batch, as long as the worker may."""
        while target := self._next_target():
            count = target._run_batch()
            scan = target.scan_id
            if not scan.target_ids.filtered(lambda t: not t.done):
                scan.write({"state": "done", "ended_on": fields.Datetime.now()})
            remaining = scan.state == "running" or self._next_target()
            if not self.env["ir.cron"]._commit_progress(
                count or 1, remaining=1 if remaining else 0
            ):
                break
            # somebody may have paused it meanwhile
            self.env.invalidate_all()

    @api.model
    def _next_target(self):
        return self.env["gdpr.scan.target"].search(
            [("scan_id.state", "=", "running"), ("done", "=", False)], limit=1
        )

    @api.model
    def _cron_start(self):
        """Scan what changed since the last scan, unless one is on its way."""
        if not self.search_count([("state", "in", ("running", "paused"))], limit=1):
            self.create({"scope": "changed"}).action_start()
