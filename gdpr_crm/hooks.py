from odoo.tools.sql import column_exists, create_column


def pre_init_hook(env):
    """Make the link columns beforehand: Odoo would fill them a record at a time."""
    for table in ("res_partner", "crm_lead"):
        if not column_exists(env.cr, table, "gdpr_subject_id"):
            create_column(env.cr, table, "gdpr_subject_id", "int4")


def uninstall_hook(env):
    """Remove what the ORM doesn't know of."""
    env.cr.execute("DROP FUNCTION IF EXISTS gdpr_consent_event_append_only CASCADE")
    env["ir.config_parameter"].search([("key", "=like", "gdpr_crm.%")]).unlink()
