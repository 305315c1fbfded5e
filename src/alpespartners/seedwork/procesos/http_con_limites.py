"""El protocolo HTTP de uvicorn con los límites que le faltan a las cabeceras y sus errores en español.

Qué es: `httptools` con un tope de octetos y de segundos hasta que acaban las cabeceras de cada petición, y
con respuestas `application/problem+json` a lo que no llega a ser una petición.
Qué no es: el límite del cuerpo, que pone la API, ni el protocolo de la orden `uvicorn` de la semilla, que
elige el suyo (`--http h11` lleva un tope de cabeceras) y responde a lo ilegible con su texto en inglés.
Por qué existe: las cabeceras llegan antes que cualquier clave; sin tope, quien no la tiene ocupa la memoria
y el bucle de todos. Y lo que falla antes de llegar a la API también lo lee quien integra.
"""

import asyncio
import json
import sys
from http import HTTPStatus
from typing import Final

from httptools import HttpParserInvalidURLError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from alpespartners.seedwork.procesos.cuerpo_entero import CUERPO_ENTERO

OCTETOS_DE_CABECERAS: Final = 64 * 1024
SEGUNDOS_DE_CABECERAS: Final = 10.0

_SEPARADORES: Final = len(b": \r\n")


def _respuesta(estado: HTTPStatus, codigo: str, titulo: str, detalle: str) -> bytes:
    """La respuesta entera, con la forma y las cabeceras de los errores de la API."""
    problema = {
        "type": f"urn:alpespartners:error:{codigo}",
        "title": titulo,
        "status": estado,
        "detail": detalle,
    }
    cuerpo = json.dumps(problema, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    cabeceras = (
        f"HTTP/1.1 {estado.value} {estado.phrase}\r\n"
        "content-type: application/problem+json\r\n"
        f"content-length: {len(cuerpo)}\r\n"
        "x-content-type-options: nosniff\r\n"
        "cache-control: no-store\r\n"
        "connection: close\r\n\r\n"
    )
    return cabeceras.encode("ascii") + cuerpo


_DEMASIADO_GRANDES: Final = _respuesta(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "cabeceras_demasiado_grandes",
    "Cabeceras demasiado grandes",
    f"La dirección y las cabeceras pasan, juntas, de {OCTETOS_DE_CABECERAS // 1024} KiB.",
)
_DIRECCION_ILEGIBLE: Final = _respuesta(
    HTTPStatus.BAD_REQUEST,
    "direccion_ilegible",
    "Dirección ilegible",
    "La dirección lleva caracteres que en HTTP no puede llevar: escriba como %XX, en UTF-8, los que no sean "
    "ASCII (é es %C3%A9). curl lo hace con --get --data-urlencode 'influencer_id=josé'.",
)
_PETICION_ILEGIBLE: Final = _respuesta(
    HTTPStatus.BAD_REQUEST,
    "peticion_ilegible",
    "Petición ilegible",
    "Lo recibido no es una petición HTTP/1.1: revise el método, que la dirección no lleve espacios (%20) y "
    "que las cabeceras estén completas, sin repetir ni contradecir la longitud del cuerpo.",
)


class _CabecerasDemasiadoGrandes(Exception):
    """Detiene al lector de HTTP en medio de lo recibido."""


class ProtocoloConLimites(HttpToolsProtocol):
    """Una conexión: responde 431 (RFC 6585 §5) a unas cabeceras enormes y cierra a las que no acaban."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Empieza a contar: también la primera petición tiene un plazo."""
        super().connection_made(transport)
        self._empezar_cabeceras(0)

    def connection_lost(self, exc: Exception | None) -> None:
        """Deja de contar."""
        self._plazo.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Lee lo llegado y, si las cabeceras siguen sin acabar, mira cuánto ocupan ya."""
        self._recien = len(data)
        self._avanza = False
        super().data_received(data)
        if self._en_cabeceras:
            self._octetos += self._recien
            if self._octetos - self._quiza_ajenos > OCTETOS_DE_CABECERAS:
                self._negar(_DEMASIADO_GRANDES)
        elif not self._avanza:
            # Ni cuerpo ni otra petición: cabeceras detrás del cuerpo (RFC 9112, 7.1.2), que también ocupan.
            self._octetos_sin_avanzar += self._recien
            if self._octetos_sin_avanzar > OCTETOS_DE_CABECERAS:
                self._negar(_DEMASIADO_GRANDES)

    def on_message_begin(self) -> None:
        """Empieza una petición."""
        super().on_message_begin()
        self._avanza = True
        if not self._en_cabeceras:
            self._empezar_cabeceras(self._recien)

    def on_headers_complete(self) -> None:
        """Acaban las cabeceras de una petición."""
        self._en_cabeceras = False
        self._plazo.cancel()
        # Contarlas cuesta: casi ninguna llega junto a tanto que pueda pasarse.
        if self._octetos + self._recien > OCTETOS_DE_CABECERAS and self._ocupan() > OCTETOS_DE_CABECERAS:
            self._negar(_DEMASIADO_GRANDES)
            raise _CabecerasDemasiadoGrandes
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Llega un trozo del cuerpo."""
        self._avanza = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Acaba una petición."""
        self._avanza = True
        self.scope["extensions"] = {CUERPO_ENTERO: {}}
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (la frase es la de uvicorn, en inglés)
        """Responde a lo que no se pudo leer; uvicorn llama mientras atiende el error del lector."""
        en_la_direccion = isinstance(sys.exc_info()[1], HttpParserInvalidURLError)
        self._negar(_DIRECCION_ILEGIBLE if en_la_direccion else _PETICION_ILEGIBLE)

    def _empezar_cabeceras(self, quiza_ajenos: int) -> None:
        """Salvo en una conexión nueva, lo que se lee al empezar puede ser, en parte, de la anterior."""
        self._en_cabeceras = True
        self._octetos = 0
        self._octetos_sin_avanzar = 0
        self._quiza_ajenos = quiza_ajenos
        self._plazo = self.loop.call_later(SEGUNDOS_DE_CABECERAS, self._cansarse)

    def _ocupan(self) -> int:
        return len(self.url) + sum(len(nombre) + len(valor) + _SEPARADORES for nombre, valor in self.headers)

    def _negar(self, respuesta: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(respuesta)
            self.transport.close()

    def _cansarse(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
