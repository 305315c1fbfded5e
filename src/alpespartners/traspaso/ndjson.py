"""Las filas de un archivo NDJSON: un objeto JSON por línea.

Qué es: la línea se envía tal cual, octeto por octeto, salvo que traiga algo que pone el servidor.
Qué no es: una validación. Una línea que no es JSON también se envía, si se sabe a dónde: la API dice por qué
no vale con sus palabras.
"""

from collections.abc import Iterable, Iterator, Mapping

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.seedwork.json_estricto import JsonIlegible, leer_json
from alpespartners.traspaso.cuerpos import campos_que_se_envian, en_octetos
from alpespartners.traspaso.filas import Fila, FilaRota, clase_que_dicen
from alpespartners.traspaso.lineas import Linea


def filas_de_ndjson(lineas: Iterable[Linea], clase: Clase | None) -> Iterator[Fila | FilaRota]:
    """Da cada línea que no está en blanco.

    Args:
        lineas: las del archivo.
        clase: la de todas; si falta, la que diga el campo de tipo de cada una.
    """
    for linea in lineas:
        if not linea.cabe:
            yield FilaRota(linea.numero, linea.texto, "linea_demasiado_larga", "la línea no cabe en un envío")
        elif linea.octetos.strip():
            yield _fila(linea, clase)


def _fila(linea: Linea, clase: Clase | None) -> Fila | FilaRota:
    octetos = linea.octetos.rstrip(b"\r\n")
    try:
        campos = leer_json(octetos)
    except JsonIlegible as ilegible:
        if clase is None:
            return FilaRota(linea.numero, linea.texto, "json_ilegible", str(ilegible))
        campos = None
    if not isinstance(campos, Mapping):
        campos = {}
    de_la_fila = clase or clase_que_dicen(campos)
    if de_la_fila is None:
        return FilaRota(
            linea.numero, linea.texto, "clase_desconocida", "ni --clase ni un campo de tipo dicen de qué es"
        )
    enviados = campos_que_se_envian(campos)
    cuerpo = octetos if enviados == campos else en_octetos(enviados)
    return Fila(linea.numero, linea.texto, de_la_fila, cuerpo, _id_de(campos))


def _id_de(campos: Mapping[str, object]) -> str | None:
    """El que trae, si es alguno: uno de otro tipo, o vacío, lo juzgará la API."""
    id_evento = campos.get("id")
    # Un sustituto suelto no se podría escribir entre las rechazadas.
    return None if id_evento is None else str(id_evento).encode("utf-8", "backslashreplace").decode()
