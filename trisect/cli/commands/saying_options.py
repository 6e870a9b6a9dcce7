"""What a person says, as `consent grant` and `delegation give` take it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from trisect.cli.commands.completions import kinds

Purposes: TypeAlias = Annotated[
    list[str], typer.Option("--purpose", metavar="P", help="What for; may be repeated.")
]
Kinds: TypeAlias = Annotated[
    list[str],
    typer.Option("--kind", metavar="K", help="Of which indicators; may be repeated.", autocompletion=kinds),
]
Parties: TypeAlias = Annotated[
    list[str], typer.Option("--party", metavar="PARTY", help="Who may process them; may be repeated.")
]
Method: TypeAlias = Annotated[str, typer.Option(metavar="TEXT", help="How the person was asked.")]
Person: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="[-]", help="Your own reference for the person, from stdin.", show_default=False),
]
Days: TypeAlias = Annotated[int, typer.Option(metavar="N", min=1, help="For how long.")]
Pressures: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--pressure",
        metavar="NAME",
        help="bundled, service-refused, power-imbalance or pre-ticked; may be repeated.",
    ),
]
Notice: TypeAlias = Annotated[
    int, typer.Option(metavar="N", min=0, help="Which of your notices was seen; 0 is the newest.")
]
Language: TypeAlias = Annotated[str, typer.Option(metavar="LANG", help="In which it was read: en or zh.")]
OnePerson: TypeAlias = Annotated[
    str, typer.Option(metavar="-", help="Only one person's, by your own reference from stdin.")
]
