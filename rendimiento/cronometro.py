"""Cuánta CPU gasta cada parte de un proceso, sin lo que gastan las que llama.

Qué es: funciones envueltas que suman la CPU de su hilo en el nombre de una parte, y la CPU de cada hilo.
Qué no es: un muestreo. Un muestreador ve dónde está cada hilo, también si espera su turno o el cerrojo del
intérprete; aquí se cuenta lo que el núcleo le dio.
Por qué existe: con las partes y lo que queda en cada hilo, la cuenta cuadra con la del proceso.

Envolver cuesta, y lo que cuesta se mide al empezar y se descuenta de quien llama.
"""

import inspect
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import coroutine
from typing import Any, Final

_reloj = time.thread_time_ns
_LLAMADAS_DE_PRUEBA: Final = 20_000
_TAREAS: Final = Path("/proc/self/task")


class Cronometro:
    """Lo gastado hasta ahora, por partes.

    Attributes:
        partes: nanosegundos de CPU de cada una.
        envueltas: cuántas veces se entró en alguna.
        por_llamada: nanosegundos que cuesta envolver una llamada.
    """

    def __init__(self) -> None:
        self.partes: Counter[str] = Counter()
        self.envueltas = 0
        self._lo_de_dentro = threading.local()
        self.por_llamada = 0
        self.por_llamada = self._probar()

    def envolver(self, parte: str, donde: Any, *nombres: str) -> None:
        """Suma en esa parte lo que gasten esas funciones de una clase o de un módulo."""
        for nombre in nombres:
            funcion = getattr(donde, nombre)
            envolver = self._corrutina if inspect.iscoroutinefunction(funcion) else self._funcion
            setattr(donde, nombre, envolver(parte, funcion))

    def _funcion(self, parte: str, funcion: Callable[..., Any]) -> Callable[..., Any]:
        def envuelta(*argumentos: Any, **nombrados: Any) -> Any:
            anterior, comienzo = self._entrar()
            try:
                return funcion(*argumentos, **nombrados)
            finally:
                self._salir(parte, anterior, comienzo)

        return envuelta

    def _corrutina(
        self, parte: str, funcion: Callable[..., Coroutine[Any, Any, Any]]
    ) -> Callable[..., Coroutine[Any, Any, Any]]:
        @coroutine
        def conducir(dentro: Coroutine[Any, Any, Any]) -> Any:
            seguir, valor = dentro.send, None
            while True:
                anterior, comienzo = self._entrar()
                try:
                    pendiente = seguir(valor)
                except StopIteration as final:
                    return final.value
                finally:
                    self._salir(parte, anterior, comienzo)
                try:
                    valor = yield pendiente
                    seguir = dentro.send
                except BaseException as error:  # noqa: BLE001 (también la cancelación es para la de dentro)
                    seguir, valor = dentro.throw, error

        async def envuelta(*argumentos: Any, **nombrados: Any) -> Any:
            return await conducir(funcion(*argumentos, **nombrados))

        return envuelta

    def _entrar(self) -> tuple[int, int]:
        anterior = getattr(self._lo_de_dentro, "gastado", 0)
        self._lo_de_dentro.gastado = 0
        return anterior, _reloj()

    def _salir(self, parte: str, anterior: int, comienzo: int) -> None:
        gastado = _reloj() - comienzo
        self.partes[parte] += gastado - self._lo_de_dentro.gastado
        self.envueltas += 1
        self._lo_de_dentro.gastado = anterior + gastado + self.por_llamada

    def _probar(self) -> int:
        vacia = self._funcion("", lambda: None)
        comienzo = _reloj()
        for _ in range(_LLAMADAS_DE_PRUEBA):
            vacia()
        total = _reloj() - comienzo
        fuera = (total - self.partes.pop("")) // _LLAMADAS_DE_PRUEBA
        self.envueltas = 0
        return fuera


def cpu_de_los_hilos() -> dict[str, int]:
    """Los nanosegundos de CPU de cada hilo de Python, por su nombre; los del mismo nombre, juntos."""
    hilos: Counter[str] = Counter()
    for hilo in threading.enumerate():
        gastado, *_ = (_TAREAS / str(hilo.native_id) / "schedstat").read_text().split()
        hilos[hilo.name] += int(gastado)
    return dict(hilos)
