import binascii

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import hash_sign, verify_hash_signed

PREFERENCES = "preferences"
UNSUBSCRIBE = "unsubscribe"


class GdprSubject(models.Model):
    """The person's links in what is sent to them, and who may be asked."""

    _inherit = "gdpr.subject"

    # ------------------------------------------------------------
    # Personal links
    # ------------------------------------------------------------

    def _sign(self, scope, *values):
        # signed and not stored: one mailing would make a row a recipient otherwise
        self.ensure_one()
        return hash_sign(self.sudo().env, f"gdpr_crm.{scope}", [self.id, *values])

    @api.model
    def _verify_signed(self, scope, token):
        """Return (subject, further values) of a signed link; empty when it is forged.

        :param str token: as made by :meth:`_sign`, from anybody
        """
        try:
            values = verify_hash_signed(
                self.sudo().env, f"gdpr_crm.{scope}", token or ""
            )
        except (ValueError, binascii.Error, OverflowError, IndexError):
            values = None
        if not values:
            return self.sudo().browse(), []
        return self.sudo().browse(values[0]).exists(), values[1:]

    def _preference_url(self, purpose=None):
        """Return the absolute address of the person's preference page.

        Whoever has it can decide for the person: it belongs into messages to their
        own address only.

        :param purpose: the ``gdpr.purpose`` to show first
        """
        token = self._sign(PREFERENCES)
        anchor = f"#purpose-{purpose.id}" if purpose else ""
        return f"{self.get_base_url()}/privacy/preferences/{token}{anchor}"

    def _unsubscribe_url(self, purpose):
        """Return the absolute address that stops ``purpose`` by one POST (RFC 8058)."""
        token = self._sign(UNSUBSCRIBE, purpose.id)
        return f"{self.get_base_url()}/privacy/unsubscribe/{token}"

    def _list_unsubscribe_headers(self, purpose):
        """Return the mail headers of RFC 2369 and RFC 8058 for ``purpose``."""
        return {
            "List-Unsubscribe": f"<{self._unsubscribe_url(purpose)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }

    def _get_lang(self):
        """Return the code of the language in which to write to this person."""
        self.ensure_one()
        subject_sudo = self.sudo()  # a language is no secret, and the server asks
        langs = [*subject_sudo.partner_ids.mapped("lang")]
        langs += subject_sudo.lead_ids.lang_id.mapped("code")
        return next(filter(None, langs), None) or self.env.lang or "en_US"

    # ------------------------------------------------------------
    # Who may be written to
    # ------------------------------------------------------------

    @api.model
    def _contactable_emails(self, emails, purpose):
        """Return which of these addresses may be written to for ``purpose``.

        :param emails: normalised addresses
        :return: dict address → ``gdpr.subject``; unknown addresses are left out
        """
        subjects = self.sudo().search([("email", "in", list(set(emails)))])
        return {s.email: s for s in subjects._filter_contactable(purpose)}

    def _askable(self, purpose):
        """Return those who may be asked for a consent: who never said no, nor yes.

        No answer to an earlier question is no no, but asking is once only; an expired
        consent may be asked for again (domain rule 2, renewal).
        """
        answered = Domain("purpose_id", "=", purpose.id) & Domain(
            "state", "!=", "expired"
        )
        domain = (
            Domain("id", "in", self.ids)
            & Domain("erased_on", "=", False)
            & Domain("restricted", "=", False)
            & Domain("consent_ids", "not any", answered)
        )
        if purpose.marketing:
            domain &= Domain("objected", "=", False)
        allowed = set(self.sudo()._search(domain))
        return self.filtered(lambda subject: subject.id in allowed)

    def _unsubscribe(self, purpose, channel="one_click"):
        """Record the person's no to ``purpose``, once."""
        self.ensure_one()
        consent = self.sudo().consent_ids.filtered(lambda c: c.purpose_id == purpose)
        if consent.state in ("withdrawn", "refused"):
            return
        self.env["gdpr.consent"]._record(self, purpose, "withdraw", channel=channel)

    def _decide(self, decisions, channel, evidence=None):
        """Record what the person decided for several purposes, where it changes.

        :param dict decisions: ``gdpr.purpose`` → "give", "withdraw" or anything else,
            which records nothing
        """
        self.ensure_one()
        consents = {c.purpose_id: c for c in self.sudo().consent_ids}
        for purpose, decision in decisions.items():
            consent = consents.get(purpose)
            accepted = consent and consent.state == "given" and consent.confirmed
            declined = consent and consent.state in ("refused", "withdrawn")
            if (decision == "give" and not accepted) or (
                decision == "withdraw" and not declined
            ):
                self.env["gdpr.consent"]._record(
                    self,
                    purpose,
                    decision if consent or decision == "give" else "refuse",
                    channel=channel,
                    evidence=evidence,
                    notice=purpose._current_notice(self.env.lang),
                )

    def _stop_everything(self, channel):
        """Withdraw every consent and object to direct marketing (Art. 7(3), 21)."""
        self.ensure_one()
        for consent in self.sudo().consent_ids:
            if consent.state in ("given", "pending"):
                self.env["gdpr.consent"]._record(
                    self, consent.purpose_id, "withdraw", channel=channel
                )
        self._object_to_marketing()

    # ------------------------------------------------------------
    # Unconfirmed sign-ups
    # ------------------------------------------------------------

    def _forget_unconfirmed(self):
        """Forget who left nothing but a sign-up that was never confirmed.

        No suppression record stays: nobody proved that the address is theirs.
        """
        nothing_else = (
            Domain("id", "in", self.ids)
            & Domain("erased_on", "=", False)
            & Domain("objected", "=", False)
            & Domain("request_ids", "=", False)
            & Domain("consent_ids", "not any", [("state", "!=", "expired")])
        )
        subjects = self.sudo().search(nothing_else)
        for model_name in ("res.partner", "crm.lead"):
            known = (
                self.env[model_name]
                .sudo()
                .with_context(active_test=False)
                .search([("gdpr_subject_id", "in", subjects.ids)])
            )
            subjects -= known.gdpr_subject_id
        subjects.event_ids._destroy_evidence()
        subjects.write(
            {
                "email": False,
                "phone": False,
                "evidence_salt": False,
                "erased_on": fields.Datetime.now(),
            }
        )
