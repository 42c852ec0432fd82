"""How long something took, as a card shows it: «59с», «2м 15с», «1ч 2м»."""

from datetime import timedelta


def show_duration(seconds: float) -> str:
    """The two largest units of ``seconds``; a fraction is dropped, a negative length (clocks differ) reads «0с»."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    units = ((hours, "ч"), (minutes, "м"), (0 if hours else rest, "с"))
    return " ".join(f"{value}{unit}" for value, unit in units if value) or "0с"


def show_roughly(time: timedelta) -> str:
    """«10 мин», «3 ч», «2 дн»: the one unit that says how long it is; at least a minute."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 60:
        return f"{max(minutes, 1)} мин"
    return f"{round(minutes / 60)} ч" if minutes < 48 * 60 else f"{round(minutes / 60 / 24)} дн"
