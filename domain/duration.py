"""How long something took, as a card shows it: «59с», «2м 15с», «1ч 2м»."""


def show_duration(seconds: float) -> str:
    """The two largest units of ``seconds``; a fraction is dropped, a negative length (clocks differ) reads «0с»."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    units = ((hours, "ч"), (minutes, "м"), (0 if hours else rest, "с"))
    return " ".join(f"{value}{unit}" for value, unit in units if value) or "0с"
