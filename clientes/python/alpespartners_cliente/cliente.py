"""El cliente: encola al instante, envía por lotes e insiste con los mismos `id` hasta saber de cada uno.

Qué es: una cola, un hilo que la vacía y el veredicto de cada evento para quien lo quiera.
Qué no es: todas las operaciones de la API; para leer, genere un cliente de `/openapi.json`.
Por qué existe: repetir bien (con el mismo `id`, solo lo que no se sabe, sin ahogar) es fácil de hacer mal.
"""

import atexit
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from alpespartners_cliente import tipos
from alpespartners_cliente.cola import Cola
from alpespartners_cliente.envio import ELEMENTOS, OCTETOS, Contestacion, enviar, espera_tras
from alpespartners_cliente.eventos import linea_de

Veredicto = tipos.ElementoAceptado | tipos.ElementoRechazado
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
        ValueError: la dirección o la clave no sirven.
        ColaOcupada: otro cliente usa ese archivo.
    """

    def __init__(
        self,
        direccion: str,
        *,
        clave: str | None = None,
        archivo: str | Path | None = None,
        al_rechazar: Callable[[dict[str, Any], list[tipos.Falta]], object] | None = None,
        maximo_en_cola: int = 10_000,
        espera_si_llena: float | None = 30.0,
        cada: float = 0.5,
    ) -> None:
        self._destino = urlsplit(direccion)
        if self._destino.scheme not in {"http", "https"} or not self._destino.hostname or "@" in direccion:
            raise ValueError("direccion: debe ser http://… o https://…, sin usuario ni clave dentro.")
        self._clave = os.environ.get("ALPES_CLAVE", "") if clave is None else clave
        if any(not "!" <= caracter <= "~" for caracter in self._clave):
            raise ValueError("clave: lleva un blanco, un salto de línea o algo que no es ASCII.")
        self._archivo = None if archivo is None else Path(archivo)
        self._al_rechazar, self._maximo = al_rechazar or (lambda *_: None), maximo_en_cola
        self._espera_si_llena, self._cada = espera_si_llena, cada
        self._nacer()
        atexit.register(self.cerrar)
        if hasattr(os, "register_at_fork"):  # nadie toca la cola mientras el proceso se bifurca
            os.register_at_fork(
                before=lambda: self._cambio.acquire(),  # noqa: PLW0108 - en un hijo es otro
                after_in_parent=lambda: self._cambio.release(),  # noqa: PLW0108
                after_in_child=self._renacer,
            )

    def _nacer(self) -> None:
        self._cambio, self._cola = threading.Condition(), Cola(self._archivo)
        self._futuros: dict[int, Future[Veredicto]] = {}
        self._informe: Informe | None = None
        self._tope, self._fallos, self._motivo, self._cerrado, self._sin_remedio = ELEMENTOS, 0, "", "", False
        self._desde = self._no_antes = self._pedido_hasta = 0.0
        threading.Thread(target=self._trabajar, name="alpespartners-cliente", daemon=True).start()

    def _renacer(self) -> None:
        """En un proceso bifurcado: lo encolado es del padre, que lo envía; la cola en archivo, también."""
        if self._archivo is None and not self._cerrado:
            self._nacer()
        else:
            self._cambio, self._informe = threading.Condition(), self._informe or Informe(0, "")
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
        """Deja de admitir eventos, envía lo que queda durante ese plazo y dice qué quedó sin veredicto."""
        with self._cambio:
            if not self._cerrado:
                self._cerrado, self._no_antes = "El cliente está cerrado.", self._pedido_hasta
                self._cambio.notify_all()
            self._cambio.wait_for(lambda: self._informe or not self.pendientes or self._sin_remedio, plazo)
            if self._informe is None:
                self._informe = self._terminar()
            return self._informe

    def _terminar(self) -> Informe:
        motivo = ""
        if self.pendientes:
            sera = f"los enviará el próximo que abra {self._archivo}" if self._archivo else "se pierden"
            motivo = f"{self._motivo or 'no dio tiempo'}; {sera}"
            _registro.error("%d eventos sin veredicto al cerrar: %s.", self.pendientes, motivo)
        for futuro in self._futuros.values():
            if futuro.set_running_or_notify_cancel():
                futuro.set_exception(SinEnviar(motivo))
        self._cola.cerrar()
        self._cambio.notify_all()
        return Informe(self.pendientes, motivo)

    def _encolar(self, clase: str, evento: Mapping[str, Any]) -> Envio:
        identidad, linea = linea_de(clase, evento)
        futuro: Future[Veredicto] = Future()
        with self._cambio:
            if not self._hay_sitio():
                _registro.warning("La cola está llena (%d eventos): se espera sitio.", self._maximo)
            if not self._cambio.wait_for(self._hay_sitio, self._espera_si_llena):
                raise ColaLlena(f"La cola sigue llena ({self._maximo}): {self._motivo or 'no da abasto'}.")
            if self._cerrado:
                raise RuntimeError(self._cerrado)
            self._desde = self._desde if self.pendientes else time.monotonic()
            self._futuros[self._cola.poner(linea)] = futuro
            self._cambio.notify_all()
        return Envio(identidad, futuro)

    def _hay_sitio(self) -> bool:
        return self.pendientes < self._maximo or bool(self._cerrado)

    def _trabajar(self) -> None:
        while self._informe is None:
            try:
                self._enviar_uno(self._siguiente())
            except Exception:  # noqa: BLE001 - un disco lleno, por ejemplo: la cola sigue ahí
                _registro.exception("El hilo del cliente falló; seguirá.")
                self._no_antes = time.monotonic() + espera_tras(10, 0)

    def _enviar_uno(self, lote: dict[int, bytes]) -> None:
        dicho = enviar(self._destino, self._clave, list(lote.values())) if lote else Contestacion()
        veredictos = _veredictos(lote, dicho)
        for numero, veredicto in veredictos.items():
            if veredicto["estado"] == "RECHAZADA":
                evento = json.loads(lote[numero], parse_float=Decimal)
                _registro.error("La API rechazó el evento %s: %s", evento["id"], veredicto["errores"])
                try:
                    self._al_rechazar(evento, veredicto["errores"])
                except Exception:  # noqa: BLE001 - es de quien nos usa, y no puede parar a los demás
                    _registro.exception("al_rechazar falló con el evento %s.", evento["id"])
        self._anotar(len(lote), dicho, veredictos)

    def _siguiente(self) -> dict[int, bytes]:
        """El próximo lote, cuando toca; ninguno, si ya se cerró."""
        with self._cambio:
            while self._informe is None:
                plazo = None
                if self.pendientes:
                    completo = self._cerrado or self.pendientes >= self._tope
                    toca = self._no_antes if completo else max(self._no_antes, self._desde + self._cada)
                    if (plazo := toca - time.monotonic()) <= 0:
                        return self._cola.primeros(self._tope, OCTETOS)
                self._cambio.wait(plazo)
        return {}

    def _anotar(self, enviados: int, dicho: Contestacion, veredictos: dict[int, Veredicto]) -> None:
        with self._cambio:
            if self._informe is not None:  # se cerró mientras tanto: el archivo ya puede ser de otro
                return
            self._cola.quitar(veredictos)
            futuros = [(self._futuros.pop(numero, None), dado) for numero, dado in veredictos.items()]
            self._sin_remedio, todos = dicho.sin_remedio, len(veredictos) == enviados
            # A quien no da abasto, o por una línea lenta, le llega la mitad; cuando puede, el doble.
            self._tope = min(ELEMENTOS, self._tope * 2) if todos else max(1, enviados // 2)
            if dicho.no_cabe or todos:
                self._fallos, self._motivo, self._no_antes, self._pedido_hasta = 0, "", 0.0, 0.0
            else:
                self._retrasar(dicho)
            self._cambio.notify_all()
        for futuro, veredicto in futuros:
            if futuro is not None and futuro.set_running_or_notify_cancel():
                futuro.set_result(veredicto)

    def _retrasar(self, dicho: Contestacion) -> None:
        """Aplaza el siguiente intento, y mucho si no tiene remedio; de un mismo motivo se avisa una vez."""
        if dicho.motivo != self._motivo:
            sera = "debe arreglarlo alguien; la cola se conserva" if dicho.sin_remedio else "se repetirá"
            nivel = logging.ERROR if dicho.sin_remedio else logging.WARNING
            _registro.log(nivel, "%s: %s.", dicho.motivo, sera)
        self._motivo, self._fallos = dicho.motivo, 10 if dicho.sin_remedio else self._fallos + 1
        self._pedido_hasta = time.monotonic() + dicho.espera
        self._no_antes = time.monotonic() + espera_tras(self._fallos, dicho.espera)


def _veredictos(lote: dict[int, bytes], dicho: Contestacion) -> dict[int, Veredicto]:
    """Los que se saben, por su número en la cola; de los demás habrá que volver a preguntar."""
    if dicho.no_cabe and len(lote) == 1:
        falta: tipos.Falta = {"campo": "", "codigo": "longitud_excedida", "mensaje": dicho.motivo}
        return {numero: {"estado": "RECHAZADA", "indice": 0, "errores": [falta]} for numero in lote}
    dados = zip(lote, dicho.resultados, strict=False)
    return {numero: cast("Veredicto", dado) for numero, dado in dados if dado["estado"] != "SIN_CONFIRMAR"}
