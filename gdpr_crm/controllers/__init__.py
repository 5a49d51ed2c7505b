from . import portal, privacy
