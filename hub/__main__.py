"""`python -m hub`: the one command of the product."""

from hub.commands import hub

if __name__ == "__main__":
    hub(prog_name="python -m hub")
