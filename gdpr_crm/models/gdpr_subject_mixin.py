from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class GdprSubjectMixin(models.AbstractModel):
    """What makes a model of persons privacy-aware: partner and lead inherit it.

    It links each record to its data subject, shows the subject's consents,
    restriction and objection on it, keeps special-category data out of its texts
    (see ``gdpr_sensitive_mixin``) and guards its definitive deletion.

    A model defines:

    * ``_gdpr_is_person()``: which of its records describe a natural person;
    * ``_gdpr_own_identity()``: whether a person without address and number still is
      one (True for a contact, for a lead only with a contact name).
    """

    _name = "gdpr.subject.mixin"
    _inherit = ["gdpr.sensitive.mixin", "gdpr.source.mixin"]
    _description = "Data Subject Mixin"

    gdpr_subject_id = fields.Many2one(
        "gdpr.subject",
        string="Data Subject",
        compute="_compute_gdpr_subject_id",
        store=True,
        index="btree_not_null",
        copy=False,
        ondelete="restrict",
    )
    gdpr_erased = fields.Boolean(
        string="Erased",
        copy=False,
        readonly=True,
        help="The person was erased: what is left keeps no link to them.",
    )
    gdpr_status = fields.Selection(
        related="gdpr_subject_id.consent_summary", string="Privacy Status"
    )
    gdpr_consent_ids = fields.One2many(related="gdpr_subject_id.consent_ids")
    gdpr_restricted = fields.Boolean(related="gdpr_subject_id.restricted")
    gdpr_objected = fields.Boolean(related="gdpr_subject_id.objected")
    gdpr_request_count = fields.Integer(compute="_compute_gdpr_request_count")

    # ------------------------------------------------------------
    # Link to the data subject
    # ------------------------------------------------------------

    def _gdpr_is_person(self):
        """Return the records of ``self`` that describe a natural person."""
        raise NotImplementedError

    def _gdpr_own_identity(self):
        """Return the records that are a person even without e-mail and phone."""
        raise NotImplementedError

    def _gdpr_identifying_phone(self):
        """Return the number that belongs to this person alone, or False."""
        self.ensure_one()
        return self.phone_sanitized

    def _compute_gdpr_subject_id(self):
        # an onchange must not make subjects of what is still being typed
        new = self.filtered(lambda record: not record.id)
        for record in new:
            record.gdpr_subject_id = record._origin.gdpr_subject_id
        # an erased record never finds its way back to a person
        erased = (self - new).filtered("gdpr_erased")
        for record in erased:
            record.gdpr_subject_id = record.gdpr_subject_id
        split = (self - new - erased)._gdpr_split_off()
        for record in split:
            record.gdpr_subject_id = record.gdpr_subject_id
        records = self - new - erased - split
        before = {record: record.gdpr_subject_id for record in records}
        persons = records._gdpr_is_person()
        (records - persons).gdpr_subject_id = False
        persons._gdpr_link_subjects()
        for record, subject in before.items():
            if subject and record.gdpr_subject_id not in (subject, subject.browse()):
                subject._carry_refusals_to(record.gdpr_subject_id)

    def _gdpr_link_subjects(self):
        """Point the persons to their subjects, made where they aren't known.

        One query to find and one to make for each kind of identifier, however many
        the records.
        """
        Subject = self.env["gdpr.subject"].sudo()  # any user may write a contact
        by_email = self.filtered("email_normalized")
        phones = {
            record: phone
            for record in self - by_email
            if (phone := record._gdpr_identifying_phone())
        }
        subjects = Subject._find_or_create_batch(
            "email", by_email._gdpr_companies(lambda record: record.email_normalized)
        )
        for record in by_email:
            record.gdpr_subject_id = subjects[record.email_normalized]
        by_phone = self.browse().concat(*phones)
        subjects = Subject._find_or_create_batch(
            "phone", by_phone._gdpr_companies(phones.get)
        )
        for record in by_phone:
            record.gdpr_subject_id = subjects[phones[record]]
        rest = self - by_email - by_phone
        own = rest._gdpr_own_identity()
        (rest - own).gdpr_subject_id = False
        own._gdpr_link_own_subject(Subject)

    def _gdpr_companies(self, identifier):
        """Return identifier → the one company whose records carry it, or False."""
        companies = {}
        for record in self:
            company = record.company_id.id or False
            key = identifier(record)
            companies[key] = (
                company if companies.get(key, company) == company else False
            )
        return companies

    def _gdpr_link_own_subject(self, Subject):
        """Give each record a subject of its own, kept once it has one."""
        current = {record: record.gdpr_subject_id for record in self}
        keep = self.filtered(
            lambda record: (
                (subject := current[record])
                and not (subject.email or subject.phone or subject.erased_on)
            )
        )
        for record in keep:
            record.gdpr_subject_id = current[record]
        missing = self - keep
        made = Subject.create([{"company_id": r.company_id.id} for r in missing])
        for record, subject in zip(missing, made, strict=True):
            record.gdpr_subject_id = subject

    @api.depends("gdpr_subject_id")
    def _compute_gdpr_request_count(self):
        groups = self.env["gdpr.request"]._read_group(
            [("subject_id", "in", self.gdpr_subject_id.ids)],
            ["subject_id"],
            ["__count"],
        )
        counts = {subject.id: count for subject, count in groups}
        for record in self:
            record.gdpr_request_count = counts.get(record.gdpr_subject_id.id, 0)

    # ------------------------------------------------------------
    # Definitive deletion
    # ------------------------------------------------------------

    @api.ondelete(at_uninstall=False)
    def _unlink_except_unconfirmed_erasure(self):
        """Refuse the deletion of a person that nobody confirmed.

        Merges and Odoo's technical deletions run as superuser and pass; a user goes
        through an erasure request, or an officer states a reason.
        """
        if not self.env.su and not self.env["gdpr.deletion"]._is_allowed(self):
            self._gdpr_refuse_deletion()

    def _gdpr_refuse_deletion(self):
        """:raise UserError: when one of these records describes a person"""
        persons = self.sudo().filtered("gdpr_subject_id")
        if persons:
            raise UserError(
                self.env._(
                    "%(count)s of these records describe a person and can't simply be "
                    "deleted. Start an erasure request (Privacy ▸ Erase…), so that "
                    "the person's confirmation is on record, or ask a privacy officer "
                    "to delete with a documented reason (duplicate, test record, end "
                    "of retention).",
                    count=len(persons),
                )
            )

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_gdpr_requests(self):
        """Open the requests of this person."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm.gdpr_request_action"
        )
        action["domain"] = Domain("subject_id", "=", self.gdpr_subject_id.id)
        action["context"] = self._gdpr_request_context()
        return action

    def _gdpr_request_context(self):
        """Return the defaults of a request made from this record."""
        self.ensure_one()
        return {
            "default_subject_id": self.gdpr_subject_id.id,
            "default_email": self.gdpr_subject_id.email,
            "default_channel": "staff",
        }

    def action_gdpr_consent(self):
        """Open the wizard that records what the person decided."""
        self.ensure_one()
        self._gdpr_check_person()
        return self.gdpr_subject_id.action_open_consent_entry()

    def action_gdpr_export(self):
        """Start an access request for this person and open the export wizard."""
        return self._gdpr_open_wizard("gdpr.export")

    def action_gdpr_erase(self):
        """Start an erasure request for this person and open the erasure wizard."""
        action = self._gdpr_open_wizard("gdpr.erasure")
        request = (
            self.env["gdpr.erasure"]
            .new({"subject_id": self.gdpr_subject_id.id})
            .request_id
        )
        # a confirmed erasure has a plan: it is shown, and what is shown is done
        return request._origin.action_open_erasure() if request else action

    def _gdpr_open_wizard(self, model_name):
        self.ensure_one()
        self._gdpr_check_person()
        return {
            "type": "ir.actions.act_window",
            "res_model": model_name,
            "name": self.env[model_name]._description,
            "view_mode": "form",
            "target": "new",
            "context": {"default_subject_id": self.gdpr_subject_id.id},
        }

    def _gdpr_check_person(self):
        if not self.gdpr_subject_id:
            raise UserError(
                self.env._(
                    "This record describes no person: a company is no data subject. "
                    "Open the person's own contact."
                )
            )
