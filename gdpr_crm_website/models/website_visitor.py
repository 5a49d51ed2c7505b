from odoo import models
from odoo.http import request


class WebsiteVisitor(models.Model):
    _inherit = "website.visitor"

    def _get_visitor_from_request(self, force_create=False, force_track_values=None):
        """Follow nobody just because they sent a form (GDPR Art. 5(1)(c)).

        A visitor who is followed already is linked to the lead, as is an account.
        """
        form = self.env.context.get("gdpr_website_form")
        if force_create and form and request.env.user._is_public():
            force_create = False
        return super()._get_visitor_from_request(
            force_create=force_create, force_track_values=force_track_values
        )
