from . import mail_blacklist_remove
from . import mail_compose_message
