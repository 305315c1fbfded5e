"""Una importación: las filas de un archivo, enviadas a un servicio y contadas por lo que se respondió.

Qué es: varias filas en vuelo, cuyas respuestas se apuntan por su orden en el archivo; así, «hasta la línea N»
quiere decir todas.
Qué no es: otra puerta de entrada. Cada fila pasa por la API, que la juzga como a cualquier envío.
Por qué existe: importar dos veces no puede añadir nada. Cada fila va con su `id`; la que no lo trae, con uno
que sale del contenido del archivo y de su línea.
"""

import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, BinaryIO, Final, Literal, NamedTuple

import msgspec

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.traspaso.apuntes import Apuntes, Cuentas, Rechazo
from alpespartners.traspaso.cliente import Cliente, Respuesta
from alpespartners.traspaso.csv_ajeno import filas_de_csv
from alpespartners.traspaso.filas import Fila, FilaRota
from alpespartners.traspaso.lineas import lineas_de
from alpespartners.traspaso.ndjson import filas_de_ndjson

Formato = Literal["csv", "ndjson"]

_ESPACIO: Final = uuid.UUID("5b0d8f0c-6f0b-4f0e-9c58-1f4c1a7f2f7e")
"""El de los `id` que se dan al importar (RFC 9562 §5.5)."""
_EN_COLA_POR_HILO: Final = 8
_SEGUNDOS_ENTRE_APUNTES: Final = 1.0
_PREFIJO_DE_TIPO: Final = "urn:alpespartners:error:"


class _EnVuelo(NamedTuple):
    """Una fila enviada, con el `id` con que se la conoce y la respuesta que tendrá."""

    fila: Fila
    id: str
    respuesta: Future[Respuesta]


def id_de_la_linea(huella: str, numero: int) -> str:
    """El `id` de la fila que no trae ninguno: el mismo siempre que el archivo sea el mismo."""
    return str(uuid.uuid5(_ESPACIO, f"{huella} {numero}"))


def importar(
    archivo: BinaryIO,
    formato: Formato,
    cliente: Cliente,
    apuntes: Apuntes,
    *,
    huella: str,
    clase: Clase | None,
    a_la_vez: int,
    avanza: Callable[[str, int], None],
) -> None:
    """Envía las filas que aún no tienen respuesta; lo que se responde queda en los apuntes.

    Args:
        archivo: desde su principio.
        formato: el suyo.
        cliente: a quién se envían.
        apuntes: abiertos; dicen por qué línea se sigue.
        huella: la del contenido del archivo.
        clase: la de todas las filas; `None`, la que cada una diga.
        a_la_vez: cuántas esperan respuesta a la vez.
        avanza: recibe qué se hace y cuánto más.

    Raises:
        ArchivoIlegible: el archivo entero no se puede importar.
        NoSePuedeEnviar: el servicio no volvió, o no deja entrar; lo apuntado vale.
    """
    leer = filas_de_csv if formato == "csv" else filas_de_ndjson
    por_enviar = _por_enviar(leer(lineas_de(archivo), clase), apuntes.linea)
    en_vuelo: deque[_EnVuelo | FilaRota] = deque()
    apuntado = time.monotonic()
    hilos = ThreadPoolExecutor(a_la_vez, "importar")
    try:
        for fila in por_enviar:
            en_vuelo.append(fila if isinstance(fila, FilaRota) else _enviada(fila, cliente, hilos, huella))
            if len(en_vuelo) > a_la_vez * _EN_COLA_POR_HILO:
                _apuntar_la_primera(en_vuelo, apuntes)
                avanza("filas", 1)
            if time.monotonic() - apuntado > _SEGUNDOS_ENTRE_APUNTES:
                apuntes.apuntar()
                apuntado = time.monotonic()
        while en_vuelo:
            _apuntar_la_primera(en_vuelo, apuntes)
            avanza("filas", 1)
    finally:
        # Si se sale por un fallo, las que esperan no se envían.
        cliente.parar("Se dejó de enviar.")
        hilos.shutdown(cancel_futures=True)
        cliente.cerrar()


def _por_enviar(filas: Iterator[Fila | FilaRota], hasta: int) -> Iterator[Fila | FilaRota]:
    return (fila for fila in filas if fila.numero > hasta)


def _enviada(fila: Fila, cliente: Cliente, hilos: ThreadPoolExecutor, huella: str) -> _EnVuelo:
    asignado = None if fila.id is not None else id_de_la_linea(huella, fila.numero)
    ruta = f"/tracking/{fila.clase.plural}"
    futura = hilos.submit(cliente.enviar, ruta, fila.cuerpo, asignado)
    return _EnVuelo(fila, asignado or fila.id or "", futura)


def _apuntar_la_primera(en_vuelo: deque[_EnVuelo | FilaRota], apuntes: Apuntes) -> None:
    """Espera la respuesta de la fila más antigua y la cuenta."""
    primera = en_vuelo[0]
    if isinstance(primera, FilaRota):
        apuntes.rechazar(_rota(primera))
        numero = primera.numero
    else:
        respuesta = primera.respuesta.result()
        numero = primera.fila.numero
        if respuesta.estado >= HTTPStatus.BAD_REQUEST:
            apuntes.rechazar(_rechazada(primera, respuesta))
        else:
            _contar(respuesta, apuntes.cuentas)
    en_vuelo.popleft()
    apuntes.cuentas.filas += 1
    apuntes.linea = numero


def _contar(respuesta: Respuesta, cuentas: Cuentas) -> None:
    match respuesta.estado:
        case HTTPStatus.CREATED:
            cuentas.registradas += 1
        case HTTPStatus.OK:
            cuentas.ya_estaban += 1
            cuentas.difieren += bool(msgspec.json.decode(respuesta.cuerpo).get("difieren"))
        case _:
            cuentas.aceptadas += 1


def _rota(fila: FilaRota) -> Rechazo:
    return Rechazo(
        linea=fila.numero,
        id=None,
        codigo=fila.codigo,
        estado=None,
        problema={"detail": fila.detalle},
        fila=fila.texto,
    )


def _rechazada(enviada: _EnVuelo, respuesta: Respuesta) -> Rechazo:
    problema = _problema(respuesta.cuerpo)
    return Rechazo(
        linea=enviada.fila.numero,
        id=enviada.id,
        codigo=str(problema.get("type", respuesta.estado)).removeprefix(_PREFIJO_DE_TIPO),
        estado=respuesta.estado,
        problema=problema,
        fila=enviada.fila.texto,
    )


def _problema(cuerpo: bytes) -> dict[str, Any]:
    """El de RFC 9457; lo que responde otro, de en medio, no lo es."""
    try:
        return msgspec.json.decode(cuerpo, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
