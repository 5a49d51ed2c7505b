from odoo import api, models

from ..person import acting


class MailingContact(models.Model):
    _inherit = "mailing.contact"

    @api.model_create_multi
    def create(self, vals_list):
        """Record the yes of a visitor whom a form puts on lists.

        Lists given as a many2many are linked without Odoo's subscription model.
        """
        contacts = super().create(vals_list)
        if acting(self.env):
            linked = self.browse().concat(
                *(
                    contact
                    for contact, vals in zip(contacts, vals_list, strict=True)
                    if vals.get("list_ids")
                )
            )
            linked.invalidate_recordset(["subscription_ids"])
            linked.sudo().subscription_ids._gdpr_record_decisions()
        return contacts
