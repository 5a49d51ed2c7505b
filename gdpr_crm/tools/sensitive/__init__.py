"""Finds special categories of personal data (GDPR Art. 9) in free text.

Pure Python, standard library only: see ``detector`` for the interface and
``FORMAT.md`` for the knowledge files it reads.
"""
