from odoo.http import request, route
from odoo.tools import email_normalize

from odoo.addons.gdpr_crm_mass_mailing.person import PersonAct
from odoo.addons.website_mass_mailing.controllers import main


class MassMailController(main.MassMailController):
    """The newsletter block answers the same, whoever an address belongs to.

    That an anonymous post waits for the person's confirmation is the business of
    ``gdpr_crm_mass_mailing``: it holds for every door.
    """

    def _gdpr_is_certain(self):
        """Tell whether the visitor's own address is certainly theirs."""
        user = request.env.user
        return bool(request.env["gdpr.subject"].sudo()._of_user(user).email)

    @route()
    def is_subscriber(self, list_id, subscription_type, **post):
        if self._gdpr_is_certain():
            return super().is_subscriber(list_id, subscription_type, **post)
        # what this visitor asked for, not who is known
        value = self._get_value(subscription_type)
        asked = int(list_id) in request.session.get("gdpr_asked_lists", [])
        return {"is_subscriber": bool(value) and asked, "value": value}

    @route()
    def subscribe(self, list_id, value, subscription_type, **post):
        own = request.env["gdpr.subject"].sudo()._of_user(request.env.user)
        if own.email and own.email == email_normalize(value):
            page = request.httprequest.referrer or request.httprequest.path
            request.update_context(gdpr_act=PersonAct("portal", {"page": page}))
        answer = super().subscribe(list_id, value, subscription_type, **post)
        if answer.get("toast_type") == "success":
            asked = {*request.session.get("gdpr_asked_lists", []), int(list_id)}
            request.session["gdpr_asked_lists"] = sorted(asked)
        return answer
