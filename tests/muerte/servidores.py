"""El montaje de una empresa: Apache Pulsar, PostgreSQL, dos APIs y cuatro procesos de consumidores.

Qué es: sus cuatro papeles, y la reposición de quien muere, que aquí no hace ningún supervisor.
Qué no es: un clúster; eso tiene su propia prueba.
Por qué existe: lo que se promete en un portátil se promete igual con servidores y muchos consumidores.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Final

import httpx2

from tests.apoyo.espera import hasta
from tests.apoyo.postgresql import ServidorDePrueba, servidor_de_prueba
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.pulsar_apache import ServidorApache, mensajes_de_apache, servidor_apache
from tests.apoyo.servicio import CONSUMIDORES as ORDEN_DE_CONSUMIDORES
from tests.apoyo.servicio import UVICORN, Instalacion, instalacion
from tests.muerte.arbol import API, BROKER, CONSUMIDORES
from tests.muerte.auditoria import Auditado
from tests.muerte.carga import Carga
from tests.muerte.libro import libro_postgresql
from tests.muerte.montaje import Muerte, matar_en_plena_faena

BASE_DE_DATOS: Final = "base de datos"

_APIS: Final = 2
_CONSUMIDORES: Final = 4
_ULTIMOS: Final = 200


class Servidores:
    """Los procesos del montaje; quien construye los servidores los cierra."""

    papeles = (API, CONSUMIDORES, BROKER, BASE_DE_DATOS)

    def __init__(
        self, instalacion: Instalacion, broker: ServidorApache, base: ServidorDePrueba, url: str, espacio: str
    ) -> None:
        self._instalacion = instalacion
        self._apache = broker
        self._base = base
        self.espacio = espacio
        self._apis = {puerto: self._lanzar_api(puerto) for puerto in (puerto_libre() for _ in range(_APIS))}
        self._consumidores = [self._lanzar_consumidores(numero) for numero in range(_CONSUMIDORES)]
        self._turno = cycle(range(_CONSUMIDORES))
        self._http = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.puertos[0]}", timeout=10, trust_env=False
        )
        self.auditado = Auditado(
            libro_postgresql(url), self._http, partial(mensajes_de_apache, broker.url, espacio)
        )
        hasta(self._todos, 60)

    @property
    def broker(self) -> str:
        """La URL de Apache Pulsar."""
        return self._apache.url

    @property
    def puertos(self) -> list[int]:
        """Los de las dos APIs."""
        return list(self._apis)

    def conciliar(self) -> "subprocess.CompletedProcess[str]":
        """Lo que `alpespartners conciliar` dice de esta instalación."""
        return self._instalacion.orden("conciliar", "--espera", "0")

    def matar(self, papel: str, carga: Carga, azar: Random) -> Muerte:
        """Mata con -9 a quien hace ese papel, ocupado si puede ser, y lo vuelve a arrancar."""

        def en_el_aire() -> int:
            return len(self.auditado.libro.sin_destino(carga.aceptados[-_ULTIMOS:]))

        if papel == API:
            puerto = azar.choice(self.puertos)
            tenia = matar_en_plena_faena(self._apis[puerto].pid, lambda: carga.en_vuelo(puerto))
            self._apis[puerto].wait(60)
            self._apis[puerto] = self._lanzar_api(puerto)
        elif papel == CONSUMIDORES:
            numero = next(self._turno)
            tenia = matar_en_plena_faena(self._consumidores[numero].pid, lambda: self._en_mano(numero))
            self._consumidores[numero].wait(60)
            self._consumidores[numero] = self._lanzar_consumidores(numero)
        elif papel == BROKER:
            tenia = matar_en_plena_faena(self._apache.numero, lambda: en_el_aire() + carga.en_vuelo())
            self._apache.matar()
            self._apache.arrancar()
        else:
            # A una base de datos detenida no se le pregunta: muere en cuanto dice que falta algo.
            # Si los productores aún vuelven de una caída del broker, pasa un rato sin nada en el aire.
            tenia = hasta(en_el_aire, 90)
            self._base.matar()
            self._base.arrancar()
        return Muerte(papel, tenia)

    def cerrar(self) -> None:
        """Cierra el cliente con que se mira."""
        self._http.close()

    def _lanzar_api(self, puerto: int) -> "subprocess.Popen[bytes]":
        return self._instalacion.lanzar([*UVICORN, "--port", str(puerto)])

    def _lanzar_consumidores(self, numero: int) -> "subprocess.Popen[bytes]":
        return self._instalacion.lanzar(ORDEN_DE_CONSUMIDORES, ALPES_DATOS=str(self._carpeta(numero)))

    def _carpeta(self, numero: int) -> Path:
        return self._instalacion.datos / f"consumidores-{numero}"

    def _en_mano(self, numero: int) -> int:
        """Con cuántos mensajes trabajaba en el instante en que se le detuvo, según dejó escrito."""
        escrito = (self._carpeta(numero) / "en-mano").read_bytes()
        return int(json.loads(escrito)["en_mano"]) if escrito else 0

    def _todos(self) -> bool:
        try:
            respuesta = self._http.get("/salud/lista")
        except httpx2.TransportError:
            return False
        return respuesta.status_code == httpx2.codes.OK and respuesta.json()["consumidores"] == _CONSUMIDORES


@contextmanager
def servidores(carpeta: Path) -> Iterator[Servidores]:
    """El montaje entero, recién arrancado; al salir no queda ningún proceso."""
    with servidor_apache() as broker, servidor_de_prueba() as base:
        url, espacio = base.base_nueva(), broker.espacio_nuevo()
        ajustes = {"ALPES_PULSAR_URL": broker.url, "ALPES_PULSAR_ESPACIO": espacio, "ALPES_BASE_DATOS": url}
        with instalacion(carpeta, **ajustes) as servicio:
            montaje = Servidores(servicio, broker, base, url, espacio)
            try:
                yield montaje
            finally:
                montaje.cerrar()
