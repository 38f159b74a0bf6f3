"""The steps of grading: what was handed in and whose it is, notebooks mended, nbgrader's scores, the report."""
