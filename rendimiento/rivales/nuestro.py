"""Nosotros, medidos como los demás: la API sola, o el servicio entero hasta su evento publicado.

Qué es: la API sola hace lo que hacen los otros al responder; el servicio entero, además, lo que ninguno hace.
Por qué existe: la comparación es justa si se compara lo mismo, y completa si se ve también lo demás.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from signal import SIGKILL

from alpespartners.medicion.atraso import esperar_a_todo
from alpespartners.medicion.controlador import TABLAS
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.montaje import Montaje, Proceso, montaje
from alpespartners.medicion.nucleos import en_el_de_los_servidores
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.archivo import (
    archivo_de,
    biblioteca_sqlite,
)
from rendimiento.rivales.con_broker import lo_que_llegue, matar_al_broker
from rendimiento.rivales.rival import Rival


class _Alpes:
    """El servicio en marcha, sobre SQLite y el broker embebido."""

    def __init__(self, servicio: Montaje, *, entero: bool) -> None:
        self._servicio = servicio
        with en_el_de_los_servidores():
            self._api = servicio.api()
            self._consumidores = [servicio.consumidores(self._api)] if entero else []

    @property
    def puerto(self) -> int:
        return self._api.puerto

    def cpu(self) -> float:
        return sum(proceso.cpu for proceso in self._procesos())

    def cpu_del_broker(self) -> float:
        return self._servicio.cpu_del_broker()

    def terminar(self, aceptados: int, /) -> None:
        if self._consumidores:
            esperar_a_todo(self._api, aceptados)

    def matar(self) -> None:
        for proceso in self._procesos():
            proceso.avisar(SIGKILL)
        matar_al_broker(self._servicio)

    def recuperar(self) -> None:
        # También los consumidores, aunque no los hubiera: sin ellos no hay nada que contar.
        self.parar()
        with en_el_de_los_servidores():
            self._api = self._servicio.api()
            self._consumidores = [self._servicio.consumidores(self._api)]

    def guardados(self, esperados: "Counter[str]") -> "Counter[str]":
        return lo_que_llegue(self._ids, esperados)

    def parar(self) -> None:
        for proceso in reversed(self._procesos()):
            proceso.parar()

    def _procesos(self) -> list[Proceso]:
        return [self._api, *self._consumidores]

    def _ids(self) -> list[str]:
        uri = f"{archivo_de(self._servicio.datos).as_uri()}?mode=ro"
        with closing(biblioteca_sqlite().connect(uri, uri=True)) as conexion:
            # Los nombres son de `TABLAS`.
            consultas = [f"SELECT id FROM {tabla}" for tabla in TABLAS]  # noqa: S608
            return [ident for consulta in consultas for (ident,) in conexion.execute(consulta)]


@contextmanager
def _en_marcha(_carpeta: Path, *, entero: bool) -> Iterator[_Alpes]:
    with montaje() as servicio:
        alpes = _Alpes(servicio, entero=entero)
        try:
            yield alpes
        finally:
            alpes.parar()


def _ya_esta(_carpeta: Path) -> None:
    """No hay que instalar nada: es este repositorio."""


SOLO_LA_API = Rival(
    nombre="Alpes, la API",
    estado=202,
    al_responder="confirmado por el broker",
    destino="GET de su dirección: uno de cuatro destinos, con su porqué",
    instalar=_ya_esta,
    arrancar=partial(_en_marcha, entero=False),
    fabrica=mezcla,
)
ENTERO = Rival(
    nombre="Alpes, hasta su evento",
    estado=202,
    al_responder="lo mismo; después, su fila y su evento, uno y solo uno",
    destino="lo mismo",
    instalar=_ya_esta,
    arrancar=partial(_en_marcha, entero=True),
    fabrica=mezcla,
)
