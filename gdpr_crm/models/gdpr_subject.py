import hashlib
import hmac
import secrets

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize

SUPPRESSION_KEY = "gdpr_crm.suppression_key"


class GdprSubject(models.Model):
    """One natural person, as the CRM knows them (GDPR Art. 4(1)).

    Partners and leads point here (``gdpr_subject_id``), so what a person decided
    survives conversion, merge and duplicates. The person is known by normalised
    e-mail address, else by E.164 telephone number, else by one single record.
    After an erasure only keyed hashes of the identifiers are left.
    """

    _name = "gdpr.subject"
    _description = "Data Subject"
    _order = "id desc"

    email = fields.Char(readonly=True, help="Normalised e-mail address.")
    phone = fields.Char(readonly=True, help="Telephone number in E.164 format.")
    company_id = fields.Many2one(
        "res.company",
        readonly=True,
        index="btree_not_null",
        help="Set while only one company's records concern this person.",
    )
    partner_ids = fields.One2many(
        "res.partner", "gdpr_subject_id", string="Contacts", readonly=True
    )
    lead_ids = fields.One2many(
        "crm.lead", "gdpr_subject_id", string="Leads", readonly=True
    )
    consent_ids = fields.One2many(
        "gdpr.consent", "subject_id", string="Consents", readonly=True
    )
    event_ids = fields.One2many(
        "gdpr.consent.event", "subject_id", string="Consent Events", readonly=True
    )
    request_ids = fields.One2many(
        "gdpr.request", "subject_id", string="Requests", readonly=True
    )
    restricted = fields.Boolean(
        string="Processing Restricted",
        readonly=True,
        help="The data are only stored and not used (GDPR Art. 18).",
    )
    restricted_since = fields.Datetime(readonly=True)
    objected = fields.Boolean(
        string="Objects to Direct Marketing",
        readonly=True,
        help="No direct marketing any more (GDPR Art. 21(2)-(3)).",
    )
    objected_since = fields.Datetime(readonly=True)
    erased_on = fields.Datetime(readonly=True)
    returned_after_erasure = fields.Boolean(
        readonly=True,
        help="The identifier belongs to a person who was erased before: it came "
        "back, and every consent has to be asked for again.",
    )
    consent_summary = fields.Selection(
        [
            ("none", "No answer"),
            ("pending", "To be confirmed"),
            ("given", "Consent given"),
            ("declined", "Refused or withdrawn"),
            ("objected", "Objects to marketing"),
            ("restricted", "Processing restricted"),
            ("erased", "Erased"),
        ],
        string="Privacy Status",
        compute="_compute_consent_summary",
        store=True,
        index=True,
    )
    email_digest = fields.Char(groups=fields.NO_ACCESS, index="btree_not_null")
    phone_digest = fields.Char(groups=fields.NO_ACCESS, index="btree_not_null")
    evidence_salt = fields.Char(
        groups=fields.NO_ACCESS,
        copy=False,
        help="Binds the evidence to the ledger; thrown away at erasure.",
    )

    chain_length = fields.Integer(
        groups=fields.NO_ACCESS, copy=False, help="Events in the person's chain."
    )
    chain_hash = fields.Char(
        groups=fields.NO_ACCESS, copy=False, help="Hash of the chain's last event."
    )

    _email_unique = models.UniqueIndex(
        "(email) WHERE email IS NOT NULL",
        "There is one data subject an e-mail address.",
    )
    _phone_unique = models.UniqueIndex(
        "(phone) WHERE phone IS NOT NULL", "There is one data subject a phone number."
    )

    # few are restricted, and every write on a contact or lead asks who
    _restricted_idx = models.Index("(id) WHERE restricted IS TRUE")

    # ------------------------------------------------------------
    # Compute and search
    # ------------------------------------------------------------

    @api.depends("email", "phone", "erased_on")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for subject in self:
            if subject.erased_on:
                name = subject._erased_name()
            else:
                name = (
                    subject.email
                    or subject.phone
                    or self.env._("Person #%(id)s", id=subject.id)
                )
            subject.display_name = name

    def _erased_name(self):
        """Return the name under which an erased person's records stay."""
        self.ensure_one()
        return self.env._("Erased person #%(id)s", id=self.id)

    @api.depends("erased_on", "restricted", "objected", "consent_ids.state")
    def _compute_consent_summary(self):
        for subject in self:
            states = set(subject.consent_ids.mapped("state"))
            if subject.erased_on:
                summary = "erased"
            elif subject.restricted:
                summary = "restricted"
            elif subject.objected:
                summary = "objected"
            elif "given" in states:
                summary = "given"
            elif "pending" in states:
                summary = "pending"
            else:
                summary = "declined" if states else "none"
            subject.consent_summary = summary

    # ------------------------------------------------------------
    # Identity
    # ------------------------------------------------------------

    @api.model
    def _find_or_create(self, email=None, phone=None, partner=None, lead=None):
        """Return the data subject of these identifiers, made if it isn't known.

        :param str email: any way of writing it; normalised here
        :param str phone: in E.164 format
        :param partner: ``res.partner`` record whose subject is wanted
        :param lead: ``crm.lead`` record whose subject is wanted
        :return: one ``gdpr.subject``; empty when nothing identifies a person
        """
        email = email_normalize(email) if email else None
        if email:
            return self._find_or_create_batch("email", {email: False})[email]
        if phone:
            return self._find_or_create_batch("phone", {phone: False})[phone]
        return (partner or lead or self.browse()) and (partner or lead).gdpr_subject_id

    @api.model
    def _find_or_create_batch(self, field_name, companies):
        """Return the subjects of many identifiers in two queries.

        :param str field_name: ``email`` or ``phone``
        :param dict companies: normalised identifier → company id or False
        :return: dict identifier → ``gdpr.subject``
        """
        self.env["gdpr.subject"].flush_model(["email", "phone", "company_id"])
        found = self._subject_ids(field_name, companies)
        missing = [value for value in companies if value not in found]
        if missing:
            returning = self._erased_identifiers(field_name, missing)
            # unlike create(), this can't fail when two workers meet a person at once
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO gdpr_subject (%(field)s, company_id,
                        consent_summary, returned_after_erasure, objected,
                        objected_since, create_uid, write_uid, create_date, write_date)
                    SELECT v.value, v.company_id,
                        CASE WHEN v.objected THEN 'objected' ELSE 'none' END,
                        v.returned, v.objected, CASE WHEN v.objected THEN %(now)s END,
                        %(uid)s, %(uid)s, %(now)s, %(now)s
                      FROM unnest(%(values)s::text[], %(companies)s::int[],
                                  %(returned)s::bool[], %(objected)s::bool[])
                           AS v(value, company_id, returned, objected)
                    ON CONFLICT DO NOTHING
                    """,
                    field=SQL.identifier(field_name),
                    uid=self.env.uid,
                    now=self.env.cr.now(),
                    values=missing,
                    companies=[companies[value] or None for value in missing],
                    returned=[value in returning for value in missing],
                    # who objected and was erased hasn't changed their mind
                    objected=[returning.get(value, False) for value in missing],
                )
            )
            found |= self._subject_ids(field_name, missing)
        subjects = {value: self.browse(found[value]) for value in companies}
        self.concat(*subjects.values())._widen_company(
            {subjects[value].id: company for value, company in companies.items()}
        )
        return subjects

    @api.model
    def _subject_ids(self, field_name, values):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT %(field)s, id FROM gdpr_subject WHERE %(field)s = ANY(%(values)s)
                """,
                field=SQL.identifier(field_name),
                values=list(values),
            )
        )
        return dict(rows)

    @api.model
    def _of_user(self, user):
        """Return the subject of a signed-in user, empty when that isn't certain.

        Whoever signs in can type somebody else's address into their account: the
        address counts when it is their login, or nobody else's record carries it.
        """
        partner = user.partner_id.sudo().with_context(active_test=False)
        subject = partner.gdpr_subject_id
        if subject.email and subject.email == email_normalize(user.login):
            return subject
        foreign = (subject.partner_ids - partner) or subject.lead_ids.filtered(
            lambda lead: lead.partner_id != partner
        )
        return subject.browse() if foreign else subject

    def _widen_company(self, companies):
        """Make the subjects of several companies visible to all of them."""
        shared = self.sudo().filtered(
            lambda subject: (
                subject.company_id and subject.company_id.id != companies[subject.id]
            )
        )
        if shared:
            shared.company_id = False

    # ------------------------------------------------------------
    # Suppression
    # ------------------------------------------------------------

    @api.model
    def _suppression_digest(self, value):
        """Return the keyed hash (HMAC-SHA-256, hex) of an identifier."""
        parameters = self.env["ir.config_parameter"].sudo()
        key = parameters.get_param(SUPPRESSION_KEY)
        if not key:
            key = secrets.token_hex(32)
            parameters.set_param(SUPPRESSION_KEY, key)
        return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()

    @api.model
    def _erased_identifiers(self, field_name, values):
        """Return which of these identifiers belonged to a person who was erased.

        :return: dict identifier → whether that person objected to direct marketing
        """
        if not self.sudo().search_count([("erased_on", "!=", False)], limit=1):
            return {}
        digests = {self._suppression_digest(value): value for value in values}
        digest_field = f"{field_name}_digest"
        erased = self.sudo().search([(digest_field, "in", list(digests))])
        return {
            digests[digest]: any(group.mapped("objected"))
            for digest, group in erased.grouped(digest_field).items()
        }

    def _erase_identity(self, phones=()):
        """Leave only what stops a return unnoticed: the suppression record.

        :param phones: numbers that are this person's alone, in E.164 format

        The salt goes with the evidence, so the ledger still verifies while its
        commitments can't be tried out against guessed values (GDPR Art. 17(3)).
        """
        for subject in self.sudo():
            phone = subject.phone or next(iter(phones), False)
            subject.event_ids._destroy_evidence()
            subject.write(
                {
                    "email_digest": subject.email
                    and self._suppression_digest(subject.email),
                    "phone_digest": phone and self._suppression_digest(phone),
                    "email": False,
                    "phone": False,
                    "evidence_salt": False,
                    "erased_on": fields.Datetime.now(),
                }
            )

    def _lock_chain(self):
        """Keep two events of one person apart.

        It writes the row instead of only locking it: of two transactions at once the
        second then starts again with the first one's event in view, and both are
        recorded.
        """
        self.ensure_one()
        self.env.cr.execute(
            SQL(
                "UPDATE gdpr_subject SET write_date = %s WHERE id = %s",
                self.env.cr.now(),
                self.id,
            )
        )

    def _get_evidence_salt(self):
        self.ensure_one()
        subject_sudo = self.sudo()  # nobody may read the salt
        if not subject_sudo.evidence_salt:
            subject_sudo.evidence_salt = secrets.token_hex(16)
        return subject_sudo.evidence_salt

    # ------------------------------------------------------------
    # Who may be written to
    # ------------------------------------------------------------

    def _may_contact(self, purpose):
        """Tell whether this person may be written to for ``purpose``.

        :param purpose: a ``gdpr.purpose`` record, or empty
        :return: bool; False whenever no valid basis is on record
        """
        self.ensure_one()
        return bool(self._filter_contactable(purpose))

    def _filter_contactable(self, purpose):
        """Return those of the subjects who may be written to for ``purpose``.

        Closed by default: an unknown or archived purpose lets nobody through.
        """
        if not purpose or not self:
            return self.browse()
        # the basis decides, not what the current user happens to see
        domain = Domain("id", "in", self.ids) & purpose.sudo()._contactable_domain()
        allowed = set(self.sudo()._search(domain))
        return self.filtered(lambda subject: subject.id in allowed)

    # ------------------------------------------------------------
    # Rights
    # ------------------------------------------------------------

    def _restrict(self):
        """Mark the data as not to be used (GDPR Art. 18)."""
        self.sudo().filtered(lambda subject: not subject.restricted).write(
            {"restricted": True, "restricted_since": fields.Datetime.now()}
        )

    def _lift_restriction(self):
        self.sudo().write({"restricted": False, "restricted_since": False})

    def _object_to_marketing(self):
        """Record an objection to direct marketing; it takes effect at once."""
        self.sudo().filtered(lambda subject: not subject.objected).write(
            {"objected": True, "objected_since": fields.Datetime.now()}
        )

    def _withdraw_objection(self):
        self.sudo().write({"objected": False, "objected_since": False})

    def _carry_refusals_to(self, other):
        """Keep a person's no when their address changes; a yes is asked for anew.

        Whether the record now describes the same person can't be known: nobody is
        written to on a consent that may be another's.
        """
        if self.restricted:
            other._restrict()
        if self.objected:
            other._object_to_marketing()
        declined = self.sudo().consent_ids.filtered(
            lambda consent: consent.state in ("refused", "withdrawn")
        )
        known = other.sudo().consent_ids.purpose_id
        for consent in declined.filtered(lambda c: c.purpose_id not in known):
            self.env["gdpr.consent"]._record(
                other, consent.purpose_id, "withdraw", channel="system"
            )

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_open_consent_entry(self):
        """Open the wizard that records what the person decided."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "gdpr.consent.entry",
            "name": self.env._("Record a Decision"),
            "view_mode": "form",
            "target": "new",
            "context": {"default_subject_id": self.id},
        }

    def action_verify_ledger(self):
        """Verify the chains of these subjects and tell the result."""
        faults = self.env["gdpr.consent.event"]._verify(self)
        if faults:
            raise UserError(
                self.env._(
                    "The ledger doesn't verify. Faulty events: %(events)s",
                    events=", ".join(f"{f.event_id} ({f.reason})" for f in faults),
                )
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("The ledger verifies: no event was altered."),
            },
        }
