"""`/salud/viva` y `/salud/lista`: si el proceso vive y si puede recibir eventos.

Qué es: lo que preguntan una sonda y una persona que ve que algo no avanza.
Qué no es: métricas ni diagnóstico; no dice direcciones, versiones ni nombres internos.
Por qué existe: aceptar eventos depende solo del broker. Sin base de datos se sigue aceptando, y sin
consumidores lo aceptado espera: ambas cosas se dicen, pero no apartan al servicio del tráfico.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.peticion import Peticion
from alpespartners.api.http.respuesta import Respuesta
from alpespartners.api.http.rutas import Ruta, ruta_get
from alpespartners.modulos.tracking.aplicacion.puertos import (
    Administracion,
    BaseDatosNoDisponible,
    DespachadorComandos,
    Lecturas,
    Presencia,
)

_registro: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)

LIMITE_DE_UNA_SONDA: Final = 2.0
"""Segundos: quien sondea suele esperar cinco, y una base de datos muda no aparta a la API del tráfico."""


def rutas_de_salud(
    despachador: DespachadorComandos,
    lecturas: Lecturas,
    presencia: Presencia,
    administracion: Administracion | None,
) -> list[Ruta]:
    """Las rutas de salud; sin `administracion` no se dice nada de cómo está puesto el broker."""
    contar_si_cambia = _relator()

    async def lista(peticion: Peticion, _variables: Sequence[str]) -> Respuesta:
        sin_parametros(peticion)
        hay_broker = despachador.disponible
        fallo, vivos = await _de_la_base_de_datos(lecturas, presencia)
        hay_base_de_datos = fallo is None
        contar_si_cambia(fallo)
        if not hay_broker:
            estado = "no_lista"
        elif not hay_base_de_datos:
            estado = "degradada"
        else:
            estado = "lista"
        cuerpo: dict[str, object] = {
            "estado": estado,
            "broker": disponibilidad(disponible=hay_broker),
            "base_datos": disponibilidad(disponible=hay_base_de_datos),
            "consumidores": vivos,
        }
        if administracion is not None:
            puesto = await administracion.estado()
            cuerpo |= {"retencion": puesto.retencion, "suscripciones": puesto.suscripciones}
        return json_de(cuerpo, 200 if hay_broker else 503)

    return [ruta_get("/salud/viva", viva), ruta_get("/salud/lista", lista)]


async def viva(peticion: Peticion, _variables: Sequence[str]) -> Respuesta:
    """Responde que el proceso vive: quien atiende su bucle puede responder."""
    sin_parametros(peticion)
    return json_de({"estado": "viva"}, 200)


def _relator() -> Callable[[str | None], None]:
    """Cuenta en el registro que la base de datos deja de leerse, y por qué, y que vuelve."""
    se_leia = True

    def contar(fallo: str | None) -> None:
        nonlocal se_leia
        if se_leia and fallo is not None:
            _registro.warning("la base de datos no se puede leer", fallo=fallo)
        elif not se_leia and fallo is None:
            _registro.info("la base de datos se lee otra vez")
        se_leia = fallo is None

    return contar


async def _de_la_base_de_datos(lecturas: Lecturas, presencia: Presencia) -> tuple[str | None, int | None]:
    """Por qué no se puede leer, si no se puede, y cuántos consumidores viven; a una muda no se la espera."""
    lectura = asyncio.create_task(_fallo_al_leer(lecturas))
    vivos = asyncio.create_task(consumidores_vivos(presencia))
    _, mudas = await asyncio.wait((lectura, vivos), timeout=LIMITE_DE_UNA_SONDA)
    for muda in mudas:
        muda.cancel()
    fallo = "no responde" if lectura in mudas else lectura.result()
    return fallo, None if vivos in mudas else vivos.result()


async def _fallo_al_leer(lecturas: Lecturas) -> str | None:
    try:
        # Sin leer algo, una transacción no toca el archivo y nunca fallaría.
        await lecturas.leer(lambda consulta: consulta.balance.envios_pendientes())
    except BaseDatosNoDisponible as fallo:
        return str(fallo)
    return None


async def consumidores_vivos(presencia: Presencia) -> int | None:
    """Devuelve cuántos consumidores viven ahora, o `None` si no se pudo averiguar."""
    try:
        return await presencia.consumidores()
    except BaseDatosNoDisponible:
        return None


def disponibilidad(*, disponible: bool) -> str:
    """Cómo se dice en estas respuestas."""
    return "disponible" if disponible else "no_disponible"


def json_de(cuerpo: Mapping[str, object], estado: int) -> Respuesta:
    """Una respuesta de salud."""
    return Respuesta(msgspec.json.encode(cuerpo), estado)
