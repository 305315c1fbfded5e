"""`alpespartners cartas`: ver los mensajes que no se pudieron descifrar y enviarlos otra vez tras repararlos.

Qué es: la cara en la terminal de `infraestructura/cartas.py`.
Qué no es: una reparación; lo que hacía ilegible al mensaje se arregla antes, en el programa o aquí, con
`--a` (el tópico al que debió ir) y `--quitar` (una propiedad falsa).
Por qué existe: quien pregunta por una venta que falta debe poder recuperarla sin escribir código.
"""

from typing import Annotated

import typer

from alpespartners.cli.clase import NombreDeClase
from alpespartners.config import Configuracion
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.seedwork.arranque import ErrorDeArranque

cartas = typer.Typer(help="Mensajes ilegibles: verlos y enviarlos otra vez.", no_args_is_help=True)


_TOPICOS = {
    NombreDeClase.IMPRESION: COMANDO_REGISTRAR_IMPRESION,
    NombreDeClase.CONVERSION: COMANDO_REGISTRAR_CONVERSION,
}


@cartas.command()
def listar(
    clase: Annotated[NombreDeClase | None, typer.Argument(help="Solo las de este tópico.")] = None,
) -> None:
    """Enumera las cartas: comando, tópico, cuándo llegó, octetos y por qué no se pudo descifrar."""
    from alpespartners.composicion import cartas as leer_cartas

    topicos = _TOPICOS.values() if clase is None else [_TOPICOS[clase]]
    try:
        for carta in leer_cartas(Configuracion(), list(topicos)):
            typer.echo(
                f"{carta.comando_id}\t{carta.topico}\t{carta.publicado_en:%Y-%m-%dT%H:%M:%SZ}\t"
                f"{len(carta.carga)} octetos\t{carta.detalle}"
            )
    except BrokerNoDisponible:
        raise ErrorDeArranque("El broker no responde; pruebe otra vez cuando vuelva.") from None


@cartas.command("reinyectar")
def reinyectar_orden(
    clase: Annotated[NombreDeClase, typer.Argument(help="El tópico en que quedaron.")],
    comandos: Annotated[
        list[str] | None, typer.Argument(help="Los comando_id de `cartas listar`; ninguno si --todas.")
    ] = None,
    *,
    todas: Annotated[bool, typer.Option("--todas", help="Todas las cartas de ese tópico.")] = False,
    a: Annotated[
        NombreDeClase | None, typer.Option("--a", help="El tópico al que debieron ir; si falta, el mismo.")
    ] = None,
    quitar: Annotated[
        list[str] | None, typer.Option("--quitar", help="Una propiedad falsa que no debe volver a ir.")
    ] = None,
) -> None:
    """Envía cartas otra vez, cada una como un comando nuevo que nombra al anterior.

    Repetir la orden es seguro: la misma carta es siempre el mismo comando, y no cuenta dos veces.
    """
    from alpespartners.composicion import reinyectar_cartas

    elegidos = frozenset(comandos or ())
    if todas == bool(elegidos):
        raise ErrorDeArranque("Diga qué cartas: sus comando_id, o --todas.")
    try:
        cuantas = reinyectar_cartas(
            Configuracion(),
            _TOPICOS[clase],
            lambda carta: todas or carta.comando_id in elegidos,
            a=_TOPICOS[a or clase],
            quitar=quitar or (),
        )
    except BrokerNoDisponible:
        raise ErrorDeArranque("El broker no responde; repetir la misma orden es seguro.") from None
    except ValueError as error:
        raise ErrorDeArranque(f"No se reinyectó ninguna: {error}.") from None
    typer.echo(f"{cuantas} reinyectadas.")
    if cuantas < len(elegidos):
        raise ErrorDeArranque("De los demás comando_id no hay carta en ese tópico.")
