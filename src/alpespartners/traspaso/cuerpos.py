"""De los campos de una fila a los que se envían: sin los que pone el servidor, y con el instante que cuenta.

Por qué existe: un archivo exportado trae de más `ocurrido_en`, `recibido_en`… La API no deja enviarlos; y lo
que se recibió sin `timestamp`, o con uno de un reloj adelantado, se contaría otro día en el libro nuevo si
no fuera con el `ocurrido_en` del viejo.
"""

from collections.abc import Mapping

from alpespartners.modulos.tracking.aplicacion.mapeadores import RESERVADOS
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_texto
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.seedwork.json_estricto import escribir_json


def campos_que_se_envian(campos: Mapping[str, object]) -> dict[str, object]:
    """Los mismos sin los reservados; el `timestamp` es el `ocurrido_en` si falta o se adelanta a él."""
    enviados = {nombre: valor for nombre, valor in campos.items() if nombre not in RESERVADOS}
    ocurrido_en = campos.get("ocurrido_en")
    if isinstance(ocurrido_en, str) and ocurrido_en:
        timestamp = campos.get("timestamp")
        if timestamp in {None, ""} or _se_adelanta(timestamp, ocurrido_en):
            enviados["timestamp"] = ocurrido_en
    return enviados


def en_octetos(campos: Mapping[str, object]) -> bytes:
    """El JSON de unos campos leídos con `leer_json`, con cada número como llegó."""
    # Un sustituto suelto no cabe en UTF-8; su escape es JSON y dice lo mismo.
    return escribir_json(dict(campos)).encode("utf-8", "backslashreplace")


def _se_adelanta(timestamp: object, ocurrido_en: str) -> bool:
    """Si son dos instantes y el primero es posterior; lo que no se lee lo dirá la API."""
    if not isinstance(timestamp, str) or timestamp == ocurrido_en:
        return False
    try:
        return instante_de_texto("timestamp", timestamp) > instante_de_texto("ocurrido_en", ocurrido_en)
    except CampoInvalido:
        return False
