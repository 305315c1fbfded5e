"""Un CloudEvent 1.0 que lleva un comando: de sus atributos y sus datos a una entrada como las demás.

Qué es: las reglas de lo que envuelve a un evento, venga en el JSON (modos estructurado y por lotes) o en las
cabeceras (modo binario): qué es obligatorio, qué completa a los datos y qué se guarda entre las propiedades.
Qué no es: las reglas del evento. Lo que va en `data` se juzga como el cuerpo de un envío corriente.
Por qué existe: quien ya envía CloudEvents a otros los envía aquí sin cambiar nada.
"""

import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes
from uuid import UUID, uuid5

from alpespartners.api.http.cabeceras import Cabeceras
from alpespartners.api.http.cuerpo import tipo_escrito
from alpespartners.api.http.tipos_de_medio import JSON
from alpespartners.api.http.traza import es_traza
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.recepcion import Entrada, NoValida
from alpespartners.modulos.tracking.aplicacion.textos import FORMA_DE_UN_INSTANTE, instante_de_texto
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Codigo, Fallo, Recolector
from alpespartners.seedwork.json_estricto import leer_json

VERSION: Final = "1.0"
OBLIGATORIOS: Final = ("specversion", "id", "source", "type")
PREFIJO_DE_CABECERA: Final = b"ce-"
PREFIJO_DE_PROPIEDAD: Final = "ce_"
"""Como el de las propiedades de un mensaje en su tópico."""

# De aquí salen los `id` derivados: cambiarlo contaría dos veces lo que se repita.
_ESPACIO: Final = UUID("a3d7c0c4-5b0e-5d5c-9f5e-2f8b7a1c6e90")
_NO_SON_EXTENSIONES: Final = frozenset({*OBLIGATORIOS, "time", "datacontenttype", "data", "data_base64"})
_AUSENTE: Final = (None, "")
_NO_CABE_EN_UN_ATRIBUTO: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ENTRE_COMILLAS: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class LectorDeCloudEvents:
    """Quien los lee.

    Attributes:
        clases: por el `type` de su comando, la clase de evento.
    """

    clases: Mapping[str, Clase]

    def estructurado(self, objeto: object) -> Entrada | NoValida:
        """Lee el que va entero en un JSON ya leído."""
        if not isinstance(objeto, dict):
            fallo = Fallo("", CodigoDePeticion.TIPO_INCORRECTO, "un CloudEvent debe ser un objeto JSON")
            return NoValida([fallo])
        recolector = Recolector()
        recolector.intentar(_exigir_json, objeto.get("datacontenttype"))
        return self._evento(objeto, recolector.intentar(_datos, objeto), recolector)

    def binario(self, cabeceras: Cabeceras, cuerpo: object) -> Entrada | NoValida:
        """Lee el que lleva sus atributos en las cabeceras y sus datos, ya leídos, en el cuerpo."""
        recolector = Recolector()
        atributos = {
            nombre: recolector.intentar(_de_cabecera, nombre, valores)
            for nombre, valores in (
                (cabecera.removeprefix(PREFIJO_DE_CABECERA).decode("latin-1"), valores)
                for cabecera, valores in cabeceras.items()
                if cabecera.startswith(PREFIJO_DE_CABECERA)
            )
        }
        return self._evento(atributos, recolector.intentar(_objeto, "data", cuerpo), recolector)

    def _evento(
        self, atributos: Mapping[str, object], datos: Mapping[str, object] | None, recolector: Recolector
    ) -> Entrada | NoValida:
        textos = {
            nombre: recolector.intentar(_obligatorio, nombre, atributos.get(nombre))
            for nombre in OBLIGATORIOS
        }
        if textos["specversion"] not in (None, VERSION):
            recolector.anotar("specversion", Codigo.VALOR_NO_PERMITIDO, f"debe ser {VERSION}")
        clase = self.clases.get(textos["type"] or "")
        if clase is None:
            recolector.anotar("type", Codigo.VALOR_NO_PERMITIDO, f"debe ser {' o '.join(self.clases)}")
        cuerpo = None if datos is None else _con_su_hora(datos, atributos.get("time"), recolector)
        if recolector.fallos or clase is None or cuerpo is None:
            return NoValida(recolector.fallos)
        traza = _traza(atributos)
        extensiones = {
            f"{PREFIJO_DE_PROPIEDAD}{nombre}": valor
            for nombre, valor in atributos.items()
            if valor not in _AUSENTE
            and nombre not in _NO_SON_EXTENSIONES
            and not (nombre == "traceparent" and traza)
            and not (nombre == "subject" and valor == cuerpo.get("id"))
        }
        if extensiones:
            cuerpo["propiedades"] = {**_propiedades(cuerpo.get("propiedades")), **extensiones}
        derivado = str(uuid5(_ESPACIO, f"{textos['source']}\n{textos['id']}"))
        return Entrada(clase, cuerpo, id_derivado=derivado, traza=traza)


