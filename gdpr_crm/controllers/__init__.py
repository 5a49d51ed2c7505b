from . import audit, consent, portal, privacy
