from . import audit, consent, form, portal, privacy, register
