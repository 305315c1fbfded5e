"""Un libro donde a un mismo `id` le pasó de todo, con valores hostiles: lo que el panel tiene que contar."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, MensajeIlegible
from alpespartners.modulos.tracking.aplicacion.negados import comando_negado
from alpespartners.modulos.tracking.dominio.destinos import MotivoDeIgnorar
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, ilegible, recibido
from tests.apoyo.memoria import PuertosEnMemoria

HOSTIL = "<script>alert(1)</script>/ñ&\"'%2F"
VUELTO = "\u202egpj.\u200b"
"""Se leería al revés, y acaba en algo que no se ve."""
DE_TODO = "conv-123"
"""El `id` al que le pasó de todo."""

_SEGUNDO = timedelta(seconds=1)


def puertos_con_de_todo() -> PuertosEnMemoria:
    """Cada segundo, un destino: registro, duplicado, conflicto, rechazo, carta, ignorado y otra clase."""
    puertos = PuertosEnMemoria()
    registrada = replace(
        CONVERSION,
        advertencias=("referrer_reparado", f"campo_desconocido:{HOSTIL}", f"ajena:{HOSTIL}"),
        propiedades={HOSTIL: VUELTO, "utm.source": "x" * 2_048},
    )
    conflicto = replace(registrada, valor=Decimal(15_000), usuario_id=HOSTIL)
    ignorada = comando_negado(
        clases.CONVERSIONES,
        {"id": DE_TODO, "tipo_conversion": "VENTA", "valor": HOSTIL},
        MotivoDeIgnorar.SIN_CAMPAÑA,
        id_asignado=lambda: "asignado",
        recibido_en=AHORA,
    )
    lotes: list[ComandoRecibido | MensajeIlegible] = [
        recibido(registrada, "c-1"),
        recibido(replace(registrada, user_agent=HOSTIL + VUELTO), "c-2"),
        recibido(conflicto, "c-3"),
        recibido(replace(CONVERSION, moneda=HOSTIL, referrer="x" * 2_048, cupon=VUELTO), "c-4"),
        ilegible("c-5", DE_TODO),
        recibido(ignorada, "c-6"),
        recibido(replace(IMPRESION, id=DE_TODO), "c-7"),
        recibido(replace(CONVERSION, id=HOSTIL, campaña_id=HOSTIL), "c-8"),
        recibido(replace(CONVERSION, id=HOSTIL, campaña_id=HOSTIL, moneda="USD"), "c-9"),
    ]
    for segundo, mensaje in enumerate(lotes):
        es_impresion = isinstance(mensaje, ComandoRecibido) and isinstance(mensaje.comando, type(IMPRESION))
        clase = clases.IMPRESIONES if es_impresion else clases.CONVERSIONES
        ManejadorDeRegistro(clase).manejar([mensaje], puertos.registrado, AHORA + segundo * _SEGUNDO)
    return puertos
