import hashlib
import secrets
from datetime import timedelta

from odoo import api, fields, models

# replaced in the outgoing message only: what is stored never holds a token
PLACEHOLDER = "gdpr-token-is-in-the-sent-message-only"


class GdprToken(models.Model):
    """A secret link: random (256 bits), stored hashed, expiring, of limited use.

    Nobody but the server reads or writes this table. The secret itself exists only
    in the e-mail on its way to the person.
    """

    _name = "gdpr.token"
    _description = "Secret Link"
    _order = "id desc"

    digest = fields.Char(required=True, index=True)
    scope = fields.Char(required=True)
    res_model = fields.Char(required=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True)
    expires_on = fields.Datetime(required=True)
    uses_left = fields.Integer(required=True, default=1)

    _record_idx = models.Index("(res_model, res_id, scope)")

    @api.model
    def _digest(self, token):
        return hashlib.sha256(token.encode(errors="replace")).hexdigest()

    @api.model
    def _issue(self, record, scope, days=7, uses=1):
        """Return a new secret for ``record``; the server keeps its hash only.

        :param str scope: what the link may be used for
        :param days: days until it expires
        :param int uses: how often it can be redeemed
        """
        token = secrets.token_urlsafe(32)
        self.sudo().create(
            {
                "digest": self._digest(token),
                "scope": scope,
                "res_model": record._name,
                "res_id": record.id,
                "expires_on": fields.Datetime.now() + timedelta(days=days),
                "uses_left": uses,
            }
        )
        return token

    @api.model
    def _find(self, token, scope):
        """Return the valid token record, empty when it is wrong, used or expired."""
        return self.sudo().search(
            [
                ("digest", "=", self._digest(token or "")),
                ("scope", "=", scope),
                ("expires_on", ">", fields.Datetime.now()),
                ("uses_left", ">", 0),
            ],
            limit=1,
        )

    @api.model
    def _peek(self, token, scope):
        """Return the record behind a valid token without using it up, or None."""
        found = self._find(token, scope)
        return found._record()

    @api.model
    def _redeem(self, token, scope):
        """Use the token up once and return its record, or None when invalid.

        Of two uses at the same moment the database lets one through and makes the
        other start again, which then finds the token used.
        """
        found = self._find(token, scope)
        if found:
            found.uses_left -= 1
            found.flush_recordset()
        return found._record()

    @api.model
    def _spent(self, token, scope):
        """Return the record behind a used-up link (a double click), or None."""
        return (
            self.sudo()
            .search(
                [
                    ("digest", "=", self._digest(token or "")),
                    ("scope", "=", scope),
                    ("uses_left", "<=", 0),
                ],
                limit=1,
            )
            ._record()
        )

    def _record(self):
        if not self or self.res_model not in self.env:
            return None
        return self.env[self.res_model].sudo().browse(self.res_id).exists() or None

    @api.model
    def _revoke(self, records, scope=None):
        """Make every link to these records that isn't used up worthless."""
        domain = [
            ("res_model", "=", records._name),
            ("res_id", "in", records.ids),
            ("uses_left", ">", 0),
        ]
        if scope:
            domain.append(("scope", "=", scope))
        self.sudo().search(domain).unlink()

    @api.autovacuum
    def _gc_expired(self):
        # a grace of a month, so that a late visitor still reads what happened
        limit = fields.Datetime.now() - timedelta(days=30)
        self.sudo().search([("expires_on", "<", limit)], limit=10000).unlink()
