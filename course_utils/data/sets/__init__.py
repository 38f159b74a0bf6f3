"""One file a data set: its ``SET`` is all there is to write, and :mod:`course_utils.data.catalogue` finds it."""
