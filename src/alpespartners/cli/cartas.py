"""`alpespartners cartas`: ver los mensajes que no se pudieron descifrar y enviarlos otra vez tras repararlos.

Qué es: la cara en la terminal de `infraestructura/operacion/cartas.py`.
Qué no es: una reparación; lo que hacía ilegible al mensaje se arregla antes, en el programa o aquí, con
`--a` (el tópico al que debió ir) y `--quitar` (una propiedad falsa).
Por qué existe: quien pregunta por una venta que falta debe poder recuperarla sin escribir código.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from alpespartners.cli.clase import ALTERNATIVAS, NombreDeClase, clase_llamada, leer_nombre
from alpespartners.cli.cuantas import cuantas
from alpespartners.cli.destino import imprimible
from alpespartners.cli.idioma import Grupo, Orden
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BaseDatosNoDisponible,
    BrokerNoDisponible,
    FilaIlegible,
)
from alpespartners.modulos.tracking.dominio.destinos import Rechazada
from alpespartners.seedwork.arranque import ErrorDeArranque

if TYPE_CHECKING:
    from alpespartners.modulos.tracking.infraestructura.operacion.cartas import Carta, Reinyeccion

cartas = typer.Typer(cls=Grupo, help="Mensajes ilegibles: verlos y enviarlos otra vez.", no_args_is_help=True)


@cartas.command(cls=Orden)
def listar(
    clase: Annotated[
        NombreDeClase | None,
        typer.Argument(parser=leer_nombre, help=f"Solo las de este tópico: {ALTERNATIVAS}."),
    ] = None,
    *,
    pendientes: Annotated[
        bool, typer.Option("--pendientes", help="Solo las que no han tenido otro destino.")
    ] = False,
) -> None:
    """Enumera las cartas: comando, tópico, cuándo llegó, octetos, por qué es ilegible y qué fue de ella.

    Pendiente es la que nadie reinyectó, o se reinyectó y aún no la procesó ningún consumidor.
    """
    from alpespartners.composicion.ordenes import cartas as leer_cartas

    clases = CLASES if clase is None else [clase_llamada(clase)]
    try:
        for carta, reinyecciones in leer_cartas(leer_ajustes(), [clase.topico for clase in clases]):
            if pendientes and reinyecciones:
                continue
            typer.echo(
                f"{carta.comando_id}\t{carta.topico}\t{carta.publicado_en:%Y-%m-%dT%H:%M:%SZ}\t"
                f"{len(carta.carga)} octetos\t{carta.detalle}\t{_que_fue(carta, reinyecciones)}"
            )
    except BrokerNoDisponible:
        raise ErrorDeArranque("El broker no responde; pruebe otra vez cuando vuelva.") from None
    except (BaseDatosNoDisponible, FilaIlegible) as error:
        raise ErrorDeArranque(f"No se puede leer la base de datos: {str(error).removesuffix('.')}.") from None


def _que_fue(carta: "Carta", reinyecciones: "Sequence[Reinyeccion]") -> str:
    if not reinyecciones:
        return "pendiente; recortada, pídala a quien la envió" if carta.recortada else "pendiente"
    return "; ".join(
        f"reinyectada en {reinyeccion.topico}: {imprimible(_destino(reinyeccion))}"
        for reinyeccion in reinyecciones
    )


def _destino(reinyeccion: "Reinyeccion") -> str:
    destino = reinyeccion.destino
    motivo = f" ({destino.motivo})" if isinstance(destino, Rechazada) else ""
    de_que_id = "" if reinyeccion.evento_id is None else f", id {reinyeccion.evento_id}"
    return f"{destino.estado}{motivo}{de_que_id}"


@cartas.command("reinyectar", cls=Orden)
def reinyectar_orden(
    clase: Annotated[
        NombreDeClase, typer.Argument(parser=leer_nombre, help=f"El tópico en que quedaron: {ALTERNATIVAS}.")
    ],
    comandos: Annotated[
        list[str] | None, typer.Argument(help="Los comando_id de `cartas listar`; ninguno si --todas.")
    ] = None,
    *,
    todas: Annotated[bool, typer.Option("--todas", help="Todas las cartas de ese tópico.")] = False,
    a: Annotated[
        NombreDeClase | None,
        typer.Option(
            "--a",
            parser=leer_nombre,
            help=f"El tópico al que debieron ir, {ALTERNATIVAS}; si falta, el mismo.",
        ),
    ] = None,
    quitar: Annotated[
        list[str] | None, typer.Option("--quitar", help="Una propiedad falsa que no debe volver a ir.")
    ] = None,
) -> None:
    """Envía cartas otra vez, cada una como un comando nuevo que nombra al anterior.

    Repetir la orden es seguro: la misma carta es siempre el mismo comando, y no cuenta dos veces.
    """
    from alpespartners.composicion.ordenes import reinyectar_cartas

    elegidos = frozenset(comandos or ())
    if todas == bool(elegidos):
        raise ErrorDeArranque("Diga qué cartas: sus comando_id, o --todas.")
    try:
        reinyectadas = reinyectar_cartas(
            leer_ajustes(),
            clase_llamada(clase).topico,
            lambda carta: todas or carta.comando_id in elegidos,
            a=clase_llamada(a or clase).topico,
            quitar=quitar or (),
        )
    except BrokerNoDisponible:
        raise ErrorDeArranque("El broker no responde; repetir la misma orden es seguro.") from None
    except ValueError as error:
        raise ErrorDeArranque(f"No se reinyectó ninguna: {error}.") from None
    typer.echo(f"{cuantas(reinyectadas, 'reinyectada', 'reinyectadas')}.")
    if reinyectadas < len(elegidos):
        raise ErrorDeArranque("De los demás comando_id no hay carta en ese tópico.")
