"""Una tienda de mentira: páginas que cargan el guion de un servicio, servidas desde otro puerto."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_PAGINA = """<!doctype html><html lang="es"><head><meta charset="utf-8"><title>Tienda</title>
<link rel="icon" href="data:,">
<script>window.alpes = window.alpes || [];</script>
{guion}</head><body>{cuerpo}<p id="lista"></p></body></html>"""


@dataclass
class Tienda:
    """Las páginas que hay, y desde dónde se sirven.

    Attributes:
        origen: el suyo.
        paginas: de cada ruta, su HTML.
        cabeceras: las que lleva toda página.
    """

    origen: str
    paginas: dict[str, str] = field(default_factory=dict)
    cabeceras: dict[str, str] = field(default_factory=dict)

    def poner(self, ruta: str, cuerpo: str = "", *, guion: str = "") -> None:
        """Pone una página que, con `guion`, carga ese."""
        self.paginas[ruta] = _PAGINA.format(guion=guion, cuerpo=cuerpo)


@contextmanager
def tienda() -> Iterator[Tienda]:
    """La sirve en un puerto libre mientras dura el bloque."""
    puesta = Tienda("")

    class Atencion(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pagina = puesta.paginas.get(urlsplit(self.path).path)
            octetos = (pagina or "").encode()
            self.send_response(404 if pagina is None else 200)
            for nombre, valor in {
                "Content-Type": "text/html; charset=utf-8",
                "Content-Length": str(len(octetos)),
                "Cache-Control": "no-cache",
                **puesta.cabeceras,
            }.items():
                self.send_header(nombre, valor)
            self.end_headers()
            self.wfile.write(octetos)

        def log_message(self, *_: object) -> None:
            """Nada: lo que importa lo ve quien mira la página."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Atencion) as servidor:
        servidor.daemon_threads = True
        hilo = threading.Thread(target=servidor.serve_forever, args=(0.02,))
        hilo.start()
        puesta.origen = f"http://127.0.0.1:{servidor.server_port}"
        try:
            yield puesta
        finally:
            servidor.shutdown()
            hilo.join()
