"""What holds for every test that draws its own input."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same examples in every run, so that a change is judged by the change; `make fuzz` is what draws others.  No limit
# of time for an example: how long one takes says how busy the machine is.
# A fixture that all examples share is what these tests mean: a directory, a server.
settings.register_profile(
    "promote",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("promote")
