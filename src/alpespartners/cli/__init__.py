"""La orden `alpespartners`: arrancar el servicio, y preguntarle, desde una terminal.

Qué es: la cara del producto para quien lo instala; cada grupo de órdenes está en su archivo.
Qué no es: un lugar con lógica; cada orden llama a la composición.
Por qué existe: la primera hora con el producto debe ser una sola orden.
"""

import typer

from alpespartners.cli.cartas import cartas
from alpespartners.cli.conciliar import conciliar
from alpespartners.cli.destino import destino
from alpespartners.cli.destinos import destinos
from alpespartners.cli.idioma import Grupo, Orden
from alpespartners.cli.medir import medir
from alpespartners.cli.reconstruir import reconstruir
from alpespartners.cli.servicio import api, consumidores, iniciar, migrar

principal = typer.Typer(
    cls=Grupo,
    name="alpespartners",
    help="Registra impresiones y conversiones de campañas.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
principal.command(cls=Orden)(iniciar)
principal.command(cls=Orden)(api)
principal.command(cls=Orden)(consumidores)
principal.command(cls=Orden)(migrar)
principal.command(cls=Orden)(destino)
principal.command(cls=Orden)(destinos)
principal.command(cls=Orden)(conciliar)
principal.command(cls=Orden)(reconstruir)
principal.command(cls=Orden)(medir)
principal.add_typer(cartas, name="cartas")
