import threading

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, get_db_name, tagged


@tagged("post_install", "-at_install")
class TestConcurrency(BaseCase):
    """Two workers at once: real transactions, cleaned up behind."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())

    def transaction(self, function):
        """Run ``function(env)`` as a request does: in a transaction, with retries."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            return retrying(lambda: function(env), env)

    def together(self, function, count=2):
        """Run ``function`` in several transactions that all begin before one ends."""
        barrier = threading.Barrier(count)
        results, errors = [], []

        def work():
            first = True

            def body(env):
                nonlocal first
                env.cr.execute("SELECT 1")  # the snapshot is taken here
                if first:
                    first = False
                    barrier.wait(30)
                return function(env)

            try:
                results.append(self.transaction(body))
            except Exception as error:  # noqa: BLE001 what a thread raises is asserted
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results, errors

    def test_two_workers_that_meet_a_person_make_one_subject(self):
        def meet(env):
            subject = env["gdpr.subject"]._find_or_create(email="twice@race.example")
            return subject.id

        self.addCleanup(
            self.transaction,
            lambda env: (
                env["gdpr.subject"]
                .search([("email", "=", "twice@race.example")])
                .unlink()
            ),
        )
        results, errors = self.together(meet)
        self.assertFalse(errors)
        self.assertEqual(len(set(results)), 1)

    def test_two_confirmations_at_once_use_the_link_once(self):
        def issue(env):
            record = env["res.partner"].browse(1)
            return env["gdpr.token"]._issue(record, "race")

        token = self.transaction(issue)
        self.addCleanup(
            self.transaction,
            lambda env: env["gdpr.token"].search([("scope", "=", "race")]).unlink(),
        )
        results, errors = self.together(
            lambda env: bool(env["gdpr.token"]._redeem(token, "race"))
        )
        self.assertFalse(errors)
        self.assertEqual(sorted(results), [False, True])

    def test_two_answers_at_once_are_both_recorded(self):
        def prepare(env):
            subject = env["gdpr.subject"]._find_or_create(email="answers@race.example")
            return subject.id, env.ref("gdpr_crm.purpose_newsletter").id

        subject_id, purpose_id = self.transaction(prepare)
        self.addCleanup(self.transaction, lambda env: self.wipe(env, subject_id))

        def answer(env):
            env["gdpr.consent"]._record(
                env["gdpr.subject"].browse(subject_id),
                env["gdpr.purpose"].browse(purpose_id),
                "give",
                channel="portal",
            )

        _results, errors = self.together(answer)
        self.assertFalse(errors)

        def verify(env):
            subject = env["gdpr.subject"].browse(subject_id)
            return (
                subject.event_ids.mapped("number"),
                len(subject.consent_ids),
                env["gdpr.consent.event"]._verify(subject),
            )

        numbers, consents, faults = self.transaction(verify)
        self.assertEqual((sorted(numbers), consents, faults), ([1, 2], 1, []))

    def wipe(self, env, subject_id):
        """Remove what this test committed; only the database's owner can."""
        env.cr.execute("ALTER TABLE gdpr_consent_event DISABLE TRIGGER USER")
        for table in ("gdpr_consent_event", "gdpr_consent"):
            env.cr.execute(f"DELETE FROM {table} WHERE subject_id = %s", [subject_id])
        env.cr.execute("ALTER TABLE gdpr_consent_event ENABLE TRIGGER USER")
        env.cr.execute("DELETE FROM gdpr_subject WHERE id = %s", [subject_id])
