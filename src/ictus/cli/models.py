"""`ictus models`: what can be loaded by name."""

from dataclasses import asdict

from ictus.cli.console import say_json, show_table
from ictus.cli.options import command


@command
def run(json: bool = False) -> int:
    """List the models that are shipped, with size, licence and scores.

    Args:
        json: Write JSON instead of a table.
    """
    from ictus.registry import shipped

    rows = [asdict(model) for model in shipped()]
    if json:
        say_json(rows)
    else:
        show_table("Models", list(rows[0]), [list(row.values()) for row in rows])
    return 0
