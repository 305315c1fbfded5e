"""La orden que envía otra vez, ya enmendado, lo que no se registró: para copiarla y completarla.

Qué es: un `curl` con lo que se envió, donde cada campo que no vale está por escribir (`<moneda>`), y así no
lo acepta nadie, o, si lo que le sobra es solo algo que no se ve o unos espacios, ya sin ello.
Qué no es: un envío: el panel no lo hace. Ni una adivinanza: de un dato que falta no se inventa el valor.
Por qué existe: quien corrige una venta no debería escribir un JSON a mano; ahí nace la falta siguiente.
"""

import json
import re
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import msgspec
from starlette.requests import Request

from alpespartners.api.http.claves import SIN_CLAVE, clave_de, permiso_de
from alpespartners.api.http.direccion_del_servicio import direccion_del_servicio
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.enviado import RECORTADO
from alpespartners.modulos.tracking.aplicacion.invisibles import UNO_INVISIBLE
from alpespartners.modulos.tracking.aplicacion.mapeadores import RESERVADOS
from alpespartners.modulos.tracking.dominio.destinos import Destino, Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, CodigoDeFalta, Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import momento_de_ocurrencia, timestamp_creible
from alpespartners.panel.fuentes import Fuentes

_NO_SE_VE: Final = re.compile(rf"{UNO_INVISIBLE}|[\x7f-\x9f\u2028\u2029]")
_REPARAR: Final[Mapping[CodigoDeFalta, Callable[[str], str]]] = {
    Codigo.ESPACIO_EN_LOS_EXTREMOS: str.strip,
    CodigoDePeticion.CARACTER_INVISIBLE: lambda texto: _NO_SE_VE.sub("", texto),
}
_SIN_ORDEN: Final[Collection[CodigoDeFalta]] = {CodigoDePeticion.SIN_PERMISO}
"""Los que no se enmiendan en lo que se envía, sino en con qué clave."""
_EN_JSON: Final = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Envio:
    """A dónde se envía, y cómo.

    Attributes:
        servicio: la dirección de este, sin barra final.
        con_clave: si hay que presentar una.
        prefijos: los que antepone alguna, de los que puede saber quien mira.
    """

    servicio: str
    con_clave: bool
    prefijos: Collection[str] = ()

    @classmethod
    def a(cls, peticion: Request, fuentes: Fuentes) -> Self:
        """Al servicio al que se hizo esa petición; con clave, si hizo falta para mirar."""
        return cls(
            direccion_del_servicio(peticion),
            con_clave=clave_de(peticion) is not SIN_CLAVE,
            prefijos=fuentes.prefijos_que_ve(permiso_de(peticion)),
        )


@dataclass(frozen=True, slots=True)
class Enmienda:
    """Cómo se envía enmendado.

    Attributes:
        orden: la que se ejecuta en una terminal.
        fechada: si su `timestamp` no es el que se envió, sino cuando se recibió.
        con_clave: si hay que presentar una.
        es_otro: si lo que se envía es otro evento, con otro `id`, porque el suyo ya es de uno.
        con_otro_prefijo: el `id` con que se registraría si la clave antepone el prefijo que ya lleva; `None`,
            si no se sabe que lleve ninguno.
    """

    orden: str
    fechada: bool
    con_clave: bool
    es_otro: bool
    con_otro_prefijo: str | None


def enmienda_de(
    clase: Clase, destino: Destino, enviado: Mapping[str, Any] | None, recibido_en: datetime, envio: Envio
) -> Enmienda | None:
    """Cómo se envía enmendado; `None` si no se sabe qué se envió, o así no se enmienda."""
    if not isinstance(destino, Rechazada) or destino.motivo in _SIN_ORDEN:
        return None
    if enviado is None or RECORTADO in enviado:
        return None
    # Enmendarlo no cambia cuándo ocurrió: sin decirlo, contaría el día en que se enmienda.
    ocurrido_en = _ocurrido_en(enviado.get("timestamp"), recibido_en)
    cuerpo = _enmendado(destino, {**enviado, "timestamp": ocurrido_en})
    partes = ["curl", "-X", "POST", shlex.quote(f"{envio.servicio}/tracking/{clase.plural}")]
    if envio.con_clave:
        partes += ["-H", '"Authorization: Bearer $ALPES_CLAVE"']
    partes += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(_en_json(cuerpo))]
    return Enmienda(
        " ".join(partes),
        fechada=cuerpo["timestamp"] == ocurrido_en != enviado.get("timestamp"),
        con_clave=envio.con_clave,
        es_otro=destino.motivo is Codigo.CONFLICTO_DE_ID,
        con_otro_prefijo=_con_otro_prefijo(str(enviado.get("id") or ""), envio.prefijos),
    )


def _con_otro_prefijo(evento_id: str, prefijos: Collection[str]) -> str | None:
    suyo = max(filter(evento_id.startswith, prefijos), key=len, default=None)
    return None if suyo is None else suyo + evento_id


def _ocurrido_en(timestamp: datetime | None, recibido_en: datetime) -> datetime:
    creible, _ = timestamp_creible(timestamp, recibido_en, {}, Recolector())
    return momento_de_ocurrencia(creible, recibido_en)


def _enmendado(destino: Rechazada, enviado: Mapping[str, Any]) -> dict[str, Any]:
    # En un conflicto todo lo enviado vale; lo que no, es el `id`.
    por_cambiar = ("id",) if destino.motivo is Codigo.CONFLICTO_DE_ID else destino.campos
    propiedades = {
        nombre: valor
        for nombre, valor in (enviado.get("propiedades") or {}).items()
        # Lo que no cabía en su campo quedó aquí con su nombre.
        if nombre not in por_cambiar
    }
    cuerpo = {nombre: valor for nombre, valor in enviado.items() if valor not in (None, "")}
    for campo in por_cambiar:
        if campo in enviado:
            cuerpo[campo] = _reparado(destino, campo, cuerpo.get(campo))
    cuerpo.pop("propiedades", None)
    if propiedades:
        cuerpo["propiedades"] = propiedades
    return {nombre: valor for nombre, valor in cuerpo.items() if nombre not in RESERVADOS}


def _reparado(destino: Rechazada, campo: str, valor: object) -> object:
    """El motivo de un rechazo es el de su primer campo."""
    reparar = _REPARAR.get(destino.motivo) if campo == destino.campos[0] else None
    if reparar is not None and isinstance(valor, str) and reparar(valor):
        return reparar(valor)
    # Sin comillas no es JSON: quien la ejecuta sin completarla no registra nada, sea lo que sea el campo.
    return msgspec.Raw(f"<{campo}>".encode())


def _en_json(cuerpo: Mapping[str, Any]) -> str:
    """El JSON en una línea; lo que no se ve va escapado, para que quien lo copia vea lo que copia."""
    texto = _EN_JSON.encode(cuerpo).decode()
    return _NO_SE_VE.sub(lambda hallado: json.dumps(hallado[0])[1:-1], texto)
