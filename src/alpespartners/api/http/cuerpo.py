"""Lectura del cuerpo de un envío: tipo de contenido, codificación, tamaño y tiempo.

Qué es: los límites que se comprueban antes de interpretar nada; lo comprimido los tiene en lo que llega y en
lo que sale.
Qué no es: el lector de JSON (`seedwork/json_estricto.py`).
Por qué existe: un cuerpo enorme, lento o cortado a la mitad no puede ocupar memoria ni publicar nada.
"""

import asyncio
import zlib
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPMethod
from typing import Final

from starlette.requests import ClientDisconnect, Request

from alpespartners.api.http.cabeceras import Cabeceras, cabeceras_de
from alpespartners.api.http.descripcion import Contestacion
from alpespartners.api.http.limites import DE_UN_EVENTO, LimitesDeCuerpo
from alpespartners.api.http.problemas import ErrorHTTP, contestacion_de_error, error_de
from alpespartners.api.http.tipos_de_medio import JSON
from alpespartners.seedwork.json_estricto import JsonIlegible
from alpespartners.seedwork.procesos.cuerpo_entero import CUERPO_ENTERO

SEGUNDOS_MAXIMOS: Final = 10.0
CIFRAS_DE_UNA_LONGITUD: Final = 18

VECES_COMPRIMIDO: Final = 100
"""Lo que puede dar de sí un gzip, por lo que mide."""
SIN_CONTAR_VECES: Final = 256 * 1024
"""Octetos que puede dar cualquier gzip: tan poco, y muy repetido, se comprime más sin que sea un abuso."""

_BLANCOS: Final = " \t\n\r\v\f"
"""Los de ASCII: en una cabecera, un espacio duro es un carácter más."""

_GZIP: Final = frozenset({"gzip", "x-gzip"})
"""El mismo, con dos nombres (RFC 9110 §8.4.1.3)."""
CON_CABECERA_DE_GZIP: Final = 16 + zlib.MAX_WBITS
OCTETOS_DE_UNA_PARTE: Final = 2 * 1024
"""Los de un gzip que se descomprimen de una vez."""


async def leer_cuerpo(peticion: Request, segundos: float, limites: LimitesDeCuerpo = DE_UN_EVENTO) -> bytes:
    """Devuelve el cuerpo entero de una petición, descomprimido si llegó en gzip.

    Raises:
        ErrorHTTP: 415 (tipo o codificación), 413 (pasa de los límites), 408 (no llegó entero en ese plazo) o
            400 (no es el gzip que dice ser).
        ClientDisconnect: el cliente se fue antes de terminar.
    """
    comprimido = comprobar_cabeceras(peticion, limites)
    maximo = limites.comprimidos if comprimido else limites.octetos
    if CUERPO_ENTERO in peticion.scope.get("extensions", {}):
        # Un plazo cuesta, y no hay nada que esperar.
        cuerpo = await _todo(peticion, maximo)
    else:
        cuerpo = await _a_tiempo(peticion, segundos, maximo)
    if not comprimido:
        return cuerpo
    return _descomprimido(cuerpo, limites.octetos)


def comprobar_cabeceras(peticion: Request, limites: LimitesDeCuerpo) -> bool:
    """Dice si el cuerpo viene en gzip, tras comprobar lo que las cabeceras dicen de él.

    Raises:
        ErrorHTTP: 415 (tipo o codificación) o 413 (anuncia más de lo que cabe).
    """
    cabeceras = cabeceras_de(peticion)
    if limites.tipos is not None:
        _exigir_tipo(peticion.method, cabeceras, limites.tipos)
    comprimido = _viene_en_gzip(cabeceras)
    maximo = limites.comprimidos if comprimido else limites.octetos
    longitud = cabeceras.get(b"content-length", ("",))[0]
    if longitud.isdecimal() and (len(longitud) > CIFRAS_DE_UNA_LONGITUD or int(longitud) > maximo):
        raise demasiado_grande(maximo)
    return comprimido


