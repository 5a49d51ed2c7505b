"""The knowledge files that ship, and the file compiled from them."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from sensitive import compiler, detector, lexicon

ROOT = Path(__file__).resolve().parent.parent


class TestLexicon(unittest.TestCase):
    def test_knowledge_files_have_no_error(self):
        command = [sys.executable, ROOT / "scripts/check_lexicon.py", "--no-warnings"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_compiled_file_is_that_of_the_sources(self):
        self.assertIsNotNone(lexicon.compiled(), "outdated: make lexicon")
        self.assertEqual(lexicon.compiled(), compiler.compile_folder())

    def test_outdated_compiled_file_is_not_used(self):
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "lexicon.idx"
            with patch.object(lexicon, "COMPILED", target):
                self.assertIsNone(lexicon.compiled())
                target.write_bytes(b"0" * 64 + b"\nanything")
                self.assertIsNone(lexicon.compiled())
                target.write_bytes(b"")
                self.assertIsNone(lexicon.compiled())
                lexicon.write_compiled(b"data")
                self.assertEqual(lexicon.compiled(), b"data")

    def test_rule_of_a_finding_names_its_line(self):
        rules = {
            lexicon.rule_name(row.lang, row.kind, row.fields[0])
            for row in lexicon.rows()
            if row.kind != lexicon.CLASSES
        }
        texts = (
            "Mme Gaudin est sous chimio",
            "He is a shop steward and trade union member.",
            "elle est déléguée syndicale",
            "his husband is a devout Catholic",
        )
        for text in texts:
            found = detector.find(text)
            self.assertTrue(found, text)
            self.assertLessEqual({one.rule for one in found}, rules)


if __name__ == "__main__":
    unittest.main()
