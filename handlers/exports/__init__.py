"""Lists and figures as files: what there is to export, for Excel or as CSV, from the chat and from the command line."""
