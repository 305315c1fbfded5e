"""Leer *server-sent events* como lo hace un navegador, por la red o no."""

import json
import threading
from dataclasses import dataclass
from typing import Any, Self

import httpx2


@dataclass(frozen=True)
class Recibido:
    """Un evento del flujo."""

    nombre: str
    datos: Any


class Interprete:
    """De líneas a eventos, con el último `id` que se ha visto.

    Attributes:
        eventos: los que han llegado.
        callados: los bloques sin datos: no son eventos, y mueven el `id`.
        reintentar: los milisegundos que se pidió esperar antes de volver.
    """

    def __init__(self) -> None:
        self.eventos: list[Recibido] = []
        self.callados = 0
        self.ultimo_id: str | None = None
        self.reintentar: int | None = None
        self._campos: dict[str, str] = {}

    def linea(self, linea: str) -> None:
        """Interpreta una línea."""
        if linea:
            nombre, _, valor = linea.partition(":")
            self._campos[nombre] = valor.removeprefix(" ")
            return
        campos, self._campos = self._campos, {}
        self.ultimo_id = campos.get("id", self.ultimo_id)
        if "retry" in campos:
            self.reintentar = int(campos["retry"])
        elif "data" in campos:
            self.eventos.append(Recibido(campos["event"], json.loads(campos["data"])))
        else:
            self.callados += 1

    @property
    def ids(self) -> list[str]:
        """Los `id` de las impresiones y conversiones recibidas."""
        return [r.datos["id"] for r in self.eventos if r.nombre in {"impresion", "conversion"}]


class Flujo(Interprete):
    """Un flujo abierto por la red, que se lee en un hilo hasta que se acaba o se deja.

    Attributes:
        acabado: si el servidor lo acabó por las buenas.
    """

    def __init__(self, http: httpx2.Client, ruta: str, ultimo_id: str | None = None) -> None:
        super().__init__()
        self.ultimo_id = ultimo_id
        self.acabado = False
        self._abierto = threading.Event()
        self._peticion = http.build_request(
            "GET", ruta, headers={} if ultimo_id is None else {"Last-Event-ID": ultimo_id}, timeout=120
        )
        self._http = httpx2.Client(trust_env=False)
        self._hilo = threading.Thread(target=self._leer, daemon=True)

    def __enter__(self) -> Self:
        self._hilo.start()
        assert self._abierto.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self.dejar()

    def dejar(self) -> None:
        """Corta la conexión."""
        self._respuesta.close()
        self._http.close()
        self._hilo.join(60)

    def _leer(self) -> None:
        self._respuesta = self._http.send(self._peticion, stream=True)
        assert self._respuesta.status_code == httpx2.codes.OK
        self._abierto.set()
        try:
            for linea in self._respuesta.iter_lines():
                self.linea(linea)
            self.acabado = True
        except (httpx2.TransportError, httpx2.StreamError, OSError):
            # Lo cortó quien miraba, o murió el proceso.
            return
