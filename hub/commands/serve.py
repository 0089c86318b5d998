"""`python -m hub serve`: the site, by gunicorn with threads."""

from urllib.parse import urlsplit

import click

from hub.settings import read_settings


@click.command()
@click.option("--bind", default=None, help="Address and port; default: those of HUB_BASE_URL on loopback.")
def serve(bind: str | None) -> None:
    """Serve until Ctrl-C. Put a proxy that ends TLS in front of it."""
    settings = read_settings()
    port = urlsplit(settings.base_url).port or 8443
    run(bind or f"127.0.0.1:{port}", workers=settings.workers, threads=settings.threads)


def run(bind: str, *, workers: int, threads: int) -> None:
    """Runs gunicorn in this process; each worker opens its own hub after the fork."""
    from gunicorn.app.wsgiapp import WSGIApplication

    class Site(WSGIApplication):  # type: ignore[misc]
        def init(self, parser: object, opts: object, args: object) -> None:
            pass

        def load_config(self) -> None:
            for name, value in {
                "bind": bind,
                "workers": workers,
                "threads": threads,
                "worker_class": "gthread",
                "timeout": 30,
                "graceful_timeout": 10,
                "keepalive": 5,
                "limit_request_line": 2048,
                "limit_request_fields": 60,
                "accesslog": None,
                "loglevel": "warning",
                "control_socket_disable": True,
            }.items():
                self.cfg.set(name, value)

        def load(self) -> object:
            from hub.app import from_environment

            return from_environment()

    Site("%(prog)s").run()
