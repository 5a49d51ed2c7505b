from . import consent, portal, privacy
