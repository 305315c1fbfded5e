"""El cliente: encola al instante, envía por lotes e insiste con los mismos `id` hasta saber de cada uno.

Qué es: una cola, un hilo que la vacía y el veredicto de cada evento para quien lo quiera.
Qué no es: todas las operaciones de la API; para leer, genere un cliente de `/openapi.json`.
Por qué existe: repetir bien (con el mismo `id`, solo lo que no se sabe, sin ahogar) es fácil de hacer mal.
"""

import atexit
import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, NamedTuple
from weakref import WeakSet

from alpespartners_cliente import tipos
from alpespartners_cliente.cola import Cola
from alpespartners_cliente.envio import ELEMENTOS, OCTETOS, Contestacion, destino_de, enviar, espera_tras
from alpespartners_cliente.eventos import linea_de

Veredicto = tipos.ElementoAceptado | tipos.ElementoRechazado
_MUCHOS = 10
"""Los fallos tras los que se espera lo máximo."""
_CERROJO = threading.RLock()
"""El de todos los clientes: nadie toca una cola mientras el proceso se bifurca."""
_vivos: "WeakSet[Cliente]" = WeakSet()
_registro = logging.getLogger("alpespartners_cliente")


class ColaLlena(RuntimeError):
    """La cola siguió llena todo el plazo: este evento no se encoló."""


class SinEnviar(RuntimeError):
    """El cliente se cerró antes de saber de este evento; la frase dice qué será de él."""


class Envio(NamedTuple):
    """Un evento encolado: su `id` y, cuando se sepa, lo que la API dijo de él (o `SinEnviar`)."""

    id: str
    veredicto: "Future[Veredicto]"


class Informe(NamedTuple):
    """Lo que quedó al cerrar: cuántos eventos sin veredicto y, si los hay, por qué y qué será de ellos."""

    pendientes: int
    motivo: str


