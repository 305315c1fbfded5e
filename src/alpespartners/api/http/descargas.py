"""Respuestas en CSV y en NDJSON: de una vez, o según se va leyendo lo que haya.

Qué es: cómo se escriben unos cuerpos en cada formato, y la respuesta que los lleva como archivo adjunto.
Qué no es: qué se lee (`paginas.py`), ni cómo se escribe una celda.
Por qué existe: un millón de eventos no cabe en la memoria de nadie. Se escribe una página mientras se envía
la anterior, y la siguiente no se pide hasta que quien descarga se llevó la de antes.

Las que se hacen a la vez son unas pocas por proceso: leen todas con las mismas conexiones y los mismos hilos
que lo demás. La siguiente recibe un 503.

La primera página se lee antes de responder: lo que falla pronto es un error como los demás. Lo que falla
después corta la conexión sin acabar la respuesta, que es la única manera de decirlo cuando ya se dijo 200.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPMethod
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.http.columnas import celdas, columnas
from alpespartners.api.http.descripcion import Contestacion, Esquema
from alpespartners.api.http.formatos import VARIA, Formato
from alpespartners.api.http.nombres_de_archivo import como_adjunto
from alpespartners.api.http.problemas import (
    REINTENTO,
    SEGUNDOS_PARA_REINTENTAR,
    ErrorHTTP,
    contestacion_de_error,
    error_de,
)
from alpespartners.api.http.respuestas import RespuestaContinua
from alpespartners.api.http.tipos_de_medio import CSV, NDJSON
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.seedwork.csv_protegido import Celda, en_csv

Cuerpos = Sequence[msgspec.Struct]

DESCARGAS_A_LA_VEZ: Final = 8

_CSV_CON_NOMBRES: Final = f"{CSV}; charset=utf-8; header=present"
_NDJSON: Final = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Escritura:
    """Cómo se escribe una tabla en un formato.

    Attributes:
        formato: CSV o NDJSON.
        comienzo: lo que va delante de todo.
        codificar: escribe unos cuerpos; tarda, y se llama fuera del bucle.
    """

    formato: Formato
    comienzo: bytes
    codificar: Callable[[Cuerpos], bytes]

    def entera(self, cuerpos: Cuerpos) -> bytes:
        """La tabla con esos cuerpos."""
        return self.comienzo + self.codificar(cuerpos)


def escritura(formato: Formato, forma: type[msgspec.Struct]) -> Escritura:
    """Cómo se escriben los cuerpos de esa forma, cada campo en su columna."""
    return escritura_con(formato, columnas(forma), lambda cuerpos: map(celdas, cuerpos))


def escritura_con(
    formato: Formato, nombres: Sequence[str], filas: Callable[[Cuerpos], Iterable[Sequence[Celda]]]
) -> Escritura:
    """Cómo se escriben unos cuerpos que en CSV tienen esos nombres y esas filas."""
    if formato is Formato.NDJSON:
        return Escritura(formato=formato, comienzo=b"", codificar=_NDJSON.encode_lines)
    return Escritura(
        formato=formato,
        comienzo=en_csv([nombres]).encode(),
        codificar=lambda cuerpos: en_csv(filas(cuerpos)).encode(),
    )


def en_otros_formatos(forma: type[msgspec.Struct], ejemplos: Sequence[Esquema]) -> Mapping[str, str]:
    """Para la documentación: por su tipo de medio, esos cuerpos de ejemplo escritos en cada formato."""
    cuerpos = [msgspec.convert(ejemplo, forma) for ejemplo in ejemplos]
    return {
        CSV: escritura(Formato.CSV, forma).entera(cuerpos).decode(),
        NDJSON: escritura(Formato.NDJSON, forma).entera(cuerpos).decode(),
    }


async def archivo(como: Escritura, cuerpos: Cuerpos, nombre: Iterable[str | None]) -> Response:
    """La respuesta con esos cuerpos y ninguno más, como un archivo que se llama así."""
    contenido = await asyncio.to_thread(como.entera, cuerpos)
    return Response(contenido, headers=_cabeceras(como.formato, nombre))


async def descarga(
    peticion: Request, como: Escritura, paginas: AsyncIterator[Cuerpos], nombre: Iterable[str | None]
) -> Response:
    """La respuesta que lee y escribe una página cada vez; si es `HEAD`, sus cabeceras y nada más.

    Raises:
        ErrorHTTP: ya se hacen todas las que caben.
        Exception: la primera página no se pudo leer.
    """
    if not _en_curso.entrar():
        raise _demasiadas()
    try:
        primera = await anext(paginas)
    except BaseException:
        _en_curso.salir()
        raise
    contenido = _nada() if peticion.method == HTTPMethod.HEAD else _escritas(como, primera, paginas)
    tipo, *cabeceras = _cabeceras(como.formato, nombre).items()
    return RespuestaContinua(contenido, _en_curso.salir, tipo=tipo[1], cabeceras=dict(cabeceras))


class _EnCurso:
    """Las descargas que hace este proceso."""

    def __init__(self) -> None:
        self._cuantas = 0

    def entrar(self) -> bool:
        """Empieza una, si cabe."""
        cabe = self._cuantas < DESCARGAS_A_LA_VEZ
        self._cuantas += cabe
        return cabe

    def salir(self) -> None:
        """Acaba una."""
        self._cuantas -= 1


_en_curso: Final = _EnCurso()


def _demasiadas() -> ErrorHTTP:
    return ErrorHTTP(
        503,
        "demasiadas_descargas",
        "Demasiadas descargas",
        f"Ya se hacen todas las descargas que caben ({DESCARGAS_A_LA_VEZ} por proceso); vuelva a intentarlo, "
        "o pida páginas con limite.",
        cabeceras={"Retry-After": str(SEGUNDOS_PARA_REINTENTAR)},
    )


NO_SE_PUEDE_DESCARGAR: Final[Contestacion] = contestacion_de_error(
    "503_descarga",
    "La base de datos no responde o, en CSV y NDJSON sin `limite`, ya se descarga todo lo que cabe.",
    error_de(BaseDatosNoDisponible()),
    _demasiadas(),
    cabeceras=REINTENTO,
)


async def _escritas(
    como: Escritura, primera: Cuerpos, paginas: AsyncIterator[Cuerpos]
) -> AsyncGenerator[bytes]:
    yield await asyncio.to_thread(como.entera, primera)
    del primera
    async for pagina in paginas:
        yield await asyncio.to_thread(como.codificar, pagina)


async def _nada() -> AsyncGenerator[bytes]:
    return
    yield


def _cabeceras(formato: Formato, nombre: Iterable[str | None]) -> Mapping[str, str]:
    return {
        "Content-Type": NDJSON if formato is Formato.NDJSON else _CSV_CON_NOMBRES,
        "Content-Disposition": como_adjunto(nombre, formato),
        **VARIA,
    }
