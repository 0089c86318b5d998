"""The application for a WSGI server: `gunicorn wsgi:application`. Settings come from HUB_* variables."""

from hub.app import from_environment

application = from_environment()
