"""Notices of events: taken in, decided, brought to whoever works with the person, read as every disclosure."""
