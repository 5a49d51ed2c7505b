from . import form, portal, privacy
