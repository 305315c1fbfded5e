"""La orden `alpespartners`: arrancar el servicio, y preguntarle, desde una terminal.

Qué es: la cara del producto para quien lo instala; cada grupo de órdenes está en su archivo.
Qué no es: un lugar con lógica; cada orden llama a la composición.
Por qué existe: la primera hora con el producto debe ser una sola orden.
"""

from typing import Annotated

import typer

from alpespartners import __version__
from alpespartners.cli.cartas import cartas
from alpespartners.cli.claves import claves
from alpespartners.cli.conciliar import conciliar
from alpespartners.cli.destino import destino
from alpespartners.cli.destinos import destinos
from alpespartners.cli.enlaces import enlaces
from alpespartners.cli.exportar import exportar
from alpespartners.cli.idioma import Grupo, Orden
from alpespartners.cli.importar import importar
from alpespartners.cli.informe import informe
from alpespartners.cli.medir import medir
from alpespartners.cli.reclasificar import reclasificar
from alpespartners.cli.reconstruir import reconstruir
from alpespartners.cli.recontar import recontar
from alpespartners.cli.sembrar import sembrar
from alpespartners.cli.servicio import api, consumidores, iniciar, migrar

principal = typer.Typer(
    cls=Grupo,
    name="alpespartners",
    help="Registra impresiones y conversiones de campañas.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _decir_version(pedida: bool) -> None:  # noqa: FBT001 (así la llama Typer)
    if pedida:
        typer.echo(f"alpespartners {__version__}")
        raise typer.Exit


@principal.callback()
def _antes_de_la_orden(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_decir_version, is_eager=True, help="Dice la versión y termina."),
    ] = False,
) -> None:
    pass


principal.command(cls=Orden)(iniciar)
principal.command(cls=Orden)(api)
principal.command(cls=Orden)(consumidores)
principal.command(cls=Orden)(migrar)
principal.command(cls=Orden)(destino)
principal.command(cls=Orden)(destinos)
principal.command(cls=Orden)(informe)
principal.command(cls=Orden)(exportar)
principal.command(cls=Orden)(importar)
principal.command(cls=Orden)(sembrar)
principal.command(cls=Orden)(conciliar)
principal.command(cls=Orden)(recontar)
principal.command(cls=Orden)(reclasificar)
principal.command(cls=Orden)(reconstruir)
principal.command(cls=Orden)(medir)
principal.add_typer(cartas, name="cartas")
principal.add_typer(claves, name="claves")
principal.add_typer(enlaces, name="enlaces")
