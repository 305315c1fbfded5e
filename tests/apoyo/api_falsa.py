"""Una API de mentira para los clientes: responde a cada lote lo que diga el guion; al acabarse, lo acepta."""

import gzip
import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Evento = dict[str, Any]
Respuesta = tuple[int, dict[str, str], object]
"""El código, las cabeceras y el cuerpo, que se escribe en JSON si no es ya de octetos."""


@dataclass
class ApiFalsa:
    """Lo que se le pidió y lo que responderá.

    Attributes:
        direccion: dónde escucha.
        guion: qué responde a cada petición, de la primera a la última; después, acepta.
        lotes: los eventos de cada petición.
        peticiones: sus cabeceras, con los nombres en minúsculas.
        sigue: mientras no se activa, ninguna respuesta sale.
    """

    direccion: str = ""
    guion: list[Callable[[list[Evento]], Respuesta]] = field(default_factory=list)
    lotes: list[list[Evento]] = field(default_factory=list)
    peticiones: list[dict[str, str]] = field(default_factory=list)
    sigue: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        """Los de todo lo recibido, en orden."""
        return [evento["id"] for lote in self.lotes for evento in lote]


def todo_aceptado(lote: list[Evento]) -> Respuesta:
    """200, con cada uno aceptado."""
    return con_estados(*["ACEPTADA"] * len(lote))(lote)


def con_estados(*estados: str, codigo: int = 200) -> Callable[[list[Evento]], Respuesta]:
    """Esos estados, en su orden."""

    def responder(lote: list[Evento]) -> Respuesta:
        falta = {"campo": "moneda", "codigo": "requerido", "mensaje": "falta"}
        resultados = [
            {"estado": estado, "indice": indice}
            | ({"errores": [falta]} if estado == "RECHAZADA" else {"id": evento["id"]})
            | ({"comando_id": "c", "advertencias": []} if estado == "ACEPTADA" else {})
            for indice, (estado, evento) in enumerate(zip(estados, lote, strict=True))
        ]
        return codigo, {}, {"resultados": resultados}

    return responder


def con_codigo(codigo: int, cuerpo: object = b"", **cabeceras: str) -> Callable[[list[Evento]], Respuesta]:
    """Ese código y nada de los eventos; el guion bajo de una cabecera es un guion."""
    return lambda _: (
        codigo,
        {nombre.replace("_", "-"): valor for nombre, valor in cabeceras.items()},
        cuerpo,
    )


@contextmanager
def api_falsa(*guion: Callable[[list[Evento]], Respuesta], parada: bool = False) -> Generator[ApiFalsa]:
    """Escucha en un puerto libre mientras dura el bloque."""
    api = ApiFalsa(guion=list(guion))
    if not parada:
        api.sigue.set()

    class Atencion(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            cuerpo = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                cuerpo = gzip.decompress(cuerpo)
            lote = [json.loads(linea) for linea in cuerpo.splitlines()]
            api.lotes.append(lote)
            api.peticiones.append(
                {nombre.lower(): valor for nombre, valor in self.headers.items()} | {"ruta": self.path}
            )
            codigo, cabeceras, dicho = (api.guion.pop(0) if api.guion else todo_aceptado)(lote)
            api.sigue.wait(30)
            octetos = dicho if isinstance(dicho, bytes) else json.dumps(dicho).encode()
            self.send_response(codigo)
            for nombre, valor in (cabeceras | {"Content-Length": str(len(octetos))}).items():
                self.send_header(nombre, valor)
            self.end_headers()
            self.wfile.write(octetos)

        def log_message(self, *_: object) -> None:
            """Nada: lo que importa está en `api`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Atencion) as servidor:
        servidor.daemon_threads = True
        hilo = threading.Thread(target=servidor.serve_forever, args=(0.02,))
        hilo.start()
        api.direccion = f"http://127.0.0.1:{servidor.server_port}"
        try:
            yield api
        finally:
            api.sigue.set()
            servidor.shutdown()
            hilo.join()
