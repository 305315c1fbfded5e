"""`alpespartners reconstruir`: dejar entera una base de datos vacía con lo que guardan los tópicos.

Qué es: la cara en la terminal de `infraestructura/operacion/reconstructor.py`.
Qué no es: una copia de seguridad; lo que el broker ya no guarda no vuelve.
Por qué existe: perder la base de datos no debe ser perder lo que se registró.
"""

from typing import Final

import typer

from alpespartners.cli.avance import Avance
from alpespartners.cli.cuantas import cuantas
from alpespartners.composicion.inicio import leer_ajustes
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BaseDatosNoDisponible,
    BrokerNoDisponible,
    EsquemaDesconocido,
)
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.orden import ORDEN

_HACE_FALTA_OTRA_VERSION: Final = 2


def reconstruir() -> None:
    """Reconstruye una base de datos vacía desde los tópicos, sin consumidores en marcha.

    Si se interrumpe, se ejecuta otra vez. Termina con 2 si hay mensajes de una versión posterior.
    """
    from alpespartners.composicion.ordenes import reconstruir as reconstruir_con

    try:
        with Avance() as avance:
            hechos = reconstruir_con(leer_ajustes(), avanza=avance.avanzar)
    except BrokerNoDisponible:
        raise ErrorDeArranque("El broker no responde; repetir la misma orden es seguro.") from None
    except BaseDatosNoDisponible as error:
        raise ErrorDeArranque(
            f"La base de datos no responde: {error}. Repetir la misma orden es seguro."
        ) from None
    except EsquemaDesconocido as error:
        typer.echo(f"{error} y repita la orden.", err=True)
        raise typer.Exit(_HACE_FALTA_OTRA_VERSION) from None
    for hecho in hechos:
        typer.echo(
            f"{hecho.topico}: {cuantas(hecho.filas, 'fila', 'filas')} de sus eventos, "
            f"{hecho.sin_evento} sin evento, {cuantas(hecho.destinos, 'destino', 'destinos')}; "
            f"{cuantas(hecho.eventos_ilegibles, 'mensaje no es evento', 'mensajes no son eventos')}."
        )
    typer.echo(f"Compruébelo con `{ORDEN} conciliar` y arranque los consumidores.")
