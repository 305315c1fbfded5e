"""El árbol de procesos de una instalación: quién es cada uno, qué tiene entre manos y su muerte.

Qué es: los cinco papeles y sus procesos, hallados desde fuera por /proc y por los cerrojos que tienen.
Qué no es: el supervisor; aquí solo se arranca lo que en una máquina arrancaría una persona.
Por qué existe: morir sin nada que hacer no prueba nada. A cada víctima se la detiene antes de matarla, y así
se ve, sin carreras, qué tenía entre manos en el instante de morir.
"""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from alpespartners.broker_embebido.carpeta import Carpeta
from tests.apoyo.espera import hasta
from tests.apoyo.procesos import dueño_del_cerrojo
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.servicio import UVICORN, Instalacion, instalacion
from tests.muerte.auditoria import embebida
from tests.muerte.carga import Carga
from tests.muerte.libro import Libro
from tests.muerte.montaje import Muerte, matar_en_plena_faena

SUPERVISOR: Final = "supervisor"
API: Final = "api"
CONSUMIDORES: Final = "consumidores"
GUARDIAN: Final = "guardián"
BROKER: Final = "broker"
PAPELES: Final = (SUPERVISOR, API, CONSUMIDORES, GUARDIAN, BROKER)


class Arbol:
    """Los procesos de una instalación que arrancó `alpespartners iniciar`, y otras APIs si se piden.

    Args:
        servicio: los suyos; su `cerrar` termina lo que quede.
        apis: cuántas APIs; la primera es la del supervisor y las demás son `uvicorn` en otros puertos.
    """

    papeles = PAPELES
    espacio = "public/default"

    def __init__(self, servicio: Instalacion, apis: int) -> None:
        self._instalacion = servicio
        self._carpeta = Carpeta(servicio.datos)
        self._supervisor = servicio.iniciar()
        self._otras_apis = {
            puerto: self._lanzar_api(puerto) for puerto in (puerto_libre() for _ in range(apis - 1))
        }
        self.auditado = embebida(servicio)
        servicio.esperar_consumidores()
        hasta(self.auditado.libro.tiene_tablas)

    @property
    def broker(self) -> str:
        """La URL del broker embebido, que no cambia."""
        return f"pulsar://127.0.0.1:{self._carpeta.puerto_guardado()}"

    @property
    def puertos(self) -> list[int]:
        """Los de todas las APIs."""
        return [self._instalacion.puerto, *self._otras_apis]

    def numero(self, papel: str, puerto: int | None = None) -> int:
        """El proceso que hace ese papel; si se está reponiendo, espera a que vuelva.

        Args:
            papel: uno de los cinco.
            puerto: cuál de las APIs; sin él, la del supervisor.
        """
        return hasta(lambda: self._numero(papel, puerto))

    def conciliar(self) -> "subprocess.CompletedProcess[str]":
        """Lo que `alpespartners conciliar` dice de esta instalación."""
        return self._instalacion.orden("conciliar", "--espera", "0")

    def matar(self, papel: str, carga: Carga, azar: Random) -> Muerte:
        """Mata con -9 al proceso de ese papel, con trabajo entre manos si puede ser, y cuenta cuánto."""
        puerto = azar.choice(self.puertos) if papel == API else None
        numero = self.numero(papel, puerto)
        entre_manos = matar_en_plena_faena(
            numero, lambda: _entre_manos(papel, puerto, carga, self.auditado.libro)
        )
        self._reponer(papel, puerto)
        return Muerte(papel, entre_manos)

    def _reponer(self, papel: str, puerto: int | None) -> None:
        """Arranca lo que nadie repone por su cuenta."""
        if papel == SUPERVISOR:
            self._supervisor.wait(60)
            # El puerto y los cerrojos quedan libres cuando terminan sus hijos.
            hasta(lambda: not self._hijos())
            self._supervisor = self._instalacion.iniciar()
        elif puerto in self._otras_apis:
            self._otras_apis[puerto].wait(60)
            self._otras_apis[puerto] = self._lanzar_api(puerto)

    def _lanzar_api(self, puerto: int) -> "subprocess.Popen[bytes]":
        return self._instalacion.lanzar([*UVICORN, "--port", str(puerto)])

    def _numero(self, papel: str, puerto: int | None) -> int | None:
        """El proceso que hace ese papel ahora mismo, si ya se sabe cuál es."""
        if papel == SUPERVISOR:
            return self._supervisor.pid
        if papel == GUARDIAN:
            return _unico(
                [
                    n
                    for n, orden in self._instalacion.procesos().items()
                    if "broker_embebido.guardian" in orden
                ]
            )
        if papel == BROKER:
            return self._carpeta.pid_del_broker() if self._carpeta.puerto_activo() is not None else None
        consumidores = dueño_del_cerrojo(self._instalacion.datos / "consumidor.lock")
        if papel == CONSUMIDORES:
            return consumidores
        if puerto in self._otras_apis:
            return self._otras_apis[puerto].pid
        hijos = self._hijos()
        return _unico([n for n in hijos if n != consumidores]) if consumidores in hijos else None

    def _hijos(self) -> list[int]:
        return [n for n, orden in self._instalacion.procesos().items() if "spawn_main" in orden]


def _entre_manos(papel: str, puerto: int | None, carga: Carga, libro: Libro) -> int:
    """Cuánto trabajo a medias se perdería si el proceso, detenido, no volviera.

    - API: las peticiones que esperan su respuesta.
    - Consumidores: los comandos aceptados que aún no tienen destino y los envíos de la bandeja de salida.
    - Broker y guardián (con él muere el broker): las peticiones, que esperan su confirmación, y los comandos
      que aún no ha entregado o cuya confirmación no le ha llegado.
    - Supervisor (sus hijos terminan por sí mismos): todo lo anterior.
    """
    if papel == API:
        return carga.en_vuelo(puerto)
    pendientes = len(libro.sin_destino(carga.aceptados[-200:]))
    if papel == CONSUMIDORES:
        return pendientes + libro.envios_pendientes()
    if papel in {BROKER, GUARDIAN}:
        return pendientes + carga.en_vuelo()
    return pendientes + carga.en_vuelo() + libro.envios_pendientes()


def _unico(numeros: Sequence[int]) -> int | None:
    return numeros[0] if len(numeros) == 1 else None


@contextmanager
def embebido(carpeta: Path, apis: int) -> Iterator[Arbol]:
    """El montaje embebido, recién arrancado; al salir no queda ningún proceso."""
    with instalacion(carpeta) as servicio:
        yield Arbol(servicio, apis)
