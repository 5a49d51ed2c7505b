import hashlib
import json
import logging

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .gdpr_plan_line import MAX_TRIES

_logger = logging.getLogger(__name__)

STEP_ROWS = 5000  # rows dealt with in one transaction of a large erasure
ONE_GO_ROWS = 20000  # a person with more is erased in steps


class GdprRequest(models.Model):
    """Erasure (GDPR Art. 17): plan, approval, execution, certificate."""

    _inherit = "gdpr.request"

    plan_line_ids = fields.One2many(
        "gdpr.plan.line", "request_id", string="Erasure Plan", copy=False
    )
    plan_approved_on = fields.Datetime(readonly=True, copy=False, tracking=True)
    plan_approved_by = fields.Many2one("res.users", readonly=True, copy=False)
    plan_digest = fields.Char(
        readonly=True,
        copy=False,
        help="SHA-256 of what was approved: models, ids, actions.",
    )
    plan_differs = fields.Boolean(
        compute="_compute_plan_differs", help="Data appeared since the approval."
    )
    erase_after = fields.Datetime(
        readonly=True, copy=False, help="Until then the erasure can be undone."
    )
    progress = fields.Integer(
        compute="_compute_progress", help="Rows dealt with, in per cent."
    )

    @api.depends("plan_line_ids.state")
    def _compute_plan_differs(self):
        for request in self:
            request.plan_differs = "new" in request.plan_line_ids.mapped("state")

    @api.depends("plan_line_ids.done_count", "plan_line_ids.count")
    def _compute_progress(self):
        for request in self:
            lines = request.plan_line_ids
            total = sum(lines.mapped("count"))
            done = sum(lines.mapped("done_count"))
            request.progress = round(100 * done / total) if total else 0

    # ------------------------------------------------------------
    # Plan
    # ------------------------------------------------------------

    def action_open_erasure(self):
        """Prepare the plan of a confirmed erasure and open it."""
        self.ensure_one()
        if self.confirmed_on and self.env.user.has_group("gdpr_crm.group_officer"):
            self._prepare_plan()
        return super().action_open_erasure()

    def action_prepare_plan(self):
        """Look the person up (again) and show what would be done."""
        self.ensure_one()
        self._check_officer()
        self._prepare_plan()

    def action_approve_plan(self):
        """Freeze the plan: exactly this is carried out.

        :raise UserError: when an action was changed without a reason
        """
        self._check_officer()
        for request in self:
            request_sudo = request.sudo()  # the plan's state is no officer's to write
            lines = request_sudo.plan_line_ids
            lines._check_changes()
            lines.filtered(lambda line: line.state == "new").state = "planned"
            request_sudo.write(
                {
                    "plan_approved_on": fields.Datetime.now(),
                    "plan_approved_by": self.env.uid,
                    "plan_digest": request_sudo._digest_plan(),
                }
            )

    def _digest_plan(self):
        """Return the SHA-256 of the plan's content."""
        self.ensure_one()
        content = sorted(
            [line.model, line.scope, line.action, line.record_ids or []]
            for line in self.plan_line_ids
        )
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _withdraw_approval(self):
        self.filtered("plan_approved_on").write(
            {"plan_approved_on": False, "plan_approved_by": False, "plan_digest": False}
        )

    def _prepare_plan(self):
        """Bring the plan up to what is found now.

        Before the approval the lines follow what is found, and an officer's changed
        action stays. After it what was approved stays as it is, and rows that nobody
        saw yet become lines of their own.

        :return: whether an approved plan lacks something that is there now
        """
        self.ensure_one()
        request_sudo = self.sudo()  # a plan reaches what no single user sees
        lines = request_sudo.plan_line_ids
        if request_sudo.state in ("done", "partial", "refused", "cancelled"):
            return False
        located = request_sudo.env["gdpr.data.map"]._locate(request_sudo.subject_id)
        if not request_sudo.plan_approved_on:
            request_sudo._rewrite_plan(located)
            return False
        known = {}
        for line in lines:
            known.setdefault(line.model, set()).update(line.record_ids or [])
        missing = [
            entry._replace(ids=rest)
            for entry in located
            if (rest := tuple(set(entry.ids) - known.get(entry.model, set())))
        ]
        foreign = list(request_sudo._without_own_traces(missing))
        if foreign:
            request_sudo._withdraw_approval()
        lines.create(
            [
                lines._prepare_values(entry)
                | {
                    "request_id": request_sudo.id,
                    "state": "new" if foreign else "planned",
                }
                for entry in foreign or missing
            ]
        )
        return bool(foreign)

    def _rewrite_plan(self, located):
        changed = {
            (line.model, line.scope): (line.action, line.reason)
            for line in self.plan_line_ids
            if line.action != line.planned_action
        }
        fresh = {
            (line.model, line.scope)
            for line in self.plan_line_ids
            if line.state == "new"
        }
        self.plan_line_ids.unlink()
        values = []
        for entry in located:
            line = self.plan_line_ids._prepare_values(entry)
            line["request_id"] = self.id
            key = (entry.model, entry.scope)
            if key in changed and entry.action != "keep":
                line["action"], line["reason"] = changed[key]
            if key in fresh:
                line["state"] = "new"
            values.append(line)
        self.plan_line_ids.create(values)

    def _without_own_traces(self, located):
        """Leave out what handling the request itself writes: that needs no approval.

        Its messages, the mails to the person, its activities and links.
        """
        traces = {
            "gdpr.request": set(self._requests_of_same_person().ids),
        }
        Message = self.env["mail.message"]
        messages = Message.search([("model", "=", "gdpr.request")])
        traces["mail.message"] = set(messages.ids)
        for model_name in ("mail.mail", "mail.notification", "mail.tracking.value"):
            records = self.env[model_name].search(
                [("mail_message_id", "in", messages.ids)]
            )
            traces[model_name] = set(records.ids)
        for entry in located:
            if entry.model.startswith("gdpr.") and entry.model != "gdpr.request":
                continue
            known = traces.get(entry.model, set())
            rest = tuple(id_ for id_ in entry.ids if id_ not in known)
            if rest:
                yield entry._replace(ids=rest)

    def _planned(self):
        """Return the plan as the map takes it."""
        return [line._located() for line in self.sudo().plan_line_ids]

    # ------------------------------------------------------------
    # Execution
    # ------------------------------------------------------------

    def _process_erasure(self):
        """Erase as approved: at once, or in steps where a person has very many rows.

        What appeared since the approval stops it: the request then shows the
        difference, and nothing is erased.
        """
        self.ensure_one()
        self._check_no_open_access()
        if self.subject_id:
            differs = self._prepare_plan()
            if differs:
                return self._show_difference()
            if not self.plan_approved_on:
                self.action_approve_plan()
            self.env["gdpr.data.map"].sudo()._check_erasable(self.sudo().subject_id)
            days = self.company_id.gdpr_grace_days
            if days and not self.erase_after:
                return self._schedule_erasure(days)
            if sum(self.sudo().plan_line_ids.mapped("count")) > ONE_GO_ROWS:
                return self._schedule_erasure(0)
        # the map runs as superuser: it reaches what no single user sees
        result = self.env["gdpr.data.map"].sudo()._erase(self.subject_id, self)
        self._close_erasure(result)
        return None

    def _check_no_open_access(self):
        """:raise UserError: while the person waits for a copy of the same data"""
        waiting = self._requests_of_same_person().filtered(
            lambda request: (
                request.is_open and request.right in ("access", "portability")
            )
        )
        if waiting:
            raise UserError(
                self.env._(
                    "The person asked for a copy of these data too: answer %(name)s "
                    "first, or cancel it at the person's wish.",
                    name=waiting[0].name,
                )
            )

    def _show_difference(self):
        self._schedule_officer(
            self.env._("Data appeared since the plan was approved"), self.due_on
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "sticky": True,
                "message": self.env._(
                    "Nothing was erased: data appeared since the plan was approved. "
                    "Look at the lines marked so, approve the plan, then erase."
                ),
            },
        }

    def _schedule_erasure(self, days):
        after = fields.Datetime.now() + relativedelta(days=days)
        self.write({"state": "processing", "erase_after": after})
        cron = self.env.ref("gdpr_crm.ir_cron_erase")
        cron.sudo()._trigger(after)

    def action_undo_erasure(self):
        """Take an erasure back that waits for the end of its grace period."""
        self._check_officer()
        for request in self:
            lines = request.sudo().plan_line_ids
            if request.state != "processing" or any(lines.mapped("done_count")):
                raise UserError(
                    self.env._("%(name)s can't be undone any more.", name=request.name)
                )
            request.write({"state": "confirmed", "erase_after": False})

    def action_continue_erasure(self):
        """Go on with an erasure that stopped at a step."""
        self._check_officer()
        lines = self.sudo().plan_line_ids.filtered(lambda line: line.state == "stopped")
        lines.write({"state": "planned", "tries": 0, "error": False})
        self.env.ref("gdpr_crm.ir_cron_erase").sudo()._trigger()

    @api.model
    def _cron_erase(self):
        """Carry out the erasures that wait, a step in each transaction."""
        now = fields.Datetime.now()
        due = self.search(
            [
                ("right", "=", "erasure"),
                ("state", "=", "processing"),
                ("erase_after", "<=", now),
            ],
            order="erase_after",
        )
        for request in due:
            while request._erase_step():
                if not self.env["ir.cron"]._commit_progress(1, remaining=1):
                    return
        self._finish_kept()

    def _erase_step(self):
        """Do the next part of an erasure.

        :return: whether there is more to do now
        """
        self.ensure_one()
        request_sudo = self.sudo()
        if not request_sudo.try_lock_for_update():
            return False
        Map = request_sudo.env["gdpr.data.map"]
        line = Map._next_step(request_sudo)
        if line and line.state == "stopped":
            return False
        try:
            with self.env.cr.savepoint():
                if line:
                    Map._erase_slice(request_sudo, line, STEP_ROWS)
                    return True
                result = Map._finish(request_sudo)
        except UserError as error:
            return request_sudo._note_failure(line, error)
        request_sudo._close_erasure(result)
        return False

    def _note_failure(self, line, error):
        """Count a failed try; after some the officer is asked."""
        line = (
            line
            or self.plan_line_ids.filtered(
                lambda step: step.scope == "own" and step.state != "done"
            )[-1:]
        )
        _logger.warning("A step of an erasure failed: %s", line.model)
        line.write({"tries": line.tries + 1, "error": str(error)[:500]})
        if line.tries < MAX_TRIES:
            return True
        line.state = "stopped"
        self._schedule_officer(
            self.env._("The erasure stopped: a step fails"),
            fields.Date.context_today(self),
        )
        return False

    def _close_erasure(self, result):
        """Record the result, certify it to the person, and forget their address."""
        requests = self | self._requests_of_same_person()
        self.sudo().write({"result": result})
        self._close("partial" if result.get("left") else "done")
        self._send_certificate()
        requests._forget_requester()
        self.sudo().plan_line_ids._settle()
