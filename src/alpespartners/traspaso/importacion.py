"""Una importación: las filas de un archivo, enviadas por lotes, y la cuenta de lo que fue de ellas.

Qué es: varios lotes en vuelo, cuyas filas se apuntan por su orden en el archivo; así, «hasta la línea N»
quiere decir todas.
Qué no es: otra puerta de entrada. Cada fila pasa por la API, que la juzga como a cualquier envío.
Por qué existe: importar dos veces no puede añadir nada. Cada fila va con su `id`; la que no lo trae, con uno
que sale del contenido del archivo y de su línea.
"""

import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, BinaryIO, Final, Literal, NamedTuple

import msgspec

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.esperas import ESPERAS_MAXIMAS, de_lotes
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from alpespartners.traspaso.apuntes import Apuntes, Cuentas, Rechazo
from alpespartners.traspaso.cliente import Cliente, Enviado, Negativa, NoSePuedeEnviar, Resultado
from alpespartners.traspaso.csv_ajeno import filas_de_csv
from alpespartners.traspaso.cuerpos import elemento_de
from alpespartners.traspaso.filas import Fila, FilaRota
from alpespartners.traspaso.lineas import lineas_de
from alpespartners.traspaso.ndjson import filas_de_ndjson

Formato = Literal["csv", "ndjson"]

_ESPACIO: Final = uuid.UUID("5b0d8f0c-6f0b-4f0e-9c58-1f4c1a7f2f7e")
"""El de los `id` que se dan al importar (RFC 9562 §5.5)."""
_FILAS_POR_LOTE: Final = 100
_OCTETOS_POR_LOTE: Final = 256 * 1024
_EN_COLA_POR_HILO: Final = 2
_SEGUNDOS_ENTRE_APUNTES: Final = 1.0
_PREFIJO_DE_TIPO: Final = "urn:alpespartners:error:"


_COMO_SOLA: Final = {
    CodigoDePeticion.ELEMENTO_ILEGIBLE: (HTTPStatus.BAD_REQUEST, "json_ilegible"),
    CodigoDePeticion.ELEMENTO_DEMASIADO_GRANDE: (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "cuerpo_demasiado_grande",
    ),
}
"""Lo que se habría respondido a una fila enviada sola; a las demás, que sus datos no son válidos."""


