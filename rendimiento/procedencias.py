"""Meta k: lo que añade, a asentar un lote, contarlo por red, dispositivo, país y robot.

Qué es: la CPU de asentar lotes de quinientos eventos ya leídos, contándolos así y sin contarlos así, dos
lotes cada vez y en el mismo proceso; de una campaña, y de cincuenta a la vez. Cada lado, con su base.
Qué no es: leer la procedencia, abrir el mensaje ni publicar el evento: lo que añade, frente a todo ello, es
menos.
Por qué existe: quien nunca pide un informe por países también lo paga, en cada evento.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from alpespartners.medicion.base_postgresql import base_postgresql
from alpespartners.medicion.comandos import modelos
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.programa import POSTGRESQL, ejecutar
from alpespartners.modulos.informes.infraestructura.proyeccion import CuentasSQL
from alpespartners.modulos.informes.infraestructura.tablas import METADATOS
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, IdentidadComando
from alpespartners.modulos.tracking.dominio.contenido import Contenido
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import Libro
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from alpespartners.modulos.tracking.infraestructura.repositorios import Proyectar

_POR_LOTE: Final = 500
_INFLUENCERS: Final = 1_000
_CAMPAÑAS: Final = 50
_REDES: Final = ("directo", "instagram", "google", "tiktok", "facebook", "youtube", "correo", "otra")
_DISPOSITIVOS: Final = ("movil", "movil", "movil", "escritorio", "tableta")
_PAISES: Final = 20
_UN_ROBOT_DE_CADA: Final = 20
_OBJETIVO: Final = 1.1
"""No debe añadir más de un diez por ciento."""
_MICROSEGUNDOS: Final = 1e6


class _SinProcedencias(CuentasSQL):
    def _contar_procedencias(self, *_: object) -> None:
        """Nada."""


class _Lector:
    """Da lecturas como las de una campaña que llega a veinte países; cumple el puerto `Lector`."""

    def __init__(self) -> None:
        self._leidas = count()

    def leer(self, contenido: Contenido, señales: Sequence[str]) -> Lectura:
        del contenido, señales
        cual = next(self._leidas)
        es_robot = cual % _UN_ROBOT_DE_CADA == 0
        return Lectura(
            reglas="1",
            red=_REDES[cual // 3 % len(_REDES)],
            dispositivo=_DISPOSITIVOS[cual // 7 % len(_DISPOSITIVOS)],
            # La mitad, del primero.
            pais=f"P{cual // 11 % _PAISES if cual % 2 else 0}",
            bot=es_robot,
            señales=("agente_de_robot",) if es_robot else (),
        )


def medir(*, breve: bool, postgresql: str | None = None) -> Sequence[Medida]:
    """Devuelve las filas de la meta k que dicen lo que cuesta contar procedencias."""
    vueltas = 2 if breve else 60
    motor = "SQLite" if postgresql is None else "PostgreSQL"
    medidas = []
    for campañas in (1, _CAMPAÑAS):
        with ExitStack() as pila:
            con, sin = (
                _asentador(pila.enter_context(_libro(cuentas, postgresql)), campañas)
                for cuentas in (CuentasSQL, _SinProcedencias)
            )
            # La primera vuelta crea las filas, y no cuenta.
            hechas = [(con(), sin()) for _ in range(vueltas + 1)][1:]
        contando, sin_contar = (
            median(lado) / (len(CLASES) * _POR_LOTE) * _MICROSEGUNDOS for lado in zip(*hechas, strict=True)
        )
        medidas.append(
            Medida(
                meta="k",
                nombre=f"CPU por evento al asentarlo, contando procedencias, {motor}; campañas: {campañas}",
                medido=f"{contando:.1f} µs",
                techo=f"{sin_contar:.1f} µs sin contarlas",
                cifra=median(de_con / de_sin for de_con, de_sin in hechas),
                objetivo=_OBJETIVO,
            )
        )
    return medidas


@contextmanager
def _libro(cuentas: type[CuentasSQL], postgresql: str | None) -> Iterator[Libro]:
    proyectar = Proyectar(METADATOS, cuentas)
    with ExitStack() as pila:
        if postgresql is None:
            datos = Path(pila.enter_context(TemporaryDirectory()))
            libro: Libro = LibroSQLite(datos, proyectar=proyectar)
        else:
            url = pila.enter_context(base_postgresql(postgresql))
            libro = LibroPostgreSQL(url, proyectar=proyectar)
        libro.abrir()
        pila.callback(libro.cerrar)
        yield libro


def _asentador(libro: Libro, campañas: int) -> Callable[[], float]:
    """Asienta un lote nuevo de cada clase, y dice los segundos de CPU de este proceso."""
    numeros = count()
    lector = _Lector()

    def recibido(modelo: Any) -> ComandoRecibido:
        numero = next(numeros)
        comando = replace(
            modelo,
            id=f"id-{numero}",
            campaña_id=f"cmp-{numero % campañas}",
            influencer_id=f"inf-{numero % _INFLUENCERS}",
        )
        identidad = IdentidadComando(f"c-{numero}", numero.to_bytes(16, "big"))
        return ComandoRecibido(
            identidad=identidad, comando=comando, publicado_en=comando.recibido_en, traza=None
        )

    async def asentar() -> float:
        preparados = [
            (clase, modelo.recibido_en, [recibido(modelo) for _ in range(_POR_LOTE)])
            for clase, modelo in zip(CLASES, modelos(), strict=True)
        ]
        cpu = time.process_time()
        for clase, ahora, lote in preparados:
            await libro.ejecutar(
                lambda t, clase=clase, ahora=ahora, lote=lote: ManejadorDeRegistro(clase, lector).manejar(  # type: ignore[misc]
                    lote, t, ahora
                )
            )
        return time.process_time() - cpu

    return lambda: asyncio.run(asentar())


if __name__ == "__main__":
    ejecutar("Lo que añade, a asentar un lote, contar sus procedencias.", medir, POSTGRESQL)
