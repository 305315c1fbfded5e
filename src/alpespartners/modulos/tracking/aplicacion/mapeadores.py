"""Del JSON al DTO y del DTO al comando, diciendo todas las faltas a la vez.

Qué es: los pasos 2 y 3 del flujo. El primero resuelve la forma (nombres, tipos de JSON, campos de más, cómo
se escriben instante e importe); el segundo pasa por las reglas del dominio con que juzgará el consumidor.
Qué no es: lectura de octetos (`seedwork.json_estricto`) ni Avro (infraestructura).
Por qué existe: quien integra debe ver en una sola respuesta todo lo que tiene que corregir, y un error
de tecleo (`influencerid`) debe notarse sin costarle el evento.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.dto import EventoDTO
from alpespartners.modulos.tracking.aplicacion.textos import (
    FORMA_DE_UN_INSTANTE,
    importe,
    instante_de_texto,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import anotar_propiedad, nombre_legible
from alpespartners.seedwork.json_estricto import NumeroJson

_DESCRIPTIVOS = {
    "user_agent": "user_agent_ilegible",
    "ip_address": "ip_ilegible",
    "referrer": "referrer_ilegible",
}
_RESERVADOS = frozenset(
    {"recibido_en", "registrado_en", "ocurrido_en", "estado", "advertencias", "comando_id"}
)
_TEXTOS = {
    clase: frozenset(campo.name for campo in fields(clase.dto)) - _DESCRIPTIVOS.keys() - {"propiedades"}
    for clase in CLASES
}
"""De cada clase, los campos estrictos: los que deben ser un texto."""
_CANONICOS = frozenset[str]().union(*_TEXTOS.values(), _DESCRIPTIVOS, {"propiedades"})
_ALIAS = {"campana_id": "campaña_id"}
_QUE_SE_LEEN: dict[str, Callable[[str, str, Mapping[str, Any]], object]] = {
    "timestamp": lambda campo, escrito, _: instante_de_texto(campo, escrito),
    "valor": lambda campo, escrito, campos: importe(campo, escrito, campos.get("moneda")),
}
"""De cada campo que no se queda en texto, cómo se lee; recibe también los demás campos."""
_QUE_DEBEN_SER = {
    "timestamp": f"debe ser un texto {FORMA_DE_UN_INSTANTE}",
    "valor": "debe ser un número o un texto numérico",
}
_SUSTITUTO = re.compile(r"[\ud800-\udfff]")


def json_a_dto(clase: Clase, cuerpo: Mapping[str, object], recolector: Recolector) -> EventoDTO:
    """Da forma de DTO a un cuerpo; faltas y avisos quedan en el recolector."""
    return clase.dto(**_campos_del_cuerpo(cuerpo, _TEXTOS[clase], recolector))


def dto_a_comando(
    clase: Clase,
    dto: EventoDTO,
    recolector: Recolector,
    *,
    id_asignado: Callable[[], str],
    recibido_en: datetime,
) -> Comando:
    """Convierte el DTO, al que da un `id` si no lo trae, en un comando normalizado.

    Raises:
        DatosInvalidos: con todas las faltas, también las que el recolector ya traía.
    """
    dto.id = dto.id or id_asignado()
    contenido = clase.contenido.crear(dto, recibido_en, recolector)
    return clase.comando(**contenido.campos(), recibido_en=recibido_en, advertencias=tuple(recolector.avisos))


def comando_del_cuerpo(
    clase: Clase, cuerpo: Mapping[str, object], *, id_asignado: Callable[[], str], recibido_en: datetime
) -> Comando:
    """Recorre JSON → DTO → comando.

    Raises:
        DatosInvalidos: con todas las faltas del cuerpo.
    """
    recolector = Recolector()
    dto = json_a_dto(clase, cuerpo, recolector)
    return dto_a_comando(clase, dto, recolector, id_asignado=id_asignado, recibido_en=recibido_en)


def _campos_del_cuerpo(
    cuerpo: Mapping[str, object], textos: frozenset[str], recolector: Recolector
) -> dict[str, Any]:
    """Reparte el cuerpo entre los campos del DTO; `""` y `null` valen ausencia."""
    campos: dict[str, Any] = {"propiedades": {}}
    desconocidos: dict[str, object] = {}
    for nombre, valor in _sin_alias(cuerpo, recolector).items():
        if nombre in textos:
            # Un texto sin más no necesita ni la llamada; un `NumeroJson` es de otra clase.
            es_texto = type(valor) is str
            campos[nombre] = (valor or None) if es_texto else _texto(nombre, valor, recolector)
        elif nombre in _DESCRIPTIVOS:
            if type(valor) is str:
                campos[nombre] = valor
            else:
                _descartar(nombre, valor, recolector)
        elif nombre == "propiedades":
            campos[nombre] = _propiedades(valor, recolector)
        elif nombre in _RESERVADOS:
            recolector.anotar(
                nombre, CodigoDePeticion.CAMPO_RESERVADO, "lo pone el servidor; no se puede enviar"
            )
        else:
            desconocidos[nombre] = valor
    if desconocidos:
        _acoger_desconocidos(desconocidos, campos["propiedades"], recolector)
    for nombre, leer in _QUE_SE_LEEN.items():
        if campos.get(nombre) is not None:
            campos[nombre] = recolector.intentar(leer, nombre, campos[nombre], campos)
    return campos


def _sin_alias(cuerpo: Mapping[str, object], recolector: Recolector) -> Mapping[str, object]:
    """Reúne los campos por su nombre canónico, sin los que valen `null`.

    Dos grafías de un mismo nombre (`campaña_id`, `campana_id`, o la ñ descompuesta) solo valen juntas si
    dicen lo mismo.
    """
    if cuerpo.keys() <= _CANONICOS and None not in cuerpo.values():
        return cuerpo
    campos: dict[str, object] = {}
    for nombre, valor in cuerpo.items():
        canonico = nombre if nombre.isascii() else unicodedata.normalize("NFC", nombre)
        canonico = _ALIAS.get(canonico, canonico)
        if valor is None:
            continue
        if not _dicen_lo_mismo(campos.setdefault(canonico, valor), valor):
            recolector.anotar(
                canonico,
                Codigo.CAMPO_REPETIDO,
                "aparece con dos grafías y valores distintos",
                nombre=nombre_legible(canonico),
            )
    return campos


def _dicen_lo_mismo(uno: object, otro: object) -> bool:
    """El número `1` y el texto `"1"` no: un `NumeroJson` es igual al texto de su literal."""
    return type(uno) is type(otro) and uno == otro


def _texto(nombre: str, valor: object, recolector: Recolector) -> str | None:
    """Un campo estricto debe ser un texto; solo el importe puede venir también como número."""
    if isinstance(valor, str) and (nombre == "valor" or not isinstance(valor, NumeroJson)):
        return valor or None
    recolector.anotar(
        nombre, CodigoDePeticion.TIPO_INCORRECTO, _QUE_DEBEN_SER.get(nombre, "debe ser un texto")
    )
    return None


def _descartar(nombre: str, valor: object, recolector: Recolector) -> None:
    """Un metadato que no es un texto se descarta con aviso: nunca es motivo para rechazar el evento."""
    if _SUSTITUTO.search(json.dumps(valor, ensure_ascii=False)):
        recolector.anotar(nombre, Codigo.SUSTITUTO_SUELTO, "contiene un carácter sustituto suelto")
    recolector.avisar(_DESCRIPTIVOS[nombre])


def _propiedades(valor: object, recolector: Recolector) -> dict[str, str]:
    """Lleva cada propiedad a texto; números y booleanos quedan como su literal de JSON."""
    propiedades: dict[str, str] = {}
    if valor == "":
        return propiedades
    if not isinstance(valor, dict):
        recolector.anotar("propiedades", CodigoDePeticion.TIPO_INCORRECTO, "debe ser un objeto")
        return propiedades
    for clave, contenido in valor.items():
        if contenido is None:
            continue
        literal = _literal(contenido)
        if literal is None:
            anotar_propiedad(
                clave,
                CodigoDePeticion.TIPO_INCORRECTO,
                "debe ser un texto, un número o un booleano",
                recolector,
            )
        else:
            propiedades[clave] = literal
    return propiedades


def _acoger_desconocidos(
    desconocidos: Mapping[str, object], propiedades: dict[str, str], recolector: Recolector
) -> None:
    """Lleva los campos desconocidos a `propiedades`, cada uno con su aviso: un error de tecleo se nota.

    Allí se juzgan como las demás, pero sus faltas llevan el nombre que el cliente escribió.
    """
    for nombre, valor in desconocidos.items():
        legible = nombre_legible(nombre)
        literal = _literal(valor)
        if literal is None:
            recolector.anotar(
                nombre,
                CodigoDePeticion.CAMPO_DESCONOCIDO,
                "no es un campo conocido ni un texto, número o booleano",
                nombre=legible,
            )
        elif propiedades.setdefault(nombre, literal) != literal:
            recolector.anotar(
                nombre,
                Codigo.CAMPO_REPETIDO,
                "está también en propiedades con otro valor",
                nombre=legible,
            )
        else:
            recolector.nombrar(f"propiedades.{nombre}", legible)
            recolector.avisar(f"campo_desconocido:{legible}")


def _literal(valor: object) -> str | None:
    """Devuelve el texto de un escalar de JSON, o `None` si no lo es."""
    if isinstance(valor, str):
        return str(valor)
    if isinstance(valor, bool):
        return "true" if valor else "false"
    return None
