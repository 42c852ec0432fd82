"""The work that applies rules to earlier leads, or takes that back."""

from domain.ads import AdRun, RunState
from domain.events import AdRunAsked


def asking(run: AdRun) -> AdRunAsked:
    """The event that sets it going, as the state of the run says."""
    undo = run.state is RunState.UNDOING
    what = f"ads:{run.id}:undo" if undo else f"ads:{run.id}"
    return AdRunAsked(vendor="svodka", external_id=what, occurred_at=None, run_id=run.id, undo=undo)
