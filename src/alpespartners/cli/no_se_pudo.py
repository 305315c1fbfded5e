"""Terminar con 2: lo que se pidió comprobar no se pudo comprobar, que no es que algo no cuadre."""

from typing import Final

import typer

_CODIGO: Final = 2


def no_se_pudo(frase: str) -> typer.Exit:
    """Escribe por qué en el error estándar y devuelve lo que hay que lanzar."""
    typer.echo(frase, err=True)
    return typer.Exit(_CODIGO)
