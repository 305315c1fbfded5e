"""`/salud/viva` y `/salud/lista`: si el proceso vive y si puede recibir eventos.

Qué es: lo que preguntan una sonda y una persona que ve que algo no avanza.
Qué no es: métricas ni diagnóstico; no dice direcciones, versiones ni nombres internos.
Por qué existe: aceptar eventos depende solo del broker. Sin base de datos se sigue aceptando, y sin
consumidores lo aceptado espera: ambas cosas se dicen, pero no apartan al servicio del tráfico.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal

import structlog
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.descripcion import Contestacion, CuerpoDescrito, Etiqueta, Operacion
from alpespartners.api.http.parametros import sin_parametros
from alpespartners.api.http.respuestas import RespuestaJSON
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.modulos.tracking.aplicacion.consultas.contar_consumidores import consumidores_vivos
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

SALUD: Final = Etiqueta("salud", "Para sondas y para quien ve que algo no avanza.")

Disponibilidad = Literal["disponible", "no_disponible"]


class Viva(CuerpoDescrito):
    """El proceso vive."""

    ejemplos = ({"estado": "viva"},)

    estado: Literal["viva"]


class Salud(CuerpoDescrito):
    """Si se pueden recibir eventos, y qué falta."""

    ejemplos = ({"estado": "lista", "broker": "disponible", "base_datos": "disponible", "consumidores": 1},)

    estado: Literal["lista", "degradada", "no_lista"]
    broker: Disponibilidad
    base_datos: Disponibilidad
    consumidores: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Cuántos viven ahora; `null` si no se pudo averiguar."),
    ]
    retencion: Annotated[
        Literal["suficiente", "insuficiente", "desconocida"] | UnsetType,
        Meta(description="Solo con `ALPES_PULSAR_ADMIN`: si llega a siete días."),
    ] = UNSET
    suscripciones: Annotated[
        Literal["presentes", "faltan", "desconocidas"] | UnsetType,
        Meta(description="Solo con `ALPES_PULSAR_ADMIN`: si existen las que guardan lo no leído."),
    ] = UNSET


def quien_averigua(
    despachador: DespachadorComandos,
    lecturas: Lecturas,
    presencia: Presencia,
    administracion: Administracion | None,
) -> Callable[[], Awaitable[Salud]]:
    """Quien dice cómo está el servicio; sin `administracion`, nada de cómo está puesto el broker."""
    contar_si_cambia = _relator()

    async def averiguar() -> Salud:
        hay_broker = despachador.disponible
        fallo, vivos = await _de_la_base_de_datos(lecturas, presencia)
        contar_si_cambia(fallo)
        puesto = None if administracion is None else await administracion.estado()
        return Salud(
            estado="no_lista" if not hay_broker else "lista" if fallo is None else "degradada",
            broker=disponibilidad(disponible=hay_broker),
            base_datos=disponibilidad(disponible=fallo is None),
            consumidores=vivos,
            retencion=UNSET if puesto is None else puesto.retencion,
            suscripciones=UNSET if puesto is None else puesto.suscripciones,
        )

    return averiguar


def rutas_de_salud(averiguar: Callable[[], Awaitable[Salud]]) -> list[RutaDescrita]:
    """Las rutas de salud."""

    async def lista(peticion: Request) -> Response:
        sin_parametros(peticion)
        salud = await averiguar()
        return RespuestaJSON(salud, 503 if salud.estado == "no_lista" else 200)

    operacion = Operacion(
        id="salud_lista",
        etiqueta=SALUD,
        resumen="¿Puede recibir eventos?",
        contestaciones={
            200: Contestacion(descripcion="Puede; quizá degradada (sin lecturas).", formas=(Salud,)),
            503: Contestacion(descripcion="No puede: el broker no responde.", formas=(Salud,)),
        },
    )
    return [
        ruta_viva(),
        RutaDescrita(
            plantilla="/salud/lista",
            metodo="GET",
            atencion=lista,
            alcance=Alcance.OPERACION,
            sin_clave=True,
            operacion=operacion,
        ),
    ]


def ruta_viva() -> RutaDescrita:
    """La que responde que el proceso vive: quien atiende su bucle puede responder."""

    async def viva(peticion: Request) -> Response:
        sin_parametros(peticion)
        return RespuestaJSON(Viva("viva"))

    operacion = Operacion(
        id="salud_viva",
        etiqueta=SALUD,
        resumen="¿Vive el proceso?",
        contestaciones={200: Contestacion(descripcion="Vive.", formas=(Viva,))},
    )
    return RutaDescrita(
        plantilla="/salud/viva",
        metodo="GET",
        atencion=viva,
        alcance=Alcance.OPERACION,
        sin_clave=True,
        operacion=operacion,
    )


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


def disponibilidad(*, disponible: bool) -> Disponibilidad:
    """Cómo se dice en estas respuestas."""
    return "disponible" if disponible else "no_disponible"
