"""De los campos de una fila al elemento que se envía: sin lo del servidor, y con el instante que cuenta.

Por qué existe: un archivo exportado trae de más `ocurrido_en`, `recibido_en`… La API no deja enviarlos; y lo
que se recibió sin `timestamp`, o con uno de un reloj adelantado, se contaría otro día en el libro nuevo si
no fuera con el `ocurrido_en` del viejo. De la `lectura` solo va lo que supo quien lo recibió: lo demás se lee
otra vez.
"""

from collections.abc import Mapping

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.mapeadores import RESERVADOS
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_texto
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido
from alpespartners.seedwork.json_estricto import JsonIlegible, escribir_json, leer_json


def campos_que_se_envian(campos: Mapping[str, object], clase: Clase) -> dict[str, object]:
    """Los mismos sin los reservados; el `timestamp` es el `ocurrido_en` si falta o se adelanta a él.

    Un campo `clase` que no dice la suya es de quien hizo el archivo, y va con lo que no se conoce; y uno
    `lectura`, que la API admite como cualquier otro que no conoce, si no es la que puso el servidor. De esa
    van sus `recibidas`, si las hay.
    """
    enviados = {nombre: valor for nombre, valor in campos.items() if nombre not in RESERVADOS}
    lectura = _del_servidor(enviados.get("lectura"))
    if lectura is not None:
        del enviados["lectura"]
        if lectura.get("recibidas"):
            enviados["lectura"] = {nombre: lectura[nombre] for nombre in ("reglas", "recibidas")}
    if enviados.get("id", "") is None:
        del enviados["id"]
    ajena = enviados.pop("clase", None)
    if ajena not in (None, clase.nombre):
        enviados["propiedades"] = _con_ajena(enviados.get("propiedades"), ajena)
    ocurrido_en = campos.get("ocurrido_en")
    if isinstance(ocurrido_en, str) and ocurrido_en:
        timestamp = campos.get("timestamp")
        if timestamp in (None, "") or _se_adelanta(timestamp, ocurrido_en):
            enviados["timestamp"] = ocurrido_en
    return enviados


def _del_servidor(valor: object) -> Mapping[str, object] | None:
    """La lectura que puso un servidor, que en un CSV es su JSON; `None` si no lo es."""
    if isinstance(valor, str) and valor.startswith('{"reglas":'):
        try:
            valor = leer_json(valor.encode())
        except JsonIlegible:
            return None
    return valor if isinstance(valor, dict) and "reglas" in valor else None


def _con_ajena(propiedades: object, ajena: object) -> dict[str, object]:
    if isinstance(propiedades, dict):
        return {"clase": ajena, **propiedades}
    return {"clase": ajena, "propiedades": propiedades} if propiedades else {"clase": ajena}


def elemento_de(clase: Clase, cuerpo: bytes, id_asignado: str | None) -> bytes:
    """El elemento de un lote: ese objeto JSON, que no la trae, con su clase y, si se le asigna, su `id`."""
    delante = {"clase": clase.nombre} | ({} if id_asignado is None else {"id": id_asignado})
    dentro = cuerpo.removeprefix(b"{").lstrip()
    return en_octetos(delante)[:-1] + (b"" if dentro == b"}" else b",") + dentro


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
