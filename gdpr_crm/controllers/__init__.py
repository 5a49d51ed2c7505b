from . import consent, portal, privacy, register
