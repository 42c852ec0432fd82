"""Houses, people and departments: read from the CRM, found and shown in the chat."""
