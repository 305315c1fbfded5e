"""`/salud/viva` y `/salud/lista`: si el proceso vive y si puede recibir eventos.

Qué es: lo que preguntan una sonda y una persona que ve que algo no avanza.
Qué no es: métricas ni diagnóstico; no dice direcciones, versiones ni nombres internos.
Por qué existe: aceptar eventos depende solo del broker. Sin base de datos se sigue aceptando, y sin
consumidores lo aceptado espera: ambas cosas se dicen, pero no apartan al servicio del tráfico.
"""

from collections.abc import Mapping, Sequence

import msgspec

from alpespartners.api.parametros import sin_parametros
from alpespartners.api.peticion import Peticion
from alpespartners.api.respuesta import Respuesta
from alpespartners.api.rutas import Ruta, ruta_get
from alpespartners.modulos.tracking.aplicacion.puertos import (
    Administracion,
    BaseDatosNoDisponible,
    DespachadorComandos,
    Lecturas,
    Presencia,
)


def rutas_de_salud(
    despachador: DespachadorComandos,
    lecturas: Lecturas,
    presencia: Presencia,
    administracion: Administracion | None,
) -> list[Ruta]:
    """Las rutas de salud; sin `administracion` no se dice nada de cómo está puesto el broker."""

    async def lista(peticion: Peticion, _variables: Sequence[str]) -> Respuesta:
        sin_parametros(peticion)
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
            "broker": disponibilidad(disponible=hay_broker),
            "base_datos": disponibilidad(disponible=hay_base_de_datos),
            "consumidores": await consumidores_vivos(presencia),
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


def disponibilidad(*, disponible: bool) -> str:
    """Cómo se dice en estas respuestas."""
    return "disponible" if disponible else "no_disponible"


def json_de(cuerpo: Mapping[str, object], estado: int) -> Respuesta:
    """Una respuesta de salud."""
    return Respuesta(msgspec.json.encode(cuerpo), estado)
