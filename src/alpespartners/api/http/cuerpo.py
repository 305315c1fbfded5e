"""Lectura del cuerpo de un envío: tipo de contenido, codificación, tamaño y tiempo.

Qué es: los límites que se comprueban antes de interpretar nada; lo comprimido los tiene en lo que llega y en
lo que sale.
Qué no es: el lector de JSON (`seedwork/json_estricto.py`).
Por qué existe: un cuerpo enorme, lento o cortado a la mitad no puede ocupar memoria ni publicar nada.
"""

import asyncio
import zlib
from collections.abc import Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request

from alpespartners.api.http.cabeceras import Cabeceras, cabeceras_de
from alpespartners.api.http.descripcion import JSON, Contestacion
from alpespartners.api.http.problemas import ErrorHTTP, contestacion_de_error, error_de
from alpespartners.seedwork.json_estricto import JsonIlegible
from alpespartners.seedwork.procesos.cuerpo_entero import CUERPO_ENTERO

OCTETOS_MAXIMOS: Final = 64 * 1024
SEGUNDOS_MAXIMOS: Final = 10.0
CIFRAS_DE_UNA_LONGITUD: Final = 18

_BLANCOS: Final = " \t\n\r\v\f"
"""Los de ASCII: en una cabecera, un espacio duro es un carácter más."""

_GZIP: Final = frozenset({"gzip", "x-gzip"})
"""El mismo, con dos nombres (RFC 9110 §8.4.1.3)."""
_CON_CABECERA_DE_GZIP: Final = 16 + zlib.MAX_WBITS


async def leer_cuerpo(peticion: Request, segundos: float) -> bytes:
    """Devuelve el cuerpo entero de una petición `application/json`, descomprimido si llegó en gzip.

    Raises:
        ErrorHTTP: 415 (tipo o codificación), 413 (más de 64 KiB), 408 (no llegó entero en ese plazo) o 400
            (no es el gzip que dice ser).
        ClientDisconnect: el cliente se fue antes de terminar.
    """
    cabeceras = cabeceras_de(peticion)
    _exigir_json(cabeceras)
    comprimido = _viene_en_gzip(cabeceras)
    longitud = cabeceras.get(b"content-length", ("",))[0]
    if longitud.isdecimal() and (len(longitud) > CIFRAS_DE_UNA_LONGITUD or int(longitud) > OCTETOS_MAXIMOS):
        raise _demasiado_grande()
    if CUERPO_ENTERO in peticion.scope.get("extensions", {}):
        # Un plazo cuesta, y no hay nada que esperar.
        cuerpo = await _todo(peticion)
    else:
        cuerpo = await _a_tiempo(peticion, segundos)
    return _descomprimido(cuerpo) if comprimido else cuerpo


async def _a_tiempo(peticion: Request, segundos: float) -> bytes:
    try:
        async with asyncio.timeout(segundos):
            return await _todo(peticion)
    except TimeoutError:
        raise _demasiado_lento(segundos) from None


async def _todo(peticion: Request) -> bytes:
    cuerpo = bytearray()
    hay_mas = True
    # `Request.body()` leería hasta el final, mida lo que mida.
    while hay_mas:
        mensaje = await peticion.receive()
        if mensaje["type"] == "http.disconnect":
            raise ClientDisconnect
        cuerpo += mensaje.get("body", b"")
        hay_mas = mensaje.get("more_body", False)
        if len(cuerpo) > OCTETOS_MAXIMOS:
            raise _demasiado_grande()
    return bytes(cuerpo)


def _exigir_json(cabeceras: Cabeceras) -> None:
    tipos = cabeceras.get(b"content-type", ())
    if len(tipos) != 1 or not _es_json(tipos[0]):
        raise _tipo_no_admitido()


def _viene_en_gzip(cabeceras: Cabeceras) -> bool:
    """Dice si el cuerpo está en gzip; comprimido de otro modo, o más de una vez, es un 415 que lo dice."""
    valores = cabeceras.get(b"content-encoding")
    if valores is None:
        return False
    lista = ",".join(valores)
    codificaciones = [codificacion.strip(_BLANCOS).lower() for codificacion in lista.split(",")]
    aplicadas = [codificacion for codificacion in codificaciones if codificacion not in {"", "identity"}]
    if not aplicadas:
        return False
    if len(aplicadas) == 1 and aplicadas[0] in _GZIP:
        return True
    raise _codificacion_no_admitida()


