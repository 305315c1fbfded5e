"""El protocolo HTTP de uvicorn con el límite que le falta: el tamaño y la espera de las cabeceras.

Qué es: `httptools` con un tope de octetos y de segundos hasta que acaban las cabeceras de cada petición.
Qué no es: el límite del cuerpo, que pone la API, ni el de la orden `uvicorn` de la semilla, que elige su
propio protocolo (`--http h11` lleva un tope de cabeceras).
Por qué existe: las cabeceras llegan antes que cualquier clave; sin tope, quien no la tiene ocupa la memoria
y el bucle de todos.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

OCTETOS_DE_CABECERAS: Final = 64 * 1024
SEGUNDOS_DE_CABECERAS: Final = 10.0

_DEMASIADO_GRANDES = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class ProtocoloConLimites(HttpToolsProtocol):
    """Una conexión: responde 431 (RFC 6585 §5) a unas cabeceras enormes y cierra a las que no acaban."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Empieza a contar: también la primera petición tiene un plazo."""
        super().connection_made(transport)
        self._empezar_cabeceras()

    def connection_lost(self, exc: Exception | None) -> None:
        """Deja de contar."""
        self._plazo.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Lee lo llegado y, si las cabeceras siguen sin acabar, mira cuánto ocupan ya."""
        super().data_received(data)
        if self._en_cabeceras:
            self._octetos += len(data)
            if self._octetos > OCTETOS_DE_CABECERAS and not self.transport.is_closing():
                self.transport.write(_DEMASIADO_GRANDES)
                self.transport.close()

    def on_message_begin(self) -> None:
        """Empieza una petición."""
        super().on_message_begin()
        if not self._en_cabeceras:
            self._empezar_cabeceras()

    def on_headers_complete(self) -> None:
        """Acaban las cabeceras de una petición."""
        self._en_cabeceras = False
        self._plazo.cancel()
        super().on_headers_complete()

    def _empezar_cabeceras(self) -> None:
        self._en_cabeceras = True
        self._octetos = 0
        self._plazo = self.loop.call_later(SEGUNDOS_DE_CABECERAS, self._cansarse)

    def _cansarse(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
