"""The examination behind `svodka check`, asked for in the chat."""
