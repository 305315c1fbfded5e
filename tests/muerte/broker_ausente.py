"""El broker se va un rato bajo carga y vuelve: `python -m tests.muerte.broker_ausente --segundos 60`.

Qué es: el guardián detenido y el broker muerto, de modo que nadie lo repone, y lo que entonces pasa con los
envíos, con la memoria y con `/salud/lista`.
Qué no es: una muerte más; aquí lo que importa es lo que se acumula mientras falta.
Por qué existe: un proceso que guarda en memoria lo que no puede publicar termina muriendo con ello.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.apoyo.espera import hasta
from tests.apoyo.procesos import memoria_residente
from tests.apoyo.servicio import instalacion
from tests.muerte.arbol import API, BROKER, CONSUMIDORES, GUARDIAN, Arbol
from tests.muerte.auditoria import Auditoria, auditar, esperar_calma
from tests.muerte.carga import Carga

_CLIENTES: Final = 16
_CADA: Final = 0.5
_LIMITE_DE_VUELTA: Final = 60.0


@dataclass(frozen=True, slots=True)
class Ausencia:
    """Qué pasó.

    Attributes:
        salud: el estado y el cuerpo de `/salud/lista` mientras faltaba.
        aceptados: cuántos 202 se dieron a lo que se envió cuando ya no estaba.
        crecimiento: por proceso, los octetos de memoria que llegó a ganar desde que se fue.
        vuelta: segundos desde que pudo volver hasta el primer 202.
        auditoria: lo que se encontró al final.
    """

    salud: tuple[int, dict[str, Any]]
    aceptados: int
    crecimiento: dict[str, int]
    vuelta: float
    auditoria: Auditoria


def ejecutar(carpeta: Path, segundos: float) -> Ausencia:
    """Deja sin broker, durante esos segundos, a una instalación nueva bajo carga."""
    with instalacion(carpeta) as servicio:
        arbol = Arbol(servicio, 1)
        carga = Carga(arbol.puertos, 1, _CLIENTES, siguen_enlaces=True)
        carga.empezar()
        try:
            hasta(lambda: len(carga.aceptados) > 300, _LIMITE_DE_VUELTA)
            numeros = {papel: arbol.numero(papel) for papel in (API, CONSUMIDORES)}
            al_empezar = {papel: memoria_residente(numero) for papel, numero in numeros.items()}
            guardian, broker = arbol.numero(GUARDIAN), arbol.numero(BROKER)
            os.kill(guardian, signal.SIGSTOP)
            os.kill(broker, signal.SIGKILL)
            desde = time.monotonic()
            maximos = dict(al_empezar)
            salud: tuple[int, dict[str, Any]] = (0, {})
            while time.monotonic() < desde + segundos:
                threading.Event().wait(_CADA)
                for papel, numero in numeros.items():
                    maximos[papel] = max(maximos[papel], memoria_residente(numero))
                respuesta = servicio.http.get("/salud/lista")
                salud = (respuesta.status_code, respuesta.json())
            aceptados = sum(aceptado.desde > desde for aceptado in carga.aceptados)
            os.kill(guardian, signal.SIGCONT)
            vuelve = time.monotonic()
            hasta(
                lambda: any(aceptado.desde > vuelve for aceptado in carga.aceptados[-50:]), _LIMITE_DE_VUELTA
            )
            vuelta = time.monotonic() - vuelve
        finally:
            carga.terminar()
        esperar_calma(arbol.auditado, carga)
        return Ausencia(
            salud=salud,
            aceptados=aceptados,
            crecimiento={papel: maximos[papel] - al_empezar[papel] for papel in numeros},
            vuelta=vuelta,
            auditoria=auditar(arbol.auditado, carga),
        )


def principal() -> int:
    """Lee la orden, lo hace y cuenta cómo fue."""
    orden = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    orden.add_argument("--segundos", type=float, default=60, help="lo que falta el broker")
    segundos = orden.parse_args().segundos
    with tempfile.TemporaryDirectory(prefix="ausente-") as carpeta:
        ausencia = ejecutar(Path(carpeta), segundos)
    sys.stdout.write(f"{ausencia}\n")
    return 1 if ausencia.auditoria.discrepancias or ausencia.aceptados else 0


if __name__ == "__main__":
    sys.exit(principal())
