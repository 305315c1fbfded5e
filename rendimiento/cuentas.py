"""Meta k: lo que cuesta al consumidor contar cada evento para los informes.

Qué es: la CPU por comando de un proceso de consumidores que vacía un tópico lleno, contando y sin contar, por
turnos, con comandos de mil influencers y de otro usuario cada vez. Cada proceso, con su broker y su base de
datos. De PostgreSQL, además, la CPU de su servidor.
Qué no es: lo que tarda un informe, que lo mide `informes.py`.
Por qué existe: contar en la misma transacción es lo que hace que un informe sea el libro, y se paga en cada
evento, se pida el informe o no.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from statistics import median
from typing import Final

from alpespartners.medicion.base_postgresql import base_postgresql
from alpespartners.medicion.comandos import modelos, sobre_como
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import (
    ORDEN,
    Montaje,
    Proceso,
    esperar_a,
    montaje,
    parando,
)
from alpespartners.medicion.nucleos import en_el_de_la_carga, en_el_de_los_servidores
from alpespartners.medicion.programa import ejecutar
from alpespartners.medicion.servidor_postgresql import cpu_del_servidor, servidor_postgresql
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import migrar
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar

_SIN_CONTAR: Final = """
from alpespartners.cli import principal
from alpespartners.modulos.informes.infraestructura.proyeccion import CuentasSQL

CuentasSQL.aplicar = lambda *_: None
principal()
"""
_ORDENES: Final = (ORDEN, (sys.executable, "-c", _SIN_CONTAR))
_INFLUENCERS: Final = 1_000
_USUARIOS_DISTINTOS: Final = 300_000
_USUARIOS: Final = count()
_LIMITE: Final = 180.0
_MICROSEGUNDOS: Final = 1e6
_OBJETIVO: Final = 1.1
"""Contar no debe costar más de un diez por ciento."""


@dataclass(frozen=True, slots=True)
class _Consumidor:
    """Un proceso de consumidores, con lo suyo.

    Attributes:
        servicio: su carpeta y su broker.
        lecturas: su base de datos.
        proceso: el suyo.
    """

    servicio: Montaje
    lecturas: LecturasDelLibro
    proceso: Proceso

    def vaciar(self, cuantos: int) -> float:
        """Llena el tópico mientras está detenido, y dice los segundos de CPU que gasta en vaciarlo."""
        previos = self._asentados()
        with self.proceso.suspendido(), en_el_de_la_carga():
            _llenar(self.servicio, cuantos)
            cpu = self.proceso.cpu
        with en_el_de_la_carga():
            esperar_a(lambda: self._asentados() >= previos + cuantos, _LIMITE, f"asentar {cuantos} comandos")
            esperar_a(lambda: not self._pendientes(), _LIMITE, "publicar sus eventos")
        return self.proceso.cpu - cpu

    def _asentados(self) -> int:
        self.proceso.exigir_vivo()
        return self.lecturas.leer_libro(lambda c: sum(r.cuantos for r in BalanceSQL(c).renglones()))

    def _pendientes(self) -> int:
        return self.lecturas.leer_libro(lambda c: BalanceSQL(c).envios_pendientes().cuantos)


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta k que dicen lo que cuesta contar, de los motores que estén instalados."""
    vueltas, cuantos = (1, 1_000) if breve else (5, 20_000)
    medidas = []
    with ExitStack() as pila:
        con, sin = (pila.enter_context(_sqlite(orden)) for orden in _ORDENES)
        medidas.append(_comparar("con SQLite", con.vaciar, sin.vaciar, vueltas, cuantos))
    with servidor_postgresql() as servidor, ExitStack() as pila:
        if servidor is not None:
            con, sin = (pila.enter_context(_postgresql(servidor, orden)) for orden in _ORDENES)
            medidas.append(_comparar("con PostgreSQL", con.vaciar, sin.vaciar, vueltas, cuantos))
            de_con, de_sin = (partial(_en_el_servidor, servidor, uno) for uno in (con, sin))
            medidas.append(
                _comparar("el servidor de PostgreSQL", de_con, de_sin, vueltas, cuantos, objetivo=None)
            )
    return medidas