class _Lote(NamedTuple):
    """Unas filas enviadas, con el `id` con que se conoce a cada una y lo que será de ellas.

    Entre ellas puede haber rotas, que no se envían.
    """

    filas: Sequence[tuple[Fila, str] | FilaRota]
    enviado: Future[Enviado]


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
        a_la_vez: cuántos lotes esperan respuesta a la vez.
        avanza: recibe qué se hace y cuánto más.

    Raises:
        ArchivoIlegible: el archivo entero no se puede importar.
        NoSePuedeEnviar: el servicio no volvió, o no deja entrar; lo apuntado vale.
    """
    leer = filas_de_csv if formato == "csv" else filas_de_ndjson
    por_enviar = _por_enviar(leer(lineas_de(archivo), clase), apuntes.linea)
    # Quien espera su destino ocupa un sitio en el servicio por cada fila, y no hay más que esos.
    por_lote = min(
        _FILAS_POR_LOTE,
        max(1, de_lotes(ESPERAS_MAXIMAS) // a_la_vez) if cliente.con_destino else _FILAS_POR_LOTE,
    )
    en_vuelo: deque[_Lote] = deque()
    apuntado = time.monotonic()
    hilos = ThreadPoolExecutor(a_la_vez, "importar")
    try:
        for filas in _lotes(por_enviar, por_lote):
            en_vuelo.append(_enviado(filas, cliente, hilos, huella))
            if len(en_vuelo) > a_la_vez * _EN_COLA_POR_HILO:
                _apuntar_el_primero(en_vuelo, apuntes, avanza)
            if time.monotonic() - apuntado > _SEGUNDOS_ENTRE_APUNTES:
                apuntes.apuntar()
                apuntado = time.monotonic()
        while en_vuelo:
            _apuntar_el_primero(en_vuelo, apuntes, avanza)
    finally:
        # Si se sale por un fallo, las que esperan no se envían.
        cliente.parar("Se dejó de enviar.")
        hilos.shutdown(cancel_futures=True)
        cliente.cerrar()


def _por_enviar(filas: Iterator[Fila | FilaRota], hasta: int) -> Iterator[Fila | FilaRota]:
    return (fila for fila in filas if fila.numero > hasta)


def _lotes(filas: Iterator[Fila | FilaRota], por_lote: int) -> Iterator[list[Fila | FilaRota]]:
    """Las filas de muchas en muchas, sin que juntas ocupen demasiado."""
    lote: list[Fila | FilaRota] = []
    octetos = 0
    for fila in filas:
        lote.append(fila)
        octetos += len(fila.texto)
        if len(lote) >= por_lote or octetos >= _OCTETOS_POR_LOTE:
            yield lote
            lote, octetos = [], 0
    if lote:
        yield lote


def _enviado(
    filas: Sequence[Fila | FilaRota], cliente: Cliente, hilos: ThreadPoolExecutor, huella: str
) -> _Lote:
    con_id: list[tuple[Fila, str] | FilaRota] = []
    elementos: list[bytes] = []
    for fila in filas:
        if isinstance(fila, FilaRota):
            con_id.append(fila)
        else:
            asignado = None if fila.id is not None else id_de_la_linea(huella, fila.numero)
            con_id.append((fila, asignado or fila.id or ""))
            elementos.append(elemento_de(fila.clase, fila.cuerpo, asignado))
    return _Lote(con_id, hilos.submit(cliente.enviar, elementos))


def _apuntar_el_primero(en_vuelo: deque[_Lote], apuntes: Apuntes, avanza: Callable[[str, int], None]) -> None:
    """Espera el lote más antiguo y cuenta sus filas, por su orden.

    Raises:
        NoSePuedeEnviar: de alguna no se supo; las anteriores quedan apuntadas.
    """
    lote = en_vuelo[0]
    enviado = lote.enviado.result()
    resultados = iter(enviado.resultados)
    for una in lote.filas:
        if isinstance(una, FilaRota):
            apuntes.rechazar(_rota(una))
            numero = una.numero
        else:
            fila, id_evento = una
            numero = fila.numero
            resultado = next(resultados)
            if resultado is None:
                raise NoSePuedeEnviar(enviado.motivo)
            if isinstance(resultado, Negativa) or resultado.estado == "RECHAZADA":
                apuntes.rechazar(_rechazada(fila, id_evento, resultado))
            else:
                _contar(resultado, apuntes.cuentas)
        apuntes.cuentas.filas += 1
        apuntes.linea = numero
        avanza("filas", 1)
    en_vuelo.popleft()


def _contar(resultado: Resultado, cuentas: Cuentas) -> None:
    match resultado.estado:
        case "REGISTRADA":
            cuentas.registradas += 1
        case "DUPLICADA":
            cuentas.ya_estaban += 1
            cuentas.difieren += bool(resultado.difieren)
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


def _rechazada(fila: Fila, id_evento: str, resultado: Resultado | Negativa) -> Rechazo:
    """La fila con lo que se respondió de ella, o se habría respondido enviándola sola."""
    if isinstance(resultado, Negativa):
        problema = _problema(resultado.cuerpo)
        codigo = str(problema.get("type", resultado.estado)).removeprefix(_PREFIJO_DE_TIPO)
        estado = resultado.estado
    elif resultado.detalle is not None:
        problema = {"detail": resultado.detalle, "motivo": resultado.motivo, "campos": resultado.campos}
        estado, codigo = HTTPStatus.UNPROCESSABLE_ENTITY, "no_registrado"
        if resultado.motivo == Codigo.CONFLICTO_DE_ID:
            estado, codigo = HTTPStatus.CONFLICT, resultado.motivo
    else:
        problema = {"errores": resultado.errores}
        primera = resultado.errores[0]["codigo"]
        estado, codigo = _COMO_SOLA.get(primera, (HTTPStatus.UNPROCESSABLE_ENTITY, "datos_invalidos"))
    return Rechazo(
        linea=fila.numero, id=id_evento, codigo=codigo, estado=estado, problema=problema, fila=fila.texto
    )


def _problema(cuerpo: bytes) -> dict[str, Any]:
    """El de RFC 9457; lo que responde otro, de en medio, no lo es."""
    try:
        return msgspec.json.decode(cuerpo, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
