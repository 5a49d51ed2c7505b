from . import consent, form, portal, privacy, register
