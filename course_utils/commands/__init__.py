"""The course's commands, one file a command: a file here is a command of ``python -m course_utils``."""