def _descomprimido(comprimido: bytes) -> bytes:
    """Lo que había dentro: los miembros que sean, seguidos (RFC 1952 §2.2), y nunca más de 64 KiB."""
    cuerpo = bytearray()
    while True:
        miembro = zlib.decompressobj(_CON_CABECERA_DE_GZIP)
        try:
            cuerpo += miembro.decompress(comprimido, OCTETOS_MAXIMOS + 1 - len(cuerpo))
        except zlib.error:
            raise _gzip_ilegible() from None
        if len(cuerpo) > OCTETOS_MAXIMOS:
            raise _demasiado_grande()
        if not miembro.eof:
            raise _gzip_ilegible()
        comprimido = miembro.unused_data
        if not comprimido:
            return bytes(cuerpo)


def _es_json(tipo: str) -> bool:
    medio, *parametros = tipo.lower().split(";")
    if medio.strip(_BLANCOS) != JSON:
        return False
    for parametro in parametros:
        nombre, _, valor = parametro.partition("=")
        if nombre.strip(_BLANCOS) == "charset" and valor.strip(_BLANCOS).strip('"') not in ("utf-8", "utf8"):
            return False
    return True


def _tipo_no_admitido() -> ErrorHTTP:
    return ErrorHTTP(
        415,
        "tipo_de_contenido_no_admitido",
        "Tipo de contenido no admitido",
        "El cuerpo debe llegar como «Content-Type: application/json», en UTF-8.",
        cabeceras={"Accept-Post": JSON},
    )


def _codificacion_no_admitida() -> ErrorHTTP:
    return ErrorHTTP(
        415,
        "codificacion_de_contenido_no_admitida",
        "Codificación de contenido no admitida",
        "El cuerpo debe llegar sin comprimir o, una sola vez, en gzip («Content-Encoding: gzip»).",
        cabeceras={"Accept-Encoding": "gzip, identity"},
    )


def _demasiado_lento(segundos: float) -> ErrorHTTP:
    return ErrorHTTP(
        408,
        "cuerpo_demasiado_lento",
        "Cuerpo demasiado lento",
        f"El cuerpo no llegó entero en {segundos:g} segundos.",
        # Lo que queda por llegar no debe leerse como otra petición.
        cabeceras={"Connection": "close"},
    )


def _gzip_ilegible() -> ErrorHTTP:
    return ErrorHTTP(
        400, "gzip_ilegible", "Gzip ilegible", "El cuerpo no es el gzip que dice ser, o está cortado."
    )


def _demasiado_grande() -> ErrorHTTP:
    # La conexión no se cierra: el servidor descarta lo que siga llegando y el cliente alcanza a leer el 413.
    return ErrorHTTP(
        413,
        "cuerpo_demasiado_grande",
        "Cuerpo demasiado grande",
        f"El cuerpo pasa de {OCTETOS_MAXIMOS // 1024} KiB.",
    )


FALTAS_DEL_CUERPO: Final[Mapping[int, Contestacion]] = {
    400: contestacion_de_error(
        "400",
        "El cuerpo no es JSON (mal formado, vacío, con claves repetidas o demasiado anidado), o no es el "
        "gzip que dice ser.",
        error_de(JsonIlegible("El cuerpo está vacío.")),
        _gzip_ilegible(),
    ),
    408: contestacion_de_error(
        "408", "El cuerpo no llegó entero a tiempo.", _demasiado_lento(SEGUNDOS_MAXIMOS)
    ),
    413: contestacion_de_error(
        "413", f"El cuerpo pasa de {OCTETOS_MAXIMOS // 1024} KiB.", _demasiado_grande()
    ),
    415: contestacion_de_error(
        "415",
        "El cuerpo no viene como `application/json`, o viene comprimido de otro modo que gzip.",
        _tipo_no_admitido(),
        _codificacion_no_admitida(),
    ),
}
