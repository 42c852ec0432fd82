"""Leads and contacts of a CRM: kept as the CRM has them."""
