#!/usr/bin/env python3
"""Compiles the knowledge files of the sensitive-data detector.

python3 scripts/build_lexicon.py          writes gdpr_crm/tools/sensitive/lexicon.idx
python3 scripts/build_lexicon.py --check  ends with 1 when that file is out of date
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "gdpr_crm" / "tools"))

from sensitive import compiler, lexicon  # noqa: E402


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="only compare")
    args = parser.parse_args()
    if lexicon.compiled():
        print(f"{lexicon.COMPILED.name} is up to date")
        return 0
    if args.check:
        print(f"{lexicon.COMPILED.name} is outdated: make lexicon")
        return 1
    lexicon.write_compiled(compiler.compile_folder())
    print(f"{lexicon.COMPILED.name}: {lexicon.COMPILED.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
