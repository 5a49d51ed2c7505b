from . import crm_lead
from . import gdpr_website_fault
from . import website_visitor
