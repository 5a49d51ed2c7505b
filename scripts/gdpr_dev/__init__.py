"""The machinery behind the Makefile.

Stage one (``python3 -m gdpr_dev …`` run by any Python 3.10 to 3.13, standard
library only) finds or gets Odoo and builds the virtual environment; stage two is
the same command again, inside that environment.
"""
