"""`alpespartners destinos`: qué fue de todos los envíos, contado a una persona.

Qué es: la lista de `GET /tracking/destinos`, con sus mismos filtros, en texto.
Qué no es: la consulta (`aplicacion/consultas/listar_destinos.py`); no escribe nada ni necesita que haya nada
en marcha.
Por qué existe: lo que se aceptó y no se registró hay que poder verlo sin saber su id.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from alpespartners.cli.clase import ALTERNATIVAS, NombreDeClase, leer_nombre
from alpespartners.cli.destino import a_quien_iba, imprimible, momento, que_paso
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import (
    ESTADOS,
    DestinoListado,
    peticion_de_destinos,
)
from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible
from alpespartners.modulos.tracking.dominio.destinos import Ilegible
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos
from alpespartners.seedwork.arranque import ErrorDeArranque

_NO_SE_PUDO = 2
_JSON = msgspec.json.Encoder(decimal_format="number")


def destinos(
    *,
    estado: Annotated[
        str | None, typer.Option("--estado", help=f"Solo los que acabaron así: {', '.join(ESTADOS)}.")
    ] = None,
    motivo: Annotated[
        str | None,
        typer.Option("--motivo", help="Solo los que no se registraron por este motivo."),
    ] = None,
    clase: Annotated[
        NombreDeClase | None,
        typer.Option(
            "--clase",
            parser=leer_nombre,
            metavar="<str>",
            help=f"Solo los de esta clase: {ALTERNATIVAS}.",
        ),
    ] = None,
    campana: Annotated[
        str | None, typer.Option("--campaña", "--campana", help="Solo los de esta campaña.")
    ] = None,
    desde: Annotated[
        str | None,
        typer.Option("--desde", help="Decididos desde este instante: 2026-01-15T00:00:00-05:00."),
    ] = None,
    hasta: Annotated[
        str | None, typer.Option("--hasta", help="Decididos antes de este instante, sin incluirlo.")
    ] = None,
    limite: Annotated[str | None, typer.Option("--limite", help="Cuántos como mucho, de 1 a 1000.")] = None,
    cursor: Annotated[
        str | None, typer.Option("--cursor", help="Sigue donde terminó la página que lo dio.")
    ] = None,
) -> None:
    """Enumera en qué acabaron los envíos, del último al primero, con lo que se envió en cada uno."""
    from alpespartners.composicion.ordenes import listar_destinos

    escritos = {
        "estado": estado,
        "motivo": motivo,
        "clase": clase,
        "campaña_id": campana,
        "desde": desde,
        "hasta": hasta,
        "limite": limite,
        "cursor": cursor,
    }
    configuracion = leer_ajustes()
    try:
        peticion = peticion_de_destinos({n: valor for n, valor in escritos.items() if valor is not None})
    except DatosInvalidos as invalidos:
        raise ErrorDeArranque(f"No se entiende qué se pide: {invalidos}.") from None
    try:
        pagina = listar_destinos(configuracion, peticion)
    except FilaIlegible as fila:
        typer.echo(f"Hay uno que no se puede leer: {fila}.", err=True)
        raise typer.Exit(_NO_SE_PUDO) from None
    for listado in pagina.elementos:
        for linea in relato(listado):
            typer.echo(linea)
    if not pagina.elementos:
        typer.echo(f"No hay ninguno. Se miró en {configuracion.lugar}.")
    if pagina.siguiente is not None:
        typer.echo(f"Hay más: repita la orden con --cursor {pagina.siguiente}", err=True)


def relato(listado: DestinoListado) -> Iterator[str]:
    """Devuelve las líneas que cuentan un destino."""
    destino = listado.destino
    cual = "sin id" if listado.evento_id is None else listado.evento_id
    yield f"{momento(listado.decidido_en)}  {destino.estado}  {listado.clase.nombre} {imprimible(cual)}"
    yield f"    {imprimible(que_paso(destino))}"
    if not isinstance(destino, Ilegible):
        yield f"    {imprimible(a_quien_iba(listado.campaña_id, listado.influencer_id))}"
        yield f"    {_enviado(listado)}"
    yield f"    Comando {imprimible(listado.comando_id)}, recibido el {momento(listado.recibido_en)}."


def _enviado(listado: DestinoListado) -> str:
    if listado.enviado is None:
        return "Lo que se envió no está guardado: pasaron sus días, o es anterior a que se guardara."
    return f"Se envió: {imprimible(_JSON.encode(listado.enviado).decode())}"
