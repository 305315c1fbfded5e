"""Meta j: uno y dos procesos de la API en el mismo puerto.

Qué es: envíos por segundo con su 202, por 64 conexiones, con uno y con dos procesos, por turnos y sobre el
mismo broker embebido, sin consumidores; y lo que cuesta cada uno en los procesos de la API. Al lado, lo mismo
de una respuesta sin trabajo.
Qué no es: lo que da una máquina con la carga fuera. Aquí el cliente y el broker gastan de los mismos núcleos,
y dos procesos no pueden dar el doble. Con un núcleo para cada proceso dan lo que dice la primera fila: dos
veces lo de uno, menos lo que encarece cada envío que sean dos.
Por qué existe: quien tiene más núcleos quiere saber cuánto dan.
"""

import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Final, NamedTuple

import psutil

from alpespartners.medicion.carga import a_tope, correr
from alpespartners.medicion.eventos import mezcla
from alpespartners.medicion.medida import Medida
from alpespartners.medicion.montaje import Montaje, montaje, parando
from alpespartners.medicion.programa import ejecutar
from alpespartners.medicion.techo import leer
from alpespartners.seedwork.procesos.ciclos import buscar_menos_ciclos
from alpespartners.seedwork.procesos.servidor_http import ServidorHTTP, abrir_puerto

_DOS: Final = 2
_MICROSEGUNDOS: Final = 1e6


class Servidor(NamedTuple):
    """Un puerto y los procesos que lo atienden."""

    puerto: int
    procesos: Sequence[psutil.Process]

    def cpu(self) -> list[float]:
        """Segundos de CPU que lleva gastados cada proceso."""
        return [float(sum(proceso.cpu_times()[:2])) for proceso in self.procesos]


class Pasada(NamedTuple):
    """Lo que dio un servidor.

    Attributes:
        por_segundo: respuestas.
        costo: segundos de CPU de sus procesos por respuesta.
        menor: la parte que puso el proceso que menos gastó; con dos, la mitad es lo más.
        carga: núcleos que ocupó quien carga.
    """

    por_segundo: float
    costo: float
    menor: float
    carga: float


def medir(*, breve: bool) -> Sequence[Medida]:
    """Devuelve las filas de la meta j."""
    vueltas, segundos = (1, 1.5) if breve else (7, 5.0)
    with montaje() as servicio, ExitStack() as pila:
        servidores = [
            pila.enter_context(_techo(1)),
            pila.enter_context(_techo(_DOS)),
            pila.enter_context(_api(servicio, 1)),
            pila.enter_context(_api(servicio, _DOS)),
        ]
        for servidor in servidores:
            _pasada(servidor, 1.0)
        pasadas = [[_pasada(servidor, segundos) for servidor in servidores] for _ in range(vueltas)]
    base, base_de_dos, una, dos = (list(suyas) for suyas in zip(*pasadas, strict=True))
    return [
        Medida(
            meta="j",
            nombre="Dos procesos contra uno, con un núcleo para cada uno",
            medido=f"{_costo(dos)} por envío con dos, {_costo(una)} con uno",
            techo=f"{_razon(base, base_de_dos, _con_un_nucleo_cada_uno):.2f} × una respuesta sin trabajo",
            cifra=_razon(una, dos, _con_un_nucleo_cada_uno),
            objetivo=1.8,
            como_minimo=True,
        ),
        Medida(
            meta="j",
            nombre="Envíos por segundo, dos procesos contra uno, con la carga en los mismos núcleos",
            medido=f"{_ritmo(dos)} con dos, {_ritmo(una)} con uno",
            techo=f"{_razon(base, base_de_dos, _tal_cual):.2f} × una respuesta sin trabajo",
            cifra=_razon(una, dos, _tal_cual),
        ),
        Medida(
            meta="j",
            nombre="Lo que pone el que menos trabaja de los dos",
            medido=f"la carga ocupó {median(pasada.carga for pasada in dos):.2f} núcleos",
            cifra=100 * median(pasada.menor for pasada in dos),
            unidad="%",
        ),
    ]


def _con_un_nucleo_cada_uno(una: Pasada, dos: Pasada) -> float:
    return _DOS * una.costo / dos.costo


def _tal_cual(una: Pasada, dos: Pasada) -> float:
    return dos.por_segundo / una.por_segundo


def _razon(una: list[Pasada], dos: list[Pasada], cual: Callable[[Pasada, Pasada], float]) -> float:
    return median(cual(a, b) for a, b in zip(una, dos, strict=True))


def _costo(pasadas: list[Pasada]) -> str:
    return f"{median(pasada.costo for pasada in pasadas) * _MICROSEGUNDOS:.0f} µs"


def _ritmo(pasadas: list[Pasada]) -> str:
    return f"{median(pasada.por_segundo for pasada in pasadas):.0f}/s"


def _pasada(servidor: Servidor, segundos: float) -> Pasada:
    antes, carga = servidor.cpu(), time.process_time()
    resultado = correr(a_tope(servidor.puerto, mezcla(servidor.puerto), segundos, dejando_dormir=True))
    carga = time.process_time() - carga
    gastado = [despues - previo for despues, previo in zip(servidor.cpu(), antes, strict=True)]
    resultado.exigir(202)
    return Pasada(
        resultado.por_segundo,
        sum(gastado) / len(resultado.demoras),
        min(gastado) / sum(gastado),
        carga / resultado.segundos,
    )


@contextmanager
def _api(servicio: Montaje, cuantos: int) -> Iterator[Servidor]:
    """La API con tantos procesos."""
    api = servicio.api(procesos=cuantos)
    with parando(api):
        propio = psutil.Process(api.numero)
        suyos = [hijo for hijo in propio.children() if "spawn_main" in " ".join(hijo.cmdline())]
        yield Servidor(api.puerto, suyos or [propio])


@contextmanager
def _techo(cuantos: int) -> Iterator[Servidor]:
    """Una respuesta sin trabajo, con tantos procesos."""
    crear = multiprocessing.get_context("spawn").Process
    with abrir_puerto("127.0.0.1", 0, 2048, "el puerto") as enchufe, ExitStack() as pila:
        procesos = []
        for _ in range(cuantos):
            proceso = crear(target=_responder, args=(enchufe,), daemon=True)
            proceso.start()
            pila.callback(proceso.join)
            pila.callback(proceso.terminate)
            procesos.append(psutil.Process(proceso.pid))
        yield Servidor(enchufe.getsockname()[1], procesos)


def _responder(enchufe: socket.socket) -> None:
    buscar_menos_ciclos()
    ServidorHTTP(leer, espera_conexion=75).run(sockets=[enchufe])


if __name__ == "__main__":
    ejecutar("Envíos por segundo con uno y con dos procesos de la API.", medir)