async def _a_tiempo(peticion: Request, segundos: float, maximo: int) -> bytes:
    try:
        async with asyncio.timeout(segundos):
            return await _todo(peticion, maximo)
    except TimeoutError:
        raise demasiado_lento(segundos) from None


async def _todo(peticion: Request, maximo: int) -> bytes:
    cuerpo = bytearray()
    hay_mas = True
    # `Request.body()` leería hasta el final, mida lo que mida.
    while hay_mas:
        mensaje = await peticion.receive()
        if mensaje["type"] == "http.disconnect":
            raise ClientDisconnect
        cuerpo += mensaje.get("body", b"")
        hay_mas = mensaje.get("more_body", False)
        if len(cuerpo) > maximo:
            raise demasiado_grande(maximo)
    return bytes(cuerpo)


def tipo_de_contenido(cabeceras: Cabeceras) -> str | None:
    """El tipo de medio que se dice del cuerpo; `None` si no es uno solo, o en otra codificación que UTF-8."""
    tipos = cabeceras.get(b"content-type", ())
    return tipo_escrito(tipos[0]) if len(tipos) == 1 else None


def _exigir_tipo(metodo: str, cabeceras: Cabeceras, admitidos: tuple[str, ...]) -> None:
    if tipo_de_contenido(cabeceras) not in admitidos:
        raise _tipo_no_admitido(admitidos, metodo)


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


def _descomprimido(comprimido: bytes, maximo: int) -> bytes:
    """Lo que había dentro: los miembros que sean, seguidos (RFC 1952 §2.2), y nunca más de `maximo`."""
    cuerpo = bytearray()
    caben = min(maximo, puede_dar(len(comprimido)))
    miembro = zlib.decompressobj(CON_CABECERA_DE_GZIP)
    for parte in partes_de_gzip(comprimido):
        pendiente = parte
        while pendiente:
            if miembro.eof:
                miembro = zlib.decompressobj(CON_CABECERA_DE_GZIP)
            try:
                cuerpo += miembro.decompress(pendiente, caben + 1 - len(cuerpo))
            except zlib.error:
                raise gzip_ilegible() from None
            if len(cuerpo) > caben:
                raise demasiado_grande(maximo) if caben == maximo else demasiado_comprimido()
            pendiente = miembro.unused_data
    if not miembro.eof:
        raise gzip_ilegible()
    return bytes(cuerpo)


def partes_de_gzip(comprimido: bytes) -> Iterator[bytes]:
    """Los mismos octetos, de pocos en pocos.

    Cada miembro copia lo que le sigue: si fuera el cuerpo entero, mil miembros lo copiarían mil veces.
    """
    for desde in range(0, len(comprimido), OCTETOS_DE_UNA_PARTE):
        yield comprimido[desde : desde + OCTETOS_DE_UNA_PARTE]


def puede_dar(comprimidos: int) -> int:
    """Los octetos que puede dar, como mucho, un gzip que mide eso."""
    return SIN_CONTAR_VECES + VECES_COMPRIMIDO * comprimidos


def tipo_escrito(cabecera: str) -> str | None:
    """El tipo de medio que dice la cabecera; `None` si lo acompaña otra codificación que UTF-8."""
    medio, *parametros = cabecera.lower().split(";")
    for parametro in parametros:
        nombre, _, valor = parametro.partition("=")
        if nombre.strip(_BLANCOS) == "charset" and valor.strip(_BLANCOS).strip('"') not in ("utf-8", "utf8"):
            return None
    return medio.strip(_BLANCOS)


def _tipo_no_admitido(admitidos: Sequence[str], metodo: str = HTTPMethod.POST) -> ErrorHTTP:
    # La que dice qué se admite es otra en un PATCH (RFC 5789 §2.2) que en un POST (LDP 1.0 §7.1).
    cabecera = "Accept-Patch" if metodo == HTTPMethod.PATCH else "Accept-Post"
    return ErrorHTTP(
        415,
        "tipo_de_contenido_no_admitido",
        "Tipo de contenido no admitido",
        f"El cuerpo debe llegar como «Content-Type: {'» o «'.join(admitidos)}», en UTF-8.",
        cabeceras={cabecera: ", ".join(admitidos)},
    )


