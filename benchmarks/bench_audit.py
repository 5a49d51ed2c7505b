# database
"""Audit of the base against the bare SQL aggregate over the same tables.

``GDPR_BENCH_SUBJECTS`` (or the first argument) says how many persons; there are five
purposes. The aggregate counts, for each purpose, the persons of its audience by the
state of their consent, and does nothing else. The audit also keeps the list behind
every figure and looks for every contradiction.
"""

import os
import resource
import statistics
import sys
import time

import odoo
from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import SQL

SUBJECTS = int(
    next(iter(sys.argv[1:]), None) or os.environ.get("GDPR_BENCH_SUBJECTS", 50_000)
)
PURPOSES = 5
RUNS = 3

FILL = """
INSERT INTO gdpr_subject (id, email, consent_summary, restricted, objected,
                          objected_since)
SELECT i, 'p' || i || '@bench.example', 'none', i %% 500 = 0, i %% 50 = 0,
       CASE WHEN i %% 50 = 0 THEN now() AT TIME ZONE 'UTC' END
  FROM generate_series(%(first)s, %(last)s) i;
INSERT INTO res_partner (name, complete_name, active, type, is_company, email,
                         email_normalized, phone_sanitized, phone, gdpr_subject_id,
                         gdpr_source, gdpr_collected_on)
SELECT 'P ' || i, 'P ' || i, TRUE, 'contact', FALSE, 'p' || i || '@bench.example',
       'p' || i || '@bench.example', '+336' || i, '06' || i, i,
       CASE WHEN i %% 100 = 0 THEN 'import' END, '2026-01-01'
  FROM generate_series(%(first)s, %(last)s) i;
INSERT INTO crm_lead (name, active, type, contact_name, email_from, email_normalized,
                      gdpr_subject_id)
SELECT 'L ' || i, TRUE, 'lead', 'P ' || i, 'p' || i || '@bench.example',
       'p' || i || '@bench.example', i
  FROM generate_series(%(first)s, %(last)s, 5) i;
INSERT INTO gdpr_consent (subject_id, purpose_id, state, confirmed, since, channel)
SELECT i, p.id, (ARRAY['given','given','given','pending','withdrawn','expired'])
                [1 + (i + p.rank) %% 6], (i + p.rank) %% 6 < 3,
       now() AT TIME ZONE 'UTC', 'portal'
  FROM generate_series(%(first)s, %(last)s) i,
       unnest(%(purposes)s) WITH ORDINALITY AS p (id, rank)
 WHERE (i + p.rank) %% 5 < 3;
INSERT INTO gdpr_consent_event (subject_id, consent_id, purpose_id, action, state,
                                confirmed, channel, occurred_on, number, previous_hash,
                                hash)
SELECT subject_id, id, purpose_id, 'give', state, confirmed, 'portal', since,
       row_number() OVER (PARTITION BY subject_id ORDER BY id), 'x', 'x'
  FROM gdpr_consent WHERE subject_id BETWEEN %(first)s AND %(last)s;
"""
TABLES = "gdpr_subject res_partner crm_lead gdpr_consent gdpr_consent_event"
BARE = """
SELECT c.state, s.restricted, s.objected, count(*)
  FROM gdpr_subject s
  LEFT JOIN gdpr_consent c ON c.subject_id = s.id AND c.purpose_id = %s
 WHERE s.erased_on IS NULL
   AND s.id IN (SELECT gdpr_subject_id FROM res_partner WHERE active
                 UNION SELECT gdpr_subject_id FROM crm_lead WHERE active)
 GROUP BY 1, 2, 3
"""


def fill(env):
    """Plant the persons by SQL; return the five purposes."""
    env["gdpr.purpose"].search([]).active = False
    purposes = env["gdpr.purpose"].create(
        [{"name": f"P{n}", "code": f"bench_{n}"} for n in range(PURPOSES)]
    )
    env.flush_all()
    env.cr.execute("SELECT COALESCE(max(id), 0) + 1 FROM gdpr_subject")
    [first] = env.cr.fetchone()
    values = {
        "first": first,
        "last": first + SUBJECTS - 1,
        "purposes": list(purposes.ids),
    }
    for statement in FILL.split(";\n"):
        if statement.strip():
            env.cr.execute(statement, values)
    env.cr.commit()
    env.cr._cnx.autocommit = True
    for table in TABLES.split():
        env.cr.execute(SQL("VACUUM ANALYZE %s", SQL.identifier(table)))
    env.cr._cnx.autocommit = False
    return purposes


def bare(env, purposes):
    for purpose in purposes:
        env.cr.execute(BARE, [purpose.id])
        env.cr.fetchall()


def audit(env, _purposes):
    env["gdpr.audit"]._start(env.company)._take()


def business_locks(env):
    """Return the modes of the locks that the transaction holds on business tables."""
    env.cr.execute(
        """
        SELECT DISTINCT mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
         WHERE l.pid = pg_backend_pid() AND c.relname = ANY(%s)
        """,
        [[*TABLES.split(), "mail_message", "mail_notification", "mail_blacklist"]],
    )
    return sorted(mode for (mode,) in env.cr.fetchall())


def timed(function, *arguments):
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def main():
    odoo.tools.config.parse_config(
        ["-c", os.environ["GDPR_BENCH_CONFIG"], "-d", os.environ["GDPR_BENCH_DB"]]
    )
    with Registry(os.environ["GDPR_BENCH_DB"]).cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        started = time.perf_counter()
        purposes = fill(env)
        filling = time.perf_counter() - started
        print(f"{SUBJECTS:,} persons x {PURPOSES} purposes, filled in {filling:.0f} s")
        bare(env, purposes)  # the first run reads from disk
        seconds = {bare: [], audit: []}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _run in range(RUNS):
            for function, times in seconds.items():
                times.append(timed(function, env, purposes))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        plain, whole = (statistics.median(times) for times in seconds.values())
        print(f"bare SQL aggregate {plain:8.2f} s")
        print(f"audit              {whole:8.2f} s   {whole / plain:.2f} times")
        print(f"Python's memory    {after / 1024:8.0f} MB  +{(after - before) // 1024}")
        print(f"locks on business tables: {', '.join(business_locks(env))}")
        env.cr.execute("SELECT pg_total_relation_size('gdpr_audit_member')")
        print(
            f"lists kept         {env.cr.fetchone()[0] / 1e6 / RUNS:8.1f} MB an audit"
        )


if __name__ == "__main__":
    main()
