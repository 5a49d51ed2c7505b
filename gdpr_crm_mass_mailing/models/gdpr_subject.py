from odoo import api, models

from ..person import FROM_LEDGER


class GdprSubject(models.Model):
    _inherit = "gdpr.subject"

    # ------------------------------------------------------------
    # Who is left out of a mailing
    # ------------------------------------------------------------

    @api.model
    def _mailing_obstacles(self, emails, purpose, marketing=True):
        """Return which addresses may not be written to, and why.

        Three queries for any number of addresses. An address that nobody knows has
        no basis. Without a purpose only a no counts (objection, restriction).

        :param emails: iterable of normalised addresses
        :param purpose: a ``gdpr.purpose`` record, or empty
        :param bool marketing: without a purpose, whether an objection counts
        :return: dict address → failure type of ``mailing.trace``, and dict
            address → subject of those who may be written to
        """
        emails = set(emails)
        # the basis decides, not what the current user happens to see
        subjects = self.sudo().search_fetch(
            [("email", "in", list(emails))], ["email", "objected", "restricted"]
        )
        purpose = purpose.sudo()
        if purpose:
            allowed = subjects._filter_contactable(purpose)
            obstacles = dict.fromkeys(emails, "gdpr_no_basis")
        else:
            allowed = subjects.filtered(
                lambda s: not (s.restricted or (s.objected and marketing))
            )
            obstacles = {}
        left_out = subjects - allowed
        reasons = left_out._mailing_reasons(purpose)
        obstacles |= {subject.email: reasons[subject.id] for subject in left_out}
        for subject in allowed:
            obstacles.pop(subject.email, None)
        if purpose and purpose._mailing_is_closed():
            obstacles = {
                email: reason if reason in _OWN_NO else "gdpr_purpose"
                for email, reason in obstacles.items()
            }
        return obstacles, {subject.email: subject for subject in allowed}

    def _mailing_reasons(self, purpose):
        """Return subject id → why these people may not be written to."""
        consents = self.env["gdpr.consent"].sudo()
        if purpose and self:
            consents = consents.search_fetch(
                [("subject_id", "in", self.ids), ("purpose_id", "=", purpose.id)],
                ["subject_id", "state", "expires_on"],
            )
        by_subject = {consent.subject_id.id: consent for consent in consents}
        reasons = {}
        for subject in self:
            if subject.restricted:
                reasons[subject.id] = "gdpr_restricted"
            elif subject.objected and (not purpose or purpose.marketing):
                reasons[subject.id] = "gdpr_objected"
            else:
                consent = by_subject.get(subject.id, consents.browse())
                reasons[subject.id] = consent._mailing_reason()
        return reasons

    # ------------------------------------------------------------
    # Objection ↔ blacklist
    # ------------------------------------------------------------

    def _object_to_marketing(self):
        """Also blacklist the addresses, so that Odoo's own lists show it."""
        result = super()._object_to_marketing()
        self._mailing_follow_objection(blacklisted=True)
        return result

    def _withdraw_objection(self):
        result = super()._withdraw_objection()
        self._mailing_follow_objection(blacklisted=False)
        return result

    def _mailing_follow_objection(self, blacklisted):
        emails = [subject.email for subject in self.sudo() if subject.email]
        if not emails:
            return
        # whoever objects, the blacklist is written by the server
        blacklist_sudo = (
            self.env["mail.blacklist"]
            .sudo()
            .with_context(active_test=False, gdpr_act=FROM_LEDGER)
        )
        known = blacklist_sudo.search([("email", "in", emails)])
        known.filtered(lambda line: line.active != blacklisted).active = blacklisted
        if blacklisted:
            missing = set(emails) - set(known.mapped("email"))
            blacklist_sudo.create([{"email": email} for email in sorted(missing)])

    @api.model
    def _mailing_subjects_of(self, emails):
        """Return the subjects of normalised addresses, made where unknown."""
        companies = dict.fromkeys(emails, False)
        subjects = self.sudo()._find_or_create_batch("email", companies)
        return self.sudo().concat(*subjects.values())


# reasons of the person's own, told rather than the purpose's
_OWN_NO = {"gdpr_restricted", "gdpr_objected", "gdpr_declined"}
