"""`/salud/viva` y `/salud/lista`: si el proceso vive y si puede recibir eventos.

Qué es: lo que preguntan una sonda y una persona que ve que algo no avanza.
Qué no es: métricas ni diagnóstico; no dice direcciones, versiones ni nombres internos.
Por qué existe: aceptar eventos depende solo del broker. Sin base de datos se sigue aceptando, y sin
consumidores lo aceptado espera: ambas cosas se dicen, pero no apartan al servicio del tráfico.
"""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.rutas import Ruta, ruta_get
from alpespartners.modulos.tracking.aplicacion.puertos import (
    BaseDatosNoDisponible,
    DespachadorComandos,
    Lecturas,
    Presencia,
)


def rutas_de_salud(despachador: DespachadorComandos, lecturas: Lecturas, presencia: Presencia) -> list[Ruta]:
    """Las rutas de salud."""

    async def viva(_peticion: Request, _variables: Sequence[str]) -> Response:
        return _json({"estado": "viva"}, 200)

    async def lista(_peticion: Request, _variables: Sequence[str]) -> Response:
        hay_broker = despachador.disponible
        hay_base_de_datos = await _se_puede_leer(lecturas)
        if not hay_broker:
            estado = "no_lista"
        elif not hay_base_de_datos:
            estado = "degradada"
        else:
            estado = "lista"
        cuerpo: dict[str, object] = {
            "estado": estado,
            "broker": _disponibilidad(disponible=hay_broker),
            "base_datos": _disponibilidad(disponible=hay_base_de_datos),
            "consumidores": await consumidores_vivos(presencia),
        }
        return _json(cuerpo, 200 if hay_broker else 503)

    return [ruta_get("/salud/viva", viva), ruta_get("/salud/lista", lista)]


async def _se_puede_leer(lecturas: Lecturas) -> bool:
    try:
        # Sin leer algo, una transacción no toca el archivo y nunca fallaría.
        await lecturas.leer(lambda consulta: consulta.balance.envios_pendientes())
    except BaseDatosNoDisponible:
        return False
    return True


async def consumidores_vivos(presencia: Presencia) -> int | None:
    """Devuelve cuántos consumidores viven ahora, o `None` si no se pudo averiguar."""
    try:
        return await presencia.consumidores()
    except BaseDatosNoDisponible:
        return None


def _disponibilidad(*, disponible: bool) -> str:
    return "disponible" if disponible else "no_disponible"


def _json(cuerpo: dict[str, object], estado: int) -> Response:
    return Response(msgspec.json.encode(cuerpo), estado, media_type="application/json")
