"""Lectura del cuerpo de un envío: tipo de contenido, tamaño y tiempo.

Qué es: los límites que se comprueban antes de interpretar nada.
Qué no es: el lector de JSON (`seedwork/json_estricto.py`).
Por qué existe: un cuerpo enorme, lento o cortado a la mitad no puede ocupar memoria ni publicar nada.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request

from alpespartners.api.http.descripcion import JSON, Contestacion
from alpespartners.api.http.problemas import ErrorHTTP, contestacion_de_error

OCTETOS_MAXIMOS: Final = 64 * 1024
SEGUNDOS_MAXIMOS: Final = 10.0
CIFRAS_DE_UNA_LONGITUD: Final = 18

_BLANCOS: Final = " \t\n\r\v\f"
"""Los de ASCII: en una cabecera, un espacio duro es un carácter más."""

FALTAS_DEL_CUERPO: Final[Mapping[int, Contestacion]] = {
    400: contestacion_de_error(
        "400", "El cuerpo no es JSON: mal formado, vacío, con claves repetidas o demasiado anidado."
    ),
    408: contestacion_de_error("408", "El cuerpo no llegó entero a tiempo."),
    413: contestacion_de_error("413", f"El cuerpo pasa de {OCTETOS_MAXIMOS // 1024} KiB."),
    415: contestacion_de_error("415", "El cuerpo no viene como `application/json` sin comprimir."),
}


async def leer_cuerpo(peticion: Request, segundos: float) -> bytes:
    """Devuelve el cuerpo entero de una petición `application/json`.

    Raises:
        ErrorHTTP: 415 (tipo o codificación), 413 (más de 64 KiB) o 408 (no llegó entero en ese plazo).
        ClientDisconnect: el cliente se fue antes de terminar.
    """
    _exigir_json(peticion)
    longitud = peticion.headers.get("content-length", "")
    if longitud.isdecimal() and (len(longitud) > CIFRAS_DE_UNA_LONGITUD or int(longitud) > OCTETOS_MAXIMOS):
        raise _demasiado_grande()
    try:
        async with asyncio.timeout(segundos):
            return await _todo(peticion)
    except TimeoutError:
        raise ErrorHTTP(
            408,
            "cuerpo_demasiado_lento",
            "Cuerpo demasiado lento",
            f"El cuerpo no llegó entero en {segundos:g} segundos.",
            # Lo que queda por llegar no debe leerse como otra petición.
            cabeceras={"Connection": "close"},
        ) from None


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


def _exigir_json(peticion: Request) -> None:
    tipos = peticion.headers.getlist("content-type")
    if len(tipos) != 1 or not _es_json(tipos[0]):
        raise ErrorHTTP(
            415,
            "tipo_de_contenido_no_admitido",
            "Tipo de contenido no admitido",
            "El cuerpo debe llegar como «Content-Type: application/json», en UTF-8.",
            cabeceras={"Accept-Post": JSON},
        )
    codificaciones = peticion.headers.getlist("content-encoding")
    if {codificacion.strip(_BLANCOS).lower() for codificacion in codificaciones} - {"identity"}:
        raise ErrorHTTP(
            415,
            "codificacion_de_contenido_no_admitida",
            "Codificación de contenido no admitida",
            "El cuerpo debe llegar sin comprimir.",
            cabeceras={"Accept-Encoding": "identity"},
        )


def _es_json(tipo: str) -> bool:
    medio, *parametros = tipo.lower().split(";")
    if medio.strip(_BLANCOS) != JSON:
        return False
    for parametro in parametros:
        nombre, _, valor = parametro.partition("=")
        if nombre.strip(_BLANCOS) == "charset" and valor.strip(_BLANCOS).strip('"') not in ("utf-8", "utf8"):
            return False
    return True


def _demasiado_grande() -> ErrorHTTP:
    # La conexión no se cierra: el servidor descarta lo que siga llegando y el cliente alcanza a leer el 413.
    return ErrorHTTP(
        413,
        "cuerpo_demasiado_grande",
        "Cuerpo demasiado grande",
        f"El cuerpo pasa de {OCTETOS_MAXIMOS // 1024} KiB.",
    )