class Cliente(AbstractContextManager["Cliente"]):
    """Un cliente de la API de esa dirección; sirve a muchos hilos, y con `with` se cierra solo.

    Args:
        direccion: `http://…` o `https://…`, con su ruta si la tiene.
        clave: la que va en `Authorization: Bearer`; si falta, la de `ALPES_CLAVE`.
        archivo: dónde guardar la cola para que sobreviva a este proceso; sin él está en memoria.
        al_rechazar: recibe cada evento rechazado y sus faltas, en el hilo del cliente; también se registran.
        maximo_en_cola: eventos que caben; con la cola llena, encolar espera.
        espera_si_llena: segundos que se espera sitio antes de `ColaLlena`; `None`, los que hagan falta.
        cada: segundos que un evento espera compañía antes de enviarse.

    Raises:
        ValueError: la dirección o la clave no sirven, o el archivo es de otra cosa.
        ColaOcupada: otro cliente usa ese archivo.
    """

    def __init__(
        self,
        direccion: str,
        *,
        clave: str | None = None,
        archivo: str | os.PathLike[str] | None = None,
        al_rechazar: Callable[[dict[str, Any], list[tipos.Falta]], object] | None = None,
        maximo_en_cola: int = 10_000,
        espera_si_llena: float | None = 30.0,
        cada: float = 0.5,
    ) -> None:
        self._destino = destino_de(direccion)
        self._clave = os.environ.get("ALPES_CLAVE", "") if clave is None else clave
        if any(not "!" <= caracter <= "~" for caracter in self._clave):
            raise ValueError("clave: lleva un blanco, un salto de línea o algo que no es ASCII.")
        self._archivo, self._al_rechazar = archivo, al_rechazar or (lambda *_: None)
        self._maximo, self._espera_si_llena, self._cada = maximo_en_cola, espera_si_llena, cada
        self._nacer()
        atexit.register(self.cerrar)
        _vivos.add(self)

    def _nacer(self) -> None:
        self._cambio, self._cola = threading.Condition(_CERROJO), Cola(self._archivo)
        self._futuros: dict[int, Future[Veredicto]] = {}
        self._apartados: dict[int, tuple[int, float]] = {}  # cuántas veces fallaron y cuándo les toca
        self._informe: Informe | None = None
        self._tope, self._fallos, self._motivo, self._cerrado, self._sin_remedio = ELEMENTOS, 0, "", "", False
        self._desde, self._no_antes, self._pedido_hasta, self._aparte = 0.0, 0.0, 0.0, False
        self._hilo = threading.Thread(target=self._trabajar, name="alpespartners-cliente", daemon=True)
        self._hilo.start()

    def _renacer(self) -> None:
        """En un proceso bifurcado: lo encolado es del padre, que lo envía; la cola en archivo, también."""
        if self._archivo is None and not self._cerrado:
            self._nacer()
        else:
            self._cambio, self._informe = threading.Condition(_CERROJO), self._informe or Informe(0, "")
            self._cerrado = self._cerrado or f"La cola {self._archivo} es del padre: cree otro cliente."

    def __exit__(self, *_: object) -> None:
        self.cerrar()

    @property
    def pendientes(self) -> int:
        """Cuántos eventos no tienen todavía veredicto."""
        return self._cola.cuantos

    def impresion(self, evento: tipos.NuevaImpresion) -> Envio:
        """Encola una impresión, un clic o una visualización.

        Raises:
            EventoNoValido, ColaLlena, RuntimeError: no se encoló; la frase dice por qué.
        """
        return self._encolar("impresion", evento)

    def conversion(self, evento: tipos.NuevaConversion) -> Envio:
        """Encola una conversión; como `impresion`. El `valor`, en `Decimal`, `int` o texto: nunca `float`."""
        return self._encolar("conversion", evento)

    def cerrar(self, plazo: float = 10.0) -> Informe:
        """Deja de admitir eventos, envía lo que queda durante ese plazo y dice qué quedó sin veredicto.

        Raises:
            RuntimeError: se llama desde `al_rechazar` o desde un veredicto, y se esperaría a sí mismo.
        """
        if threading.current_thread() is self._hilo:
            raise RuntimeError("cerrar: no se puede desde al_rechazar ni desde un veredicto; use otro hilo.")
        with self._cambio:
            self._cerrado, self._no_antes = "El cliente está cerrado.", self._pedido_hasta
            self._sin_remedio = False  # se intenta una vez más: pudo arreglarse
            self._apartados = {numero: (fallos, 0.0) for numero, (fallos, _) in self._apartados.items()}
            self._cambio.notify_all()
            self._cambio.wait_for(lambda: self._informe or not self.pendientes or self._sin_remedio, plazo)
            if self._informe is None:
                sera = f"los enviará el próximo que abra {self._archivo}" if self._archivo else "se pierden"
                motivo = f"{self._motivo or 'no dio tiempo'}; {sera}" if self.pendientes else ""
                if motivo:
                    _registro.error("Eventos sin veredicto al cerrar: %s (%s).", self.pendientes, motivo)
                self._cola.cerrar()
                atexit.unregister(self.cerrar)
                self._cambio.notify_all()
                self._informe = Informe(self.pendientes, motivo)
            huerfanos, self._futuros = self._futuros, {}
        for futuro in huerfanos.values():
            _a_salvo(futuro.set_exception, SinEnviar(self._informe.motivo))
        return self._informe

    def _encolar(self, clase: str, evento: Mapping[str, Any]) -> Envio:
        identidad, linea = linea_de(clase, evento)
        futuro: Future[Veredicto] = Future()
        futuro.set_running_or_notify_cancel()  # lo encolado ya no se cancela
        with self._cambio:
            # El hilo del cliente, que es quien hace sitio, no lo espera.
            espera = 0 if threading.current_thread() is self._hilo else self._espera_si_llena
            if not self._cambio.wait_for(lambda: self._cerrado or self.pendientes < self._maximo, espera):
                raise ColaLlena(f"La cola sigue llena ({self._maximo}): {self._motivo or 'no da abasto'}.")
            if self._cerrado:
                raise RuntimeError(self._cerrado)
            self._desde = self._desde if self._frescos() else time.monotonic()
            self._futuros[self._cola.poner(linea)] = futuro
            self._cambio.notify_all()
        return Envio(identidad, futuro)

    def _frescos(self) -> int:
        return self.pendientes - len(self._apartados)

    def _trabajar(self) -> None:
        while self._informe is None:
            try:
                if lote := self._siguiente():
                    self._enviar_uno(lote)
            except Exception:  # noqa: BLE001 - un disco lleno, por ejemplo: la cola sigue ahí
                _registro.exception("El hilo del cliente falló; seguirá.")
                self._no_antes = time.monotonic() + espera_tras(_MUCHOS, 0)

    def _enviar_uno(self, lote: dict[int, bytes]) -> None:
        dicho = enviar(self._destino, self._clave, list(lote.values()))
        dados = zip(lote, dicho.resultados, strict=False)
        veredictos: dict[int, Veredicto] = {n: dado for n, dado in dados if dado["estado"] != "SIN_CONFIRMAR"}
        for numero, veredicto in veredictos.items():
            if veredicto["estado"] == "RECHAZADA":
                evento, faltas = json.loads(lote[numero], parse_float=Decimal), veredicto["errores"]
                _registro.error("La API rechazó el evento %s: %s", evento["id"], faltas)
                que = f"al_rechazar falló con el evento {evento['id']}"
                _a_salvo(self._al_rechazar, evento, faltas, que=que)
        self._anotar(lote, dicho, veredictos)

    def _siguiente(self) -> dict[int, bytes]:
        """El próximo lote, de los apartados y de los demás por turno; ninguno, si ya se cerró."""
        with self._cambio:
            while self._informe is None:
                ahora = time.monotonic()
                apartados = min((toca for _, toca in self._apartados.values()), default=math.inf)
                listos = self._cerrado or self._frescos() >= self._tope
                demas = math.inf if not self._frescos() else 0.0 if listos else self._desde + self._cada
                plazo = max(self._no_antes, min(apartados, demas)) - ahora
                if plazo <= 0:
                    debidos = {numero for numero, (_, toca) in self._apartados.items() if toca <= ahora}
                    self._aparte = bool(debidos) and not (demas <= ahora and self._aparte)
                    sirve = debidos.__contains__ if self._aparte else lambda n: n not in self._apartados
                    return self._cola.primeros(self._tope, OCTETOS, sirve)
                self._cambio.wait(min(plazo, threading.TIMEOUT_MAX))
        return {}

    def _avisar(self, dicho: Contestacion) -> None:
        """De un mismo motivo, una vez."""
        if dicho.motivo != self._motivo:
            sera = "debe arreglarlo alguien; la cola se conserva" if dicho.sin_remedio else "se repetirá"
            nivel = logging.ERROR if dicho.sin_remedio else logging.WARNING
            _registro.log(nivel, "%s: %s.", dicho.motivo, sera)
        self._motivo = dicho.motivo

    def _anotar(self, lote: dict[int, bytes], dicho: Contestacion, veredictos: dict[int, Veredicto]) -> None:
        with self._cambio:
            if self._informe is not None:  # se cerró mientras tanto: el archivo ya puede ser de otro
                return
            self._cola.quitar(veredictos)
            sabidos = [(self._futuros.pop(n), dado) for n, dado in veredictos.items() if n in self._futuros]
            reincide = len(lote) == 1 and self._aparte
            self._apartar(lote, dicho, veredictos)
            self._sin_remedio = dicho.sin_remedio and not (reincide and self._frescos())
            todos = len(veredictos) == len(lote)
            if not todos and not dicho.no_cabe:
                self._avisar(dicho)
            elif not self._apartados:
                self._motivo = ""
            # Lo que vuelve a fallar solo no retrasa más a los demás.
            if todos or not reincide:
                # A quien no da abasto, o por una línea lenta, le llega la mitad; cuando puede, el doble.
                self._tope = min(ELEMENTOS, self._tope * 2) if todos else max(1, len(lote) // 2)
                self._fallos = _MUCHOS if dicho.sin_remedio else self._fallos + 1
            if veredictos or dicho.no_cabe:
                self._fallos = 0
            self._pedido_hasta = time.monotonic() + dicho.espera
            self._no_antes = time.monotonic() + espera_tras(self._fallos, dicho.espera)
            self._cambio.notify_all()
        for futuro, veredicto in sabidos:
            _a_salvo(futuro.set_result, veredicto)

    def _apartar(self, lote: dict[int, bytes], dicho: Contestacion, veredictos: dict[int, Veredicto]) -> None:
        """El que falla solo, o entre otros que no, tiene su propia espera: los demás no lo esperan a él."""
        for numero in lote:
            veces = self._apartados.pop(numero, (0, 0.0))[0] + (len(lote) == 1 or bool(veredictos))
            if veces and numero not in veredictos:
                espera = espera_tras(_MUCHOS if dicho.sin_remedio else veces, dicho.espera)
                self._apartados[numero] = veces, time.monotonic() + espera


def _en_el_hijo() -> None:
    for cliente in list(_vivos):
        cliente._renacer()  # noqa: SLF001
    _CERROJO.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_CERROJO.acquire, after_in_parent=_CERROJO.release, after_in_child=_en_el_hijo)


def _a_salvo(hacer: Callable[..., Any], *datos: Any, que: str = "Falló lo que esperaba un veredicto") -> None:
    """Lo de quien nos usa: nada de lo que falle en ello, ni un `sys.exit()`, puede parar a los demás."""
    try:
        hacer(*datos)
    except BaseException:  # noqa: BLE001 - se registra
        _registro.exception("%s.", que)
