"""`python -m hub VERB`: the verbs are the modules of this folder, one each.

For: operators and developers. Exit codes: 0 done, 1 the work failed or found something wrong, 2 the command or a
setting is not usable. Every error says what, why and the next command; progress goes to standard error.
"""

import sys
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from audit import AuditError
from connectors import ConnectorError
from hub.errors import HubError
from policies import AgreementInvalid


class Verbs(click.Group):
    """Imports a verb only when it is used, and prints refusals as sentences instead of traces."""

    modules = (
        "agreements",
        "bench",
        "clients",
        "connectors",
        "decisions",
        "demo",
        "doctor",
        "keys",
        "load",
        "match",
        "migrate",
        "notices",
        "radar",
        "remind",
        "serve",
    )

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in order."""
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, from the module of its name."""
        if cmd_name not in self.modules:
            return None
        from importlib import import_module

        command: click.Command = getattr(import_module(f"hub.commands.{cmd_name}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the verb; a refusal ends with exit code 2."""
        try:
            return super().invoke(ctx)
        except (HubError, ConnectorError) as error:
            click.echo(f"Refused: {error.sentence}", err=True)
            for step in getattr(error, "next_steps", ()):
                click.echo(f"  -> {step}", err=True)
            sys.exit(2)
        except (AuditError, AgreementInvalid) as error:
            click.echo(f"Refused: {error}", err=True)
            sys.exit(2)
        except SQLAlchemyError as error:
            click.echo(f"Refused: the database cannot be used ({type(error).__name__}).", err=True)
            click.echo("  -> python -m hub doctor", err=True)
            sys.exit(2)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
def hub() -> None:
    """Kith: a hub for the people who protect a family."""
