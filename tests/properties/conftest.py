"""Properties of the pure core, looked for with hypothesis.

In a folder of their own, since tests/pyodide runs all of tests/unit in the browser, where
hypothesis is not: a silent skip there would look like a pass.
"""

import os

from hypothesis import settings

# The same examples every time: a build must not fail by chance, nor for a slow machine.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, max_examples=300
)
# Fewer, for `build.py mutate`, which runs them hundreds of times.
settings.register_profile("quick", settings.get_profile("repeatable"), max_examples=40)
settings.load_profile(os.environ.get("WEBRERANK_HYPOTHESIS", "repeatable"))
