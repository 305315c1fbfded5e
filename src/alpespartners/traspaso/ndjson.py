"""Las filas de un archivo NDJSON: un objeto JSON por línea.

Qué es: la línea se envía tal cual, octeto por octeto, salvo que traiga algo que pone el servidor.
Qué no es: una validación de campos. De la que no es JSON se dice por qué con las palabras de la API, que la
lee igual.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.seedwork.json_estricto import JsonIlegible, leer_json
from alpespartners.traspaso.cuerpos import campos_que_se_envian, en_octetos
from alpespartners.traspaso.filas import Fila, FilaRota, clase_que_dicen
from alpespartners.traspaso.lineas import Linea

_CLASES: Final = {clase.nombre: clase for clase in CLASES}


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
    octetos = linea.octetos.strip()
    try:
        campos = leer_json(octetos)
    except JsonIlegible as ilegible:
        return FilaRota(linea.numero, linea.texto, "json_ilegible", str(ilegible))
    if not isinstance(campos, dict):
        return FilaRota(
            linea.numero, linea.texto, CodigoDePeticion.TIPO_INCORRECTO, "la línea no es un objeto JSON"
        )
    de_la_fila = clase or _CLASES.get(str(campos.get("clase"))) or clase_que_dicen(campos)
    if de_la_fila is None:
        return FilaRota(
            linea.numero, linea.texto, "clase_desconocida", "ni --clase ni un campo de tipo dicen de qué es"
        )
    enviados = campos_que_se_envian(campos, de_la_fila)
    cuerpo = octetos if enviados == campos else en_octetos(enviados)
    return Fila(linea.numero, linea.texto, de_la_fila, cuerpo, _id_de(campos))


def _id_de(campos: Mapping[str, object]) -> str | None:
    """El que trae, si es alguno: uno de otro tipo, o vacío, lo juzgará la API."""
    id_evento = campos.get("id")
    # Un sustituto suelto no se podría escribir entre las rechazadas.
    return None if id_evento is None else str(id_evento).encode("utf-8", "backslashreplace").decode()
