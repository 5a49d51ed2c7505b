import json
import time

from odoo import api, fields, models
from odoo.tools import SQL

from .gdpr_audit_line import BASIS, CONTRADICTIONS, PERSON_FINDINGS, PURPOSE_FINDINGS
from .gdpr_consent import PROVEN_CHANNELS
from .gdpr_source_mixin import PERSON

# what a person can be reached by: without any of it, nobody can inform them
REACHABLE = {
    "res_partner": SQL(
        """r.email_normalized IS NOT NULL OR COALESCE(r.phone, '') <> ''
           OR (COALESCE(r.street, '') <> '' AND COALESCE(r.city, r.zip, '') <> '')"""
    ),
    "crm_lead": SQL(
        """r.email_normalized IS NOT NULL OR COALESCE(r.phone, '') <> ''
           OR (COALESCE(r.street, '') <> '' AND COALESCE(r.city, r.zip, '') <> '')"""
    ),
}
DECLINED = SQL("('refused', 'withdrawn')")
CHUNK_BITS = 17  # of the subject's id: a row of members holds 131,072 at most


class GdprAudit(models.Model):
    """The computation: sets in PostgreSQL, never a loop over persons.

    It only reads the business tables (no lock that stops anybody), and Python sees
    counts alone, so its memory doesn't grow with the base.
    """

    _inherit = "gdpr.audit"

    def _take(self):
        """Compute this snapshot, once."""
        self.ensure_one()
        if self.state == "done":
            return
        started = time.monotonic()
        self.env.flush_all()  # SQL sees what is written only
        purposes = self._purposes()
        lines = self._make_lines(purposes)
        persons = self._collect_persons()
        for purpose in purposes:
            self._classify(purpose, lines)
        for statement in self._findings():
            self.env.cr.execute(self._insert_finding(statement))
        self._count(persons)
        self._finish(persons, time.monotonic() - started)
        self.env.cr.execute("DROP TABLE IF EXISTS gdpr_audit_person")

    def _purposes(self):
        return self.env["gdpr.purpose"].search(
            [("company_id", "in", [False, self.company_id.id])]
        )

    # ------------------------------------------------------------
    # The figures
    # ------------------------------------------------------------

    def _make_lines(self, purposes):
        """Make an empty line for each figure; the statistics fill them."""
        values = []
        for purpose in purposes:
            values += self._line_values("basis", BASIS, purpose)
            values += self._line_values("finding", PURPOSE_FINDINGS, purpose)
        values += self._line_values("finding", PERSON_FINDINGS)
        for sequence, line in enumerate(values):
            line["sequence"] = sequence
        lines = self.env["gdpr.audit.line"].create(values)
        self.env.flush_all()
        return lines

    def _line_values(self, kind, categories, purpose=None):
        return [
            {
                "audit_id": self.id,
                "kind": kind,
                "category": category,
                "contradiction": category in CONTRADICTIONS,
                "purpose_id": purpose and purpose.id,
                "purpose_name": purpose and purpose.name,
            }
            for category, _label in categories
        ]

    def _count(self, persons):
        """Write into each line how many persons stand behind it."""
        self.env.cr.execute(
            SQL(
                """
                WITH counted AS (
                    SELECT l.id, l.purpose_id, l.kind, COALESCE(sum(m.size), 0) AS n
                      FROM gdpr_audit_line l
                      LEFT JOIN gdpr_audit_member m ON m.line_id = l.id
                     WHERE l.audit_id = %(audit)s GROUP BY l.id
                ), audience AS (
                    SELECT purpose_id, sum(n) AS n FROM counted
                     WHERE kind = 'basis' GROUP BY purpose_id
                )
                UPDATE gdpr_audit_line l
                   SET count = c.n, has_members = TRUE,
                       share = COALESCE(c.n::float / NULLIF(
                            CASE WHEN c.purpose_id IS NULL THEN %(persons)s
                                 ELSE a.n END, 0), 0)
                  FROM counted c LEFT JOIN audience a ON a.purpose_id = c.purpose_id
                 WHERE l.id = c.id
                """,
                audit=self.id,
                persons=persons,
            )
        )
        self.env["gdpr.audit.line"].invalidate_model(["count", "share", "has_members"])

    # ------------------------------------------------------------
    # Persons
    # ------------------------------------------------------------

    def _collect_persons(self):
        """List the persons whom the company knows, archived records included.

        Archived data are kept data: who is only there still needs a basis.

        :return: how many they are
        """
        self.env.cr.execute("DROP TABLE IF EXISTS gdpr_audit_person")
        records = SQL(" UNION ALL ").join(
            self._person_records(table) for table in REACHABLE
        )
        self.env.cr.execute(
            SQL(
                """
                CREATE TEMP TABLE gdpr_audit_person ON COMMIT DROP AS
                SELECT r.id, bool_or(r.reachable) AS reachable,
                       bool_or(r.uninformed) AS uninformed
                  FROM (%(records)s) r
                  JOIN gdpr_subject s ON s.id = r.id AND s.erased_on IS NULL
                 GROUP BY r.id
                """,
                records=records,
            )
        )
        self.env.cr.execute("ANALYZE gdpr_audit_person")
        [[persons]] = self.env.execute_query(
            SQL("SELECT count(*) FROM gdpr_audit_person")
        )
        return persons

    def _person_records(self, table):
        """Return the SQL of the records of persons in ``table``: id of the subject,
        whether they can be reached, whether they should have been informed.
        """
        last = self.env["gdpr.source.mixin"]._gdpr_last_overdue_day()
        return SQL(
            """
            SELECT r.gdpr_subject_id AS id, (%(reachable)s) AS reachable,
                   (r.gdpr_source <> %(person)s AND r.gdpr_informed_on IS NULL
                    AND COALESCE(r.gdpr_collected_on, r.create_date::date) <= %(last)s
                   ) IS TRUE AS uninformed
              FROM %(table)s r
             WHERE r.gdpr_subject_id IS NOT NULL
               AND (r.company_id IS NULL OR r.company_id = %(company)s)
               AND NOT (%(technical)s)
            """,
            table=SQL.identifier(table),
            reachable=REACHABLE[table],
            person=PERSON,
            last=last,
            company=self.company_id.id,
            technical=self._technical_records(table),
        )

    def _technical_records(self, table):
        """Return the SQL condition of the records that Odoo made for itself."""
        if table != "res_partner":
            return SQL("FALSE")
        technical = self.env["res.users"].with_context(active_test=False)
        technical = technical.search(
            [("all_group_ids", "in", self.env.ref("base.group_public").ids)]
        )
        for name in ("base.user_root", "base.template_portal_user_id"):
            technical |= self.env.ref(name, raise_if_not_found=False) or technical
        return SQL("r.id = ANY(%s)", technical.partner_id.ids)

    # ------------------------------------------------------------
    # Lawful bases
    # ------------------------------------------------------------

    def _classify(self, purpose, lines):
        """Put everyone in the purpose's audience into exactly one situation."""
        own = lines.filtered(
            lambda line: line.purpose_id == purpose and line.kind == "basis"
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO gdpr_audit_member (line_id, size, subject_ids)
                SELECT (%(lines)s::jsonb ->> situation)::int, count(*), array_agg(id)
                  FROM (%(classified)s) classified
                  JOIN gdpr_audit_person person USING (id)
                 GROUP BY situation, id >> %(bits)s
                """,
                lines=json.dumps({line.category: line.id for line in own}),
                classified=self._classified(purpose, self.company_id),
                bits=CHUNK_BITS,
            )
        )

    @api.model
    def _classified(self, purpose, company, among=None):
        """Return the SQL (subject id, situation) of everyone in the audience.

        :param among: only these subject ids
        """
        return SQL(
            """
            SELECT s.id, %(situation)s AS situation
              FROM gdpr_subject s
              LEFT JOIN gdpr_consent c
                ON c.subject_id = s.id AND c.purpose_id = %(purpose)s
             WHERE s.erased_on IS NULL AND s.id IN (%(audience)s)
            """,
            situation=self._situation(purpose),
            purpose=purpose.id,
            audience=purpose._audience_query(company, among),
        )

    @api.model
    def _situation(self, purpose):
        """Return the SQL that names a person's situation for this purpose.

        ``s`` is the subject and ``c`` their consent. *valid* is what
        ``gdpr.purpose._contactable_domain`` lets through, and nothing else.
        """
        cases = [SQL("WHEN s.restricted THEN 'restricted'")]
        if purpose.marketing:
            cases.append(SQL("WHEN s.objected THEN 'objected'"))
        cases += {
            "consent": self._cases_consent,
            "legitimate_interest": self._cases_interest,
        }.get(purpose.lawful_basis, self._cases_other)(purpose)
        return SQL("CASE %s ELSE 'none' END", SQL(" ").join(cases))

    @api.model
    def _cases_consent(self, purpose):
        current = SQL(
            "(c.expires_on IS NULL OR c.expires_on > %s)", fields.Datetime.now()
        )
        counts = SQL("c.confirmed") if purpose.double_opt_in else SQL("TRUE")
        return [
            SQL("WHEN c.state IN %s THEN 'declined'", DECLINED),
            SQL("WHEN c.state IS NOT NULL AND NOT %s THEN 'expired'", current),
            SQL("WHEN c.state = 'given' AND %s THEN 'valid'", counts),
            SQL("WHEN c.state IN ('given', 'pending') THEN 'pending'"),
            SQL("WHEN c.state = 'expired' THEN 'expired'"),
        ]

    @api.model
    def _cases_interest(self, purpose):
        cases = [SQL("WHEN c.state IN %s THEN 'declined'", DECLINED)]
        if (purpose.balancing_test or "").strip():
            cases.append(SQL("WHEN TRUE THEN 'valid'"))
        return cases

    @api.model
    def _cases_other(self, purpose):
        return [SQL("WHEN TRUE THEN 'valid'")]

    # ------------------------------------------------------------
    # Findings
    # ------------------------------------------------------------

    def _insert_finding(self, finding):
        """Return the SQL that puts the persons of a finding behind their lines.

        :param tuple finding: category, and the SQL of (subject id, purpose id or NULL),
            each once
        """
        category, found = finding
        return SQL(
            """
            INSERT INTO gdpr_audit_member (line_id, size, subject_ids)
            SELECT l.id, count(*), array_agg(found.id)
              FROM (%(found)s) AS found (id, purpose_id)
              JOIN gdpr_audit_line l
                ON l.audit_id = %(audit)s AND l.category = %(category)s
               AND l.purpose_id IS NOT DISTINCT FROM found.purpose_id
             GROUP BY l.id, found.id >> %(bits)s
            """,
            found=found,
            audit=self.id,
            category=category,
            bits=CHUNK_BITS,
        )

    def _findings(self):
        """Yield (category, SQL of subject id and purpose id) of every finding.

        Addons add theirs: a category of ``gdpr.audit.line`` and its query.
        """
        yield "outdated", self._find_outdated()
        yield "unproven", self._find_unproven()
        yield "blacklisted", self._find_blacklisted()
        yield (
            "disagree",
            SQL(
                "(%s) UNION (%s)",
                self._find_disagreeing_purposes(),
                self._find_disagreeing_phones(),
            ),
        )
        yield "no_basis", self._find_outside(SQL("l.category = 'valid'"))
        yield "uncovered", self._find_outside(SQL("TRUE"))
        person = "SELECT id, NULL::int FROM gdpr_audit_person WHERE "
        yield "unreachable", SQL(person + "NOT reachable")
        yield "uninformed", SQL(person + "uninformed")
        yield from self._find_written()

    def _find_given(self, condition):
        """Return the SQL of persons and purposes with a consent on file that meets
        ``condition``, in terms of the consent ``c`` and the person ``s``.
        """
        return SQL(
            """
            SELECT c.subject_id, c.purpose_id
              FROM gdpr_consent c
              JOIN gdpr_audit_person person ON person.id = c.subject_id
              JOIN gdpr_subject s ON s.id = c.subject_id
             WHERE c.state = 'given' AND (%s)
            """,
            condition,
        )

    def _find_outdated(self):
        return self._find_given(
            SQL(
                """
                EXISTS (SELECT FROM gdpr_notice shown
                          JOIN gdpr_notice newer
                            ON newer.purpose_id = shown.purpose_id
                           AND newer.lang = shown.lang
                           AND newer.version > shown.version
                           AND newer.published_on IS NOT NULL
                           AND newer.change IS DISTINCT FROM 'minor'
                         WHERE shown.id = c.notice_id)
                """
            )
        )

    def _find_unproven(self):
        return self._find_given(
            SQL(
                """
                c.confirmed AND NOT EXISTS (
                    SELECT FROM gdpr_consent_event e
                     WHERE e.consent_id = c.id AND e.action IN ('give', 'confirm')
                       AND e.channel = ANY(%s))
                """,
                sorted(PROVEN_CHANNELS),
            )
        )

    def _find_blacklisted(self):
        return self._find_given(
            SQL(
                """
                EXISTS (SELECT FROM gdpr_purpose p WHERE p.id = c.purpose_id
                           AND p.channel IN ('email', 'any'))
                AND s.email IN (SELECT email FROM mail_blacklist WHERE active)
                """
            )
        )

    def _find_disagreeing_purposes(self):
        """One person, one code, a purpose of the company and a common one."""
        codes = self._purposes().grouped("code").values()
        twins = self.env["gdpr.purpose"].union(*(p for p in codes if len(p) > 1))
        return SQL(
            """
            SELECT unnest(array_agg(c.subject_id)), unnest(array_agg(c.purpose_id))
              FROM gdpr_consent c
              JOIN gdpr_audit_person person ON person.id = c.subject_id
              JOIN gdpr_purpose p ON p.id = c.purpose_id
             WHERE p.id = ANY(%s)
             GROUP BY c.subject_id, p.code
            HAVING bool_or(c.state = 'given') AND bool_or(c.state IN %s)
            """,
            twins.ids,
            DECLINED,
        )

    def _find_disagreeing_phones(self):
        """Several persons behind one number, one said yes and another no.

        An e-mail address is one person's by construction; a number can be several's.
        """
        return SQL(
            """
            WITH stance AS (
                SELECT c.subject_id, c.purpose_id,
                       c.state = 'given' AND NOT (COALESCE(s.objected, FALSE)
                                                  AND p.marketing) AS yes
                  FROM gdpr_consent c
                  JOIN gdpr_audit_person person ON person.id = c.subject_id
                  JOIN gdpr_subject s ON s.id = c.subject_id
                  JOIN gdpr_purpose p ON p.id = c.purpose_id
                 WHERE p.channel IN ('sms', 'phone', 'any')
                   AND c.state IN ('given', 'refused', 'withdrawn')
            ), number AS (
                SELECT gdpr_subject_id AS id, phone_sanitized AS phone
                  FROM res_partner WHERE phone_sanitized IS NOT NULL
                 UNION
                SELECT gdpr_subject_id, phone_sanitized
                  FROM crm_lead WHERE phone_sanitized IS NOT NULL
            )
            SELECT unnest(array_agg(stance.subject_id)), stance.purpose_id
              FROM stance JOIN number ON number.id = stance.subject_id
             GROUP BY number.phone, stance.purpose_id
            HAVING bool_or(stance.yes) AND bool_or(NOT stance.yes)
            """
        )

    def _find_outside(self, condition):
        """Return the SQL of the persons in none of these figures of this audit."""
        return SQL(
            """
            SELECT person.id, NULL::int FROM gdpr_audit_person person
             WHERE NOT EXISTS (
                SELECT FROM (
                    SELECT unnest(m.subject_ids) AS id FROM gdpr_audit_member m
                      JOIN gdpr_audit_line l ON l.id = m.line_id
                     WHERE l.audit_id = %s AND l.kind = 'basis' AND %s) inside
                 WHERE inside.id = person.id)
            """,
            self.id,
            condition,
        )

    # ------------------------------------------------------------
    # Written to after a no
    # ------------------------------------------------------------

    def _find_written(self):
        """Yield who was written to after their no, as far as the database still
        tells: messages by mass composer that weren't deleted, and their purpose
        where the outgoing mail is kept.
        """
        written = SQL(" UNION ALL ").join(self._written_queries())
        no = "FROM gdpr_subject s JOIN (%s) w (id, written_on, purpose_id) "
        no += "ON w.id = s.id JOIN gdpr_audit_person person ON person.id = s.id "
        yield (
            "written_objected",
            SQL(
                "SELECT DISTINCT s.id, NULL::int "
                + no
                + """LEFT JOIN gdpr_purpose p ON p.id = w.purpose_id
                     WHERE s.objected AND w.written_on > s.objected_since
                       AND p.marketing IS NOT FALSE""",
                written,
            ),
        )
        yield (
            "written_declined",
            SQL(
                "SELECT DISTINCT s.id, c.purpose_id "
                + no
                + """JOIN gdpr_consent c
                       ON c.subject_id = s.id AND c.purpose_id = w.purpose_id
                    WHERE c.state IN %s AND w.written_on > c.since""",
                written,
                DECLINED,
            ),
        )
        yield (
            "written_unknown",
            SQL(
                "SELECT DISTINCT s.id, NULL::int "
                + no
                + """WHERE w.purpose_id IS NULL
                     AND EXISTS (SELECT FROM gdpr_consent c WHERE c.subject_id = s.id
                                    AND c.state IN %s AND w.written_on > c.since)
                     AND NOT EXISTS (SELECT FROM gdpr_consent c
                                      WHERE c.subject_id = s.id AND c.state = 'given')
                """,
                written,
                DECLINED,
            ),
        )

    def _written_queries(self):
        """Return the SQL queries (subject id, moment, purpose id or NULL) of the
        messages really sent to many people. Bridges add their own sending logs.
        """
        message = SQL(
            """
            mail_notification n
              JOIN mail_message m ON m.id = n.mail_message_id
                               AND m.message_type = 'email_outgoing'
              LEFT JOIN mail_mail mail ON mail.mail_message_id = m.id
            """
        )
        sent = SQL(
            "n.notification_type = 'email' AND n.notification_status IN %s",
            ("sent", "bounce", "pending"),
        )
        return [
            SQL(
                """
                SELECT r.gdpr_subject_id, m.date, mail.gdpr_purpose_id
                  FROM %s JOIN res_partner r ON r.id = n.res_partner_id
                 WHERE r.gdpr_subject_id IS NOT NULL AND %s
                """,
                message,
                sent,
            ),
            SQL(
                """
                SELECT s.id, m.date, mail.gdpr_purpose_id
                  FROM %s JOIN gdpr_subject s ON s.email = lower(COALESCE(
                    substring(n.mail_email_address FROM '<([^>]+)>'),
                    n.mail_email_address))
                 WHERE n.res_partner_id IS NULL AND %s
                """,
                message,
                sent,
            ),
        ]