def _comparar(
    nombre: str,
    con: Callable[[int], float],
    sin: Callable[[int], float],
    vueltas: int,
    cuantos: int,
    objetivo: float | None = _OBJETIVO,
) -> Medida:
    """La CPU de uno y de otro por comando, por turnos; la primera vuelta no cuenta."""
    hechas = [(con(tamaño), sin(tamaño)) for tamaño in (cuantos // 10, *[cuantos] * vueltas)][1:]
    contando, sin_contar = (median(lado) / cuantos * _MICROSEGUNDOS for lado in zip(*hechas, strict=True))
    return Medida(
        meta="k",
        nombre=f"CPU por comando, contando cada evento, {nombre}",
        medido=f"{contando:.1f} µs",
        techo=f"{sin_contar:.1f} µs sin contar",
        cifra=median(de_con / de_sin for de_con, de_sin in hechas),
        objetivo=objetivo,
    )


def _en_el_servidor(servidor: str, consumidor: _Consumidor, cuantos: int) -> float:
    """Los segundos de CPU que gasta el servidor de PostgreSQL mientras se vacía el tópico."""
    antes = cpu_del_servidor(servidor)
    consumidor.vaciar(cuantos)
    return cpu_del_servidor(servidor) - antes


def _llenar(servicio: Montaje, cuantos: int) -> None:
    """Publica comandos como los de la API, la mitad de cada clase y cada uno del influencer siguiente."""
    cliente = ClientePulsar(servicio.url_del_broker(), embebido=True)
    try:
        for modelo in modelos():
            sobres = [
                sobre_como(
                    replace(
                        modelo,
                        influencer_id=f"inf-{numero % _INFLUENCERS}",
                        # El que más cuesta: de uno que ya estaba no cambia nada.
                        usuario_id=f"usr-{next(_USUARIOS) % _USUARIOS_DISTINTOS}",
                    )
                )
                for numero in range(cuantos // 2)
            ]
            respuestas: list[bool] = []
            productor = cliente.productor(
                sobres[0].topico, por_clave=False, limite=_LIMITE, maximo_en_curso=cuantos
            )
            for sobre in sobres:
                productor.enviar(sobre, respuestas.append)
            todas = partial(_son, respuestas, len(sobres))
            esperar_a(todas, _LIMITE, "que el broker confirmara los comandos")
            productor.cerrar()
            if not all(respuestas):
                raise RuntimeError("el broker no confirmó todos los comandos")
    finally:
        cliente.cerrar()


def _son(respuestas: Sequence[bool], cuantas: int) -> bool:
    return len(respuestas) == cuantas


@contextmanager
def _sqlite(orden: Sequence[str]) -> Iterator[_Consumidor]:
    with montaje(orden) as servicio:
        migrar(servicio.datos)
        with _en_marcha(servicio, LecturasSQLite(servicio.datos)) as consumidor:
            yield consumidor


@contextmanager
def _postgresql(servidor: str, orden: Sequence[str]) -> Iterator[_Consumidor]:
    with (
        base_postgresql(servidor) as url,
        montaje(orden, ALPES_BASE_DATOS=url) as servicio,
        _en_marcha(servicio, LecturasPostgreSQL(url)) as consumidor,
    ):
        yield consumidor


@contextmanager
def _en_marcha(servicio: Montaje, lecturas: LecturasDelLibro) -> Iterator[_Consumidor]:
    with ExitStack() as pila:
        pila.callback(lecturas.cerrar)
        with en_el_de_los_servidores():
            proceso = servicio.consumidores()
        pila.enter_context(parando(proceso))
        yield _Consumidor(servicio, lecturas, proceso)


if __name__ == "__main__":
    ejecutar("Lo que cuesta al consumidor contar cada evento.", medir)
