from odoo import api, fields, models
from odoo.exceptions import UserError

from .gdpr_data_map import Located

MAX_TRIES = 3


class GdprPlanLine(models.Model):
    """What an erasure does with the rows of one model, frozen with the request.

    What the officer approved is what is done: the ids, the action and its ground are
    kept here, and each line is a step that a killed worker's successor goes on with.
    """

    _name = "gdpr.plan.line"
    _description = "Line of an Erasure Plan"
    _order = "request_id, id"
    _rec_name = "model"

    request_id = fields.Many2one(
        "gdpr.request", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="request_id.company_id")
    model = fields.Char(required=True, readonly=True)
    label = fields.Char(string="Data", compute="_compute_label")
    scope = fields.Selection(
        selection=lambda self: self.env["gdpr.data.rule"]._selection_scope(),
        string="Found as",
        required=True,
        readonly=True,
    )
    record_ids = fields.Json(readonly=True, help="The ids of the rows, nothing else.")
    count = fields.Integer(string="Records", readonly=True)
    planned_action = fields.Selection(
        selection=lambda self: self.env["gdpr.data.rule"]._selection_action(),
        string="By Rule",
        required=True,
        readonly=True,
    )
    action = fields.Selection(
        selection=lambda self: self.env["gdpr.data.rule"]._selection_action(),
        required=True,
    )
    ground = fields.Char(string="Why", readonly=True)
    until = fields.Date(string="Kept until", readonly=True)
    keeps_identity = fields.Boolean(readonly=True)
    reason = fields.Char(
        string="Reason of the Change",
        help="Why it is treated otherwise than the rule says.",
    )
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("new", "Appeared Since"),
            ("done", "Done"),
            ("stopped", "Stopped"),
        ],
        required=True,
        readonly=True,
        default="planned",
    )
    done_count = fields.Integer(readonly=True, help="Rows that are dealt with.")
    tries = fields.Integer(readonly=True)
    error = fields.Char(readonly=True)
    retained = fields.Json(
        readonly=True, help="Reason → ids of what the model itself said has to stay."
    )
    finished_on = fields.Date(
        readonly=True, help="When the kept rows lost what identifies the person."
    )

    @api.depends("model")
    @api.depends_context("lang")
    def _compute_label(self):
        for line in self:
            line.label = self.env["gdpr.data.map"]._label(line.model)

    def write(self, vals):
        """Only the action and its reason are the officer's, and only until it runs."""
        if not self.env.su:
            if set(vals) - {"action", "reason"}:
                raise UserError(
                    self.env._("Only the action of a plan and its reason can change.")
                )
            if self.filtered(lambda line: line.state == "done") or (
                self.request_id.filtered(lambda request: not request.is_open)
            ):
                raise UserError(self.env._("This is carried out already."))
            # a changed plan has to be approved anew
            self.request_id.sudo()._withdraw_approval()
        return super().write(vals)

    def _check_changes(self):
        """:raise UserError: when an action was changed without a reason"""
        for line in self:
            # a namesake's rows wait for a decision: it needs no further reason
            if line.action == line.planned_action or line.planned_action == "review":
                continue
            if not (line.reason or "").strip():
                raise UserError(
                    self.env._(
                        "“%(label)s” is treated otherwise than its rule says: "
                        "state the reason.",
                        label=line.label,
                    )
                )

    @api.model
    def _prepare_values(self, entry):
        """Return the values of a line for one :class:`Located`."""
        return {
            "model": entry.model,
            "scope": entry.scope,
            "record_ids": list(entry.ids),
            "count": len(entry.ids),
            "planned_action": entry.action,
            "action": entry.action,
            "ground": entry.ground,
            "until": entry.until,
            "keeps_identity": entry.keeps_identity,
        }

    def _located(self, start=0, stop=None):
        """Return the line as a :class:`Located`, or a slice of its rows."""
        self.ensure_one()
        return Located(
            self.model,
            self.scope,
            tuple((self.record_ids or [])[start:stop]),
            self.action,
            self.reason or self.ground or "",
            self.until and fields.Date.to_string(self.until),
            self.keeps_identity,
        )

    def action_show_rows(self):
        """Open the rows that this line is about."""
        self.ensure_one()
        if self.model not in self.env:
            raise UserError(self.env._("The app of these records isn't installed."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.model,
            "name": self.label,
            "view_mode": "list,form",
            "domain": [("id", "in", self.record_ids or [])],
            "context": {"active_test": False},
        }

    def _settle(self):
        """Close the lines of an erasure that is done.

        Ids stay of kept rows only: a later job blanks them on their date.
        """
        for line in self:
            kept = line.action in ("keep", "review")
            line.write(
                {
                    "state": "done",
                    "done_count": line.count,
                    "error": False,
                    "record_ids": line.record_ids if kept else False,
                }
            )
