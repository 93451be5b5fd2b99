"""Tries to break every write: by schedules of failures, by kills, by time."""