def _codificacion_no_admitida() -> ErrorHTTP:
    return ErrorHTTP(
        415,
        "codificacion_de_contenido_no_admitida",
        "Codificación de contenido no admitida",
        "El cuerpo debe llegar sin comprimir o, una sola vez, en gzip («Content-Encoding: gzip»).",
        cabeceras={"Accept-Encoding": "gzip, identity"},
    )


def demasiado_lento(segundos: float) -> ErrorHTTP:
    """El cuerpo no acabó de llegar."""
    return ErrorHTTP(
        408,
        "cuerpo_demasiado_lento",
        "Cuerpo demasiado lento",
        f"El cuerpo no llegó entero en {segundos:g} segundos.",
        # Lo que queda por llegar no debe leerse como otra petición.
        cabeceras={"Connection": "close"},
    )


def gzip_ilegible() -> ErrorHTTP:
    """Lo comprimido no se puede descomprimir."""
    return ErrorHTTP(
        400, "gzip_ilegible", "Gzip ilegible", "El cuerpo no es el gzip que dice ser, o está cortado."
    )


def demasiado_grande(maximo: int) -> ErrorHTTP:
    """El cuerpo mide más de lo que se admite."""
    # La conexión no se cierra: el servidor descarta lo que siga llegando y el cliente alcanza a leer el 413.
    return ErrorHTTP(
        413,
        "cuerpo_demasiado_grande",
        "Cuerpo demasiado grande",
        f"El cuerpo pasa de {maximo // 1024} KiB.",
    )


def demasiado_comprimido() -> ErrorHTTP:
    """Lo comprimido da muchas veces lo que mide."""
    return ErrorHTTP(
        413,
        "cuerpo_demasiado_comprimido",
        "Cuerpo demasiado comprimido",
        f"Descomprimido, el cuerpo mide más de {VECES_COMPRIMIDO} veces lo que llegó: envíelo sin comprimir, "
        "o en lotes menores.",
    )


def faltas_del_cuerpo(limites: LimitesDeCuerpo) -> Mapping[int, Contestacion]:
    """Cómo se describen las respuestas a un cuerpo que no se puede leer, por su código."""
    # Cada punto de entrada con límites propios tiene las suyas; las de un envío se comparten.
    propio = "" if limites == DE_UN_EVENTO else f"_{limites.octetos // 1024}"
    tipos = limites.tipos or ()
    de_mas = (
        f" o, descomprimido, de {VECES_COMPRIMIDO} veces lo que llegó"
        if limites.octetos > SIN_CONTAR_VECES
        else ""
    )
    formatos = "".join(f"_{tipo.rpartition('/')[2].replace('+', '-')}" for tipo in tipos if tipo != JSON)
    return {
        400: contestacion_de_error(
            "400",
            "El cuerpo no es JSON (mal formado, vacío, con claves repetidas o demasiado anidado), o no es el "
            "gzip que dice ser.",
            error_de(JsonIlegible("El cuerpo está vacío.")),
            gzip_ilegible(),
        ),
        408: contestacion_de_error(
            "408", "El cuerpo no llegó entero a tiempo.", demasiado_lento(SEGUNDOS_MAXIMOS)
        ),
        413: contestacion_de_error(
            f"413{propio}",
            f"El cuerpo pasa de {limites.octetos // 1024} KiB{de_mas}.",
            demasiado_grande(limites.octetos),
            *([demasiado_comprimido()] if de_mas else []),
        ),
        415: contestacion_de_error(
            f"415{formatos}",
            f"El cuerpo no viene como {' o '.join(f'`{tipo}`' for tipo in tipos)}, o viene comprimido de "
            "otro modo que gzip.",
            *([_tipo_no_admitido(tipos)] if tipos else []),
            _codificacion_no_admitida(),
        ),
    }
