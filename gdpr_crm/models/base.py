from odoo import api, models


class Base(models.AbstractModel):
    """What any model may say about a person's data in it.

    A model that says nothing is found, exported and erased by the rules that hold for
    all (``gdpr.data.map``). An addon whose data these don't reach (a remote service, a
    table without columns for it) extends one or more of these methods; each works on
    pages of records, so that none has to hold a large person in memory.
    """

    _inherit = "base"

    @api.model
    def _gdpr_search(self, subject, identifiers):
        """Return the ids of this model's rows about a person that no rule finds.

        :param subject: one ``gdpr.subject``
        :param identifiers: ``tools.redaction.Identifiers``: addresses, numbers, names
        :return: iterable of ids
        """
        return ()

    def _gdpr_export(self, subject):
        """Return what the answer to an access request holds of these records.

        :param subject: the ``gdpr.subject`` who asked
        :return: list of dicts (field name → plain value), None: as the map reads them
        """
        return None  # noqa: RET501 (an answer: the map does it)

    def _gdpr_erase(self, subject, action):
        """Erase the person from these records in a way of the model's own.

        :param subject: the ``gdpr.subject`` who is erased
        :param str action: delete, anonymise or detach, as planned
        :return: dict reason → ids of what has to stay; None: as the map does it
        :raise UserError: when it can't be done; nothing of the person is erased then
        """
        return None  # noqa: RET501 (an answer: the map does it)
