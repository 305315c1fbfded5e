"""Un proceso de consumidores que muere en cuanto trabaja con cierto mensaje, una y otra vez.

Uso: consumidor_mortal.py DATOS abrir|asentar CUANTOS POSICION_DEL_MORTAL. Recibe lo que no se confirmó en
vidas anteriores, por su orden, y termina bien cuando todo está confirmado.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from alpespartners.modulos.tracking.aplicacion.handlers import RegistrarImpresionHandler
from alpespartners.modulos.tracking.aplicacion.mensajes import LoteAsentado, MensajeIlegible
from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import archivo_en_mano
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import MensajeRecibido
from tests.apoyo.consumo import ConsumoDePrueba
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.pulsar_falso import ClienteFalso, SuscripcionFalsa, mensaje

DATOS = Path(sys.argv[1])
AL_ABRIR = sys.argv[2] == "abrir"
CUANTOS, MORTAL = int(sys.argv[3]), f"imp-{sys.argv[4]}"
CONFIRMADOS = DATOS / "confirmados"


def morir() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class ManejadorMortal(RegistrarImpresionHandler):
    def manejar(self, lote: Sequence[Any], transaccion: Any, ahora: Any) -> LoteAsentado:
        if any(not isinstance(r, MensajeIlegible) and r.comando.id == MORTAL for r in lote):
            morir()
        return super().manejar(lote, transaccion, ahora)


def abrir_o_morir(topico: str, *, clave: str | None, **resto: Any) -> Any:
    if clave == MORTAL:
        morir()
    return abrir_comando(topico, clave=clave, **resto)


class SuscripcionQueRecuerda(SuscripcionFalsa):
    def confirmar(self, mensajes: Sequence[MensajeRecibido]) -> None:
        with CONFIRMADOS.open("a", encoding="ascii") as archivo:
            archivo.writelines(f"{recibido.posicion}\n" for recibido in mensajes)
        super().confirmar(mensajes)


async def principal() -> None:
    hechos = set(CONFIRMADOS.read_text(encoding="ascii").split()) if CONFIRMADOS.exists() else set()
    suscripcion = SuscripcionQueRecuerda()
    suscripcion.mensajes.extend(
        mensaje(replace(IMPRESION, id=f"imp-{numero}"), str(numero))
        for numero in range(CUANTOS)
        if str(numero) not in hechos
    )
    pendientes = len(suscripcion.mensajes)
    cliente = ClienteFalso(confirma_solo=True)
    cliente.suscripciones.append(suscripcion)
    libro = LibroSQLite(DATOS)
    libro.abrir()
    with archivo_en_mano(DATOS) as archivo:
        parar = asyncio.Event()
        trabajo = asyncio.create_task(
            ConsumoDePrueba(
                cliente=cliente,
                manejadores=[RegistrarImpresionHandler() if AL_ABRIR else ManejadorMortal()],
                libro=libro,
                archivo=archivo,
                abrir=abrir_o_morir if AL_ABRIR else abrir_comando,
            )
            .consumidores()
            .trabajar(parar)
        )
        await hasta_en_el_bucle(lambda: len(suscripcion.confirmados) == pendientes, 60)
        parar.set()
        await trabajo
    libro.cerrar()


asyncio.run(principal())
