from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain


class GdprSubject(models.Model):
    """A mailbox that several people share: each decides for themselves.

    Who was split off has a subject of their own, without the address. The address is
    written to only if everybody who reads it may be written to.
    """

    _inherit = "gdpr.subject"

    mailbox_id = fields.Many2one(
        "gdpr.subject",
        string="Shared Mailbox",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The address this person shares with others.",
    )
    split_ids = fields.One2many(
        "gdpr.subject", "mailbox_id", string="Split off", readonly=True
    )

    def _shared_domain(self, own):
        """Return the domain that lets nobody through whom a co-reader forbids.

        :param own: domain of who may be written to as far as they are concerned
        """
        co_readers = Domain("split_ids", "not any", ~own)
        unused = Domain("partner_ids", "=", False) & Domain("lead_ids", "=", False)
        return co_readers & (
            Domain("mailbox_id", "=", False)
            | Domain("mailbox_id", "any", co_readers & (own | unused))
        )


class GdprSubjectMixin(models.AbstractModel):
    _inherit = "gdpr.subject.mixin"

    gdpr_detached = fields.Boolean(
        string="Shares a Mailbox",
        readonly=True,
        copy=False,
        help="Another person than the others with this address.",
    )

    def _gdpr_split_off(self):
        """Return those of ``self`` that still share the mailbox they were split off."""
        return self.filtered(
            lambda record: (
                record.gdpr_detached
                and (mailbox := record.gdpr_subject_id.mailbox_id)
                and mailbox.email == record.email_normalized
            )
        )

    def action_gdpr_detach(self):
        """Say that this is another person than the others with this address.

        Their refusals go along; a yes has to be asked for anew, since nobody knows
        whose it was.
        """
        if not self.env.user.has_group("gdpr_crm.group_officer"):
            raise AccessError(self.env._("Only a privacy officer splits a mailbox."))
        for record in self:
            record.check_access("write")
            # no user writes on data subjects
            mailbox = record.gdpr_subject_id.sudo()
            if (
                not mailbox.email
                or len(mailbox.partner_ids) + len(mailbox.lead_ids) < 2
            ):
                raise UserError(
                    self.env._(
                        "Nobody else has this address: there is nothing to split."
                    )
                )
            own = mailbox.create(
                {"company_id": record.company_id.id, "mailbox_id": mailbox.id}
            )
            record.write({"gdpr_detached": True, "gdpr_subject_id": own.id})
            mailbox._carry_refusals_to(own)
