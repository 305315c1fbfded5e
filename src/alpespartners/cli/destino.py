"""`alpespartners destino`: qué fue de un `id`, contado a una persona.

Qué es: la historia de un identificador en texto, que se lee igual en una terminal y en una tubería.
Qué no es: la consulta (`aplicacion/consultas/consultar_destino.py`); no escribe nada ni necesita que haya
nada en marcha.
Por qué existe: quien atiende a un cliente que reclama un evento no debería tener que leer JSON.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from alpespartners.cli.clase import ALTERNATIVAS, NombreDeClase, clase_llamada, leer_nombre
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import Historia, SinNoticias
from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible
from alpespartners.modulos.tracking.dominio.destinos import (
    Destino,
    Duplicada,
    Ignorada,
    Ilegible,
    Rechazada,
    Registrada,
)
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador
from alpespartners.seedwork.arranque import ErrorDeArranque

_NO_SE_PUDO = 2


def destino(
    clase: Annotated[
        NombreDeClase, typer.Argument(parser=leer_nombre, help=f"De qué clase es el evento: {ALTERNATIVAS}.")
    ],
    id: Annotated[str, typer.Argument(help="Su id, tal como se envió.")],
) -> None:
    """Cuenta qué fue de un id. Termina con código 1 si no consta nada de él."""
    from alpespartners.composicion.ordenes import consultar_destino

    configuracion = leer_ajustes()
    try:
        evento_id = identificador("id", id)
    except CampoInvalido as invalido:
        raise ErrorDeArranque(f"Ningún evento puede tener ese id: {invalido.fallo.mensaje}.") from None
    try:
        hallado, consumidores = consultar_destino(configuracion, clase_llamada(clase), evento_id)
    except FilaIlegible as fila:
        typer.echo(f"Está registrado y no se puede leer: {fila}.", err=True)
        raise typer.Exit(_NO_SE_PUDO) from None
    if isinstance(hallado, SinNoticias):
        typer.echo(f"{hallado.explicacion(consumidores)} Se miró en {configuracion.lugar}.")
        raise typer.Exit(1)
    for linea in relato(hallado):
        typer.echo(linea)


def relato(historia: Historia) -> Iterator[str]:
    """Devuelve las líneas que cuentan la historia, del suceso más antiguo al más nuevo."""
    for suceso in historia.sucesos:
        yield f"{momento(suceso.decidido_en)}  {suceso.destino.estado}"
        frases = [que_paso(suceso.destino)]
        if isinstance(suceso.destino, Rechazada | Ignorada):
            frases.append(a_quien_iba(suceso.campaña_id, suceso.influencer_id))
        yield f"    {imprimible(' '.join(frases))}"
        yield (f"    Comando {imprimible(suceso.comando_id)}, recibido el {momento(suceso.recibido_en)}.")
    if historia.omitidos:
        yield f"Y {historia.omitidos} más, posteriores."


def que_paso(destino: Destino) -> str:
    """La frase que cuenta un destino; puede llevar lo que escribió un publicador ajeno."""
    match destino:
        case Registrada():
            return "Se registró."
        case Duplicada(original, difieren):
            salvo = f" Difieren, sin decidir el dinero: {', '.join(difieren)}." if difieren else ""
            return f"Repetía lo que ya había registrado el comando {original}; no añadió nada.{salvo}"
        case Rechazada(motivo, detalle, _):
            return f"No se registró ({motivo}): {detalle}."
        case Ignorada(por_que, detalle):
            return f"Se ignoró ({por_que}): {detalle}."
        case Ilegible(detalle):
            return f"No se pudo descifrar: {detalle}. El mensaje está en las cartas muertas."


def a_quien_iba(campaña_id: str | None, influencer_id: str | None) -> str:
    """La frase que dice a qué campaña y a qué influencer iba un envío."""
    campaña = "campaña desconocida" if campaña_id is None else f"campaña {campaña_id}"
    influencer = "sin influencer" if influencer_id is None else f"influencer {influencer_id}"
    return f"Iba a: {campaña}, {influencer}."


def momento(instante: datetime) -> str:
    """Un instante como se escribe a una persona, en UTC y con milésimas."""
    return f"{instante:%Y-%m-%d %H:%M:%S}.{instante.microsecond // 1000:03} UTC"


def imprimible(texto: str) -> str:
    """Lo que escribió un publicador ajeno no puede dar órdenes a la terminal."""
    return "".join(letra if letra.isprintable() else "\N{REPLACEMENT CHARACTER}" for letra in texto)