def _obligatorio(nombre: str, valor: object) -> str:
    if valor in _AUSENTE:
        raise CampoInvalido(
            nombre,
            Codigo.REQUERIDO,
            f"es obligatorio en un CloudEvent; en modo binario va en la cabecera ce-{nombre}",
        )
    # Un número es también un `str`, de otra clase.
    if type(valor) is not str:
        raise CampoInvalido(nombre, CodigoDePeticion.TIPO_INCORRECTO, "debe ser un texto")
    if _NO_CABE_EN_UN_ATRIBUTO.search(valor):
        raise CampoInvalido(nombre, Codigo.CARACTER_DE_CONTROL, "lleva un carácter que no se admite")
    return valor


def _exigir_json(datacontenttype: object) -> None:
    if datacontenttype is None or (type(datacontenttype) is str and tipo_escrito(datacontenttype) == JSON):
        return
    raise CampoInvalido("datacontenttype", Codigo.VALOR_NO_PERMITIDO, f"debe ser {JSON}, en UTF-8")


def _datos(evento: Mapping[str, object]) -> dict[str, object]:
    """Los de `data` o los de `data_base64`."""
    datos, en_base64 = evento.get("data"), evento.get("data_base64")
    if datos is not None and en_base64 is not None:
        raise CampoInvalido(
            "data_base64", Codigo.CAMPO_REPETIDO, "los datos van en data o aquí, no en los dos"
        )
    return _objeto("data", datos) if en_base64 is None else _objeto("data_base64", _de_base64(en_base64))


def _de_base64(texto: object) -> object:
    """Lo que dice el JSON que hay dentro (RFC 4648 §4)."""
    no_vale = CampoInvalido(
        "data_base64", CodigoDePeticion.TIPO_INCORRECTO, "debe ser el base64 de un objeto JSON"
    )
    if type(texto) is not str:
        raise no_vale
    try:
        return leer_json(binascii.a2b_base64(texto, strict_mode=True))
    except ValueError:
        raise no_vale from None


def _objeto(campo: str, datos: object) -> dict[str, object]:
    if datos is None:
        raise CampoInvalido(campo, Codigo.REQUERIDO, "es obligatorio: los campos del evento")
    if not isinstance(datos, dict):
        raise CampoInvalido(campo, CodigoDePeticion.TIPO_INCORRECTO, "debe ser un objeto JSON")
    return datos


def _con_su_hora(datos: Mapping[str, object], hora: object, recolector: Recolector) -> dict[str, object]:
    """Los datos, con la hora del CloudEvent si no traen la suya."""
    cuerpo = dict(datos)
    if hora in _AUSENTE or cuerpo.get("timestamp") not in _AUSENTE:
        return cuerpo
    if type(hora) is str:
        recolector.intentar(instante_de_texto, "time", hora)
    else:
        recolector.anotar(
            "time", CodigoDePeticion.TIPO_INCORRECTO, f"debe ser un texto {FORMA_DE_UN_INSTANTE}"
        )
    cuerpo["timestamp"] = hora
    return cuerpo


def _traza(atributos: Mapping[str, object]) -> str | None:
    traza = atributos.get("traceparent")
    return traza if type(traza) is str and es_traza(traza) else None


def _propiedades(propias: object) -> Mapping[str, object]:
    """Las de los datos; si no son un objeto, una que las lleva."""
    if isinstance(propias, dict):
        return propias
    return {} if propias in _AUSENTE else {"propiedades": propias}


def _de_cabecera(nombre: str, valores: Sequence[str]) -> str:
    """El valor de un atributo en una cabecera (enlace HTTP de CloudEvents 1.0.2, §3.1.3.2)."""
    if len(valores) > 1:
        raise CampoInvalido(nombre, CodigoDePeticion.CABECERA_ILEGIBLE, "debe venir en una sola cabecera")
    valor = valores[0].strip(" \t")
    entre_comillas = _ENTRE_COMILLAS.fullmatch(valor)
    if entre_comillas is not None:
        valor = re.sub(r"\\(.)", r"\1", entre_comillas[1])
    try:
        return unquote_to_bytes(_sin_escapar(valor)).decode("utf-8")
    except UnicodeDecodeError:
        raise CampoInvalido(
            nombre, CodigoDePeticion.CABECERA_ILEGIBLE, "no es UTF-8 una vez quitados los escapes %XX"
        ) from None


def _sin_escapar(valor: str) -> bytes:
    """En UTF-8 lo que, contra el enlace, llegó sin escapar; si no lo es, es Latin-1, como lo envía Node."""
    crudo = valor.encode("latin-1")
    try:
        crudo.decode("utf-8")
    except UnicodeDecodeError:
        return valor.encode("utf-8")
    return crudo
