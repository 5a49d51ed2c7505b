from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

LINKED_TABLES = ("res_partner", "crm_lead")


def pre_init_hook(env):
    """Make the link columns beforehand: Odoo would fill them a record at a time."""
    for table in LINKED_TABLES:
        if not column_exists(env.cr, table, "gdpr_subject_id"):
            create_column(env.cr, table, "gdpr_subject_id", "int4")


def post_init_hook(env):
    """Give every person already on file a data subject, in one pass of SQL a step.

    The rules are those of ``gdpr.subject.mixin``: normalised e-mail, else a number
    that isn't the company's switchboard, else the record itself.
    """
    env.flush_all()
    env.cr.execute("SET LOCAL enable_nestloop = off")
    _link(env, "email")
    _link(env, "phone")
    _link_rest(env)
    env.cr.execute("SET LOCAL enable_nestloop = on")
    env.invalidate_all()


def uninstall_hook(env):
    """Remove what the ORM doesn't know of."""
    env.cr.execute("DROP FUNCTION IF EXISTS gdpr_consent_event_append_only CASCADE")
    env["ir.config_parameter"].search([("key", "=like", "gdpr_crm.%")]).unlink()


PERSONS = """
    SELECT 'res_partner' AS source, p.id, p.company_id, p.email_normalized AS email,
           CASE WHEN p.phone_sanitized IS DISTINCT FROM c.phone_sanitized
                THEN p.phone_sanitized END AS phone,
           TRUE AS own
      FROM res_partner p
      LEFT JOIN res_partner c ON c.id = p.parent_id
     WHERE p.is_company IS NOT TRUE
       AND (p.type = 'contact' OR p.parent_id IS NULL)
       AND p.gdpr_subject_id IS NULL
    UNION ALL
    SELECT 'crm_lead', l.id, l.company_id, l.email_normalized, l.phone_sanitized,
           COALESCE(l.contact_name, '') <> ''
      FROM crm_lead l
      LEFT JOIN res_partner p ON p.id = l.partner_id
     WHERE (p.is_company IS NOT TRUE OR COALESCE(l.contact_name, '') <> '')
       AND (l.email_normalized IS NOT NULL OR p.gdpr_subject_id IS NULL)
       AND l.gdpr_subject_id IS NULL
"""


def _link(env, name):
    """Make one subject an identifier and point the records to it."""
    other = SQL("TRUE") if name == "email" else SQL("email IS NULL")
    env.cr.execute(
        SQL(
            """
            INSERT INTO gdpr_subject (consent_summary, %(field)s, company_id,
                                      create_uid, write_uid, create_date, write_date)
            SELECT 'none', %(field)s,
                   CASE WHEN count(DISTINCT COALESCE(company_id, 0)) = 1
                        THEN min(company_id) END,
                   %(uid)s, %(uid)s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
              FROM (%(persons)s) AS person
             WHERE COALESCE(%(field)s, '') <> '' AND %(other)s
             GROUP BY %(field)s
            ON CONFLICT DO NOTHING
            """,
            field=SQL.identifier(name),
            other=other,
            uid=env.uid,
            persons=SQL(PERSONS),
        )
    )
    for table in LINKED_TABLES:
        env.cr.execute(
            SQL(
                """
                UPDATE %(table)s AS record SET gdpr_subject_id = subject.id
                  FROM (%(persons)s) AS person
                  JOIN gdpr_subject subject ON subject.%(field)s = person.%(field)s
                 WHERE person.source = %(source)s AND person.id = record.id
                   AND %(other)s
                """,
                table=SQL.identifier(table),
                field=SQL.identifier(name),
                source=table,
                other=SQL("TRUE")
                if name == "email"
                else SQL("person.email IS NULL"),
                persons=SQL(PERSONS),
            )
        )
    # a lead without an address follows its customer
    env.cr.execute(
        """
        UPDATE crm_lead l SET gdpr_subject_id = p.gdpr_subject_id
          FROM res_partner p
         WHERE p.id = l.partner_id AND l.gdpr_subject_id IS NULL
           AND l.email_normalized IS NULL AND p.gdpr_subject_id IS NOT NULL
        """
    )


def _link_rest(env):
    """Give who has neither address nor number a subject of their own."""
    env.cr.execute("ALTER TABLE gdpr_subject ADD COLUMN IF NOT EXISTS origin text")
    env.cr.execute(
        SQL(
            """
            INSERT INTO gdpr_subject (consent_summary, origin, company_id,
                                      create_uid, write_uid, create_date, write_date)
            SELECT 'none', source || ',' || id, company_id, %(uid)s, %(uid)s,
                   now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
              FROM (%(persons)s) AS person WHERE own
            """,
            uid=env.uid,
            persons=SQL(PERSONS),
        )
    )
    for table in LINKED_TABLES:
        env.cr.execute(
            SQL(
                """
                UPDATE %(table)s AS record SET gdpr_subject_id = subject.id
                  FROM gdpr_subject subject
                 WHERE subject.origin = %(source)s || ',' || record.id
                """,
                table=SQL.identifier(table),
                source=table,
            )
        )
    env.cr.execute(
        """
        UPDATE crm_lead l SET gdpr_subject_id = p.gdpr_subject_id
          FROM res_partner p
         WHERE p.id = l.partner_id AND l.gdpr_subject_id IS NULL
           AND l.email_normalized IS NULL AND p.gdpr_subject_id IS NOT NULL
        """
    )
    env.cr.execute("ALTER TABLE gdpr_subject DROP COLUMN origin")
