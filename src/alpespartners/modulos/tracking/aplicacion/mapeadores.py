"""Del JSON al DTO y del DTO al comando, diciendo todas las faltas a la vez.

Qué es: los pasos 2 y 3 del flujo. El primero resuelve la forma (nombres, tipos de JSON, campos de más, cómo
se escriben instante e importe); el segundo pasa por las reglas del dominio con que juzgará el consumidor.
Qué no es: lectura de octetos (`seedwork.json_estricto`) ni Avro (infraestructura).
Por qué existe: quien integra debe ver en una sola respuesta todo lo que tiene que corregir, y un error
de tecleo (`influencerid`) debe notarse sin costarle el evento.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.dto import EventoDTO
from alpespartners.modulos.tracking.aplicacion.invisibles import falta_de_invisible
from alpespartners.modulos.tracking.aplicacion.permisos import SIN_LIMITES, Permiso
from alpespartners.modulos.tracking.aplicacion.textos import (
    FORMA_DE_UN_INSTANTE,
    importe,
    instante_de_texto,
)
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Recolector
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc
from alpespartners.modulos.tracking.dominio.propiedades import (
    MAXIMO_PROPIEDADES,
    PREFIJO_DE_UN_NOMBRE,
    nombre_legible,
    reunir_propiedades,
)
from alpespartners.seedwork.json_estricto import NumeroJson, escribir_json

_DESCRIPTIVOS = {
    "user_agent": "user_agent_ilegible",
    "ip_address": "ip_ilegible",
    "referrer": "referrer_ilegible",
    "clic_id": "clic_id_ilegible",
}
RESERVADOS = ("recibido_en", "registrado_en", "ocurrido_en", "estado", "advertencias", "comando_id")
"""Los campos que pone el servidor, y no se pueden enviar."""
_TEXTOS = {
    clase: frozenset(campo.name for campo in fields(clase.dto)).difference(_DESCRIPTIVOS, {"propiedades"})
    for clase in CLASES
}
"""De cada clase, los campos estrictos: los que deben ser un texto."""
_CANONICOS = frozenset[str]().union(*_TEXTOS.values(), _DESCRIPTIVOS, {"propiedades"})
ALIAS = {"campana_id": "campaña_id"}
"""Las otras grafías de un nombre, en un cuerpo o en una consulta."""
_QUE_SE_LEEN: dict[str, Callable[[str, str, Mapping[str, Any]], object]] = {
    "timestamp": lambda campo, escrito, _: instante_de_texto(campo, escrito),
    "valor": lambda campo, escrito, campos: importe(campo, escrito, campos.get("moneda")),
}
"""De cada campo que no se queda en texto, cómo se lee; recibe también los demás campos."""
_QUE_DEBEN_SER = {
    "timestamp": f"debe ser un texto {FORMA_DE_UN_INSTANTE}",
    "valor": "debe ser un número o un texto numérico",
}
_OBLIGATORIO = "campaña_id"
_PARECIDO = 0.8
"""Cuánto se parece, de 0 a 1, un nombre mal escrito al que se le propone: `influencer`, 0,87."""
_CON_PARECIDO = 16
"""De cuántos campos desconocidos de un cuerpo se busca el parecido: cuesta, y uno hostil trae miles."""


def json_a_dto(
    clase: Clase, cuerpo: Mapping[str, object], recolector: Recolector, *, estricto: bool = False
) -> EventoDTO:
    """Da forma de DTO a un cuerpo; faltas y avisos quedan en el recolector."""
    return clase.dto(**_campos_del_cuerpo(cuerpo, _TEXTOS[clase], recolector, estricto=estricto))


def dto_a_comando(
    clase: Clase,
    dto: EventoDTO,
    recolector: Recolector,
    *,
    id_asignado: Callable[[], str],
    recibido_en: datetime,
    id_derivado: str | None = None,
    permiso: Permiso = SIN_LIMITES,
) -> Comando:
    """Convierte el DTO, al que da un `id` si no lo trae (el derivado, si hay), en un comando normalizado.

    Raises:
        DatosInvalidos: con todas las faltas, también las que el recolector ya traía; o, si no hay ninguna,
            porque no se permite enviar a esa campaña.
    """
    if dto.id is None:
        recolector.avisar("id_asignado" if id_derivado is None else "id_derivado")
        dto.id = id_derivado or id_asignado()
    if permiso.prefijo:
        # Con una falta ya no hay comando: el prefijo solo evita decirla otra vez de lo que resulte.
        dto.id = recolector.intentar(permiso.con_prefijo, dto.id) or permiso.prefijo
    contenido = clase.contenido.crear(dto, recibido_en, recolector)
    permiso.exigir(contenido.campaña_id)
    return clase.comando(**contenido.campos(), recibido_en=recibido_en, advertencias=tuple(recolector.avisos))


def comando_del_cuerpo(
    clase: Clase,
    cuerpo: Mapping[str, object],
    *,
    id_asignado: Callable[[], str],
    recibido_en: datetime,
    clave: str | None = None,
    id_derivado: str | None = None,
    estricto: bool = False,
    permiso: Permiso = SIN_LIMITES,
) -> Comando:
    """Recorre JSON → DTO → comando.

    `clave` es el `id` que se dijo fuera del cuerpo: si este trae otro, es una falta. `id_derivado`, el que
    vale si no se dijo ninguno: sale de lo enviado, y así repetirlo es seguro. Con `estricto` es una falta un
    campo desconocido, que si no deja una advertencia.

    Raises:
        DatosInvalidos: con todas las faltas del cuerpo.
    """
    recolector = Recolector()
    dto = json_a_dto(clase, cuerpo, recolector, estricto=estricto)
    if clave is not None:
        if dto.id is None:
            dto.id = clave
        elif dto.id != clave:
            recolector.anotar("id", Codigo.CAMPO_REPETIDO, "no es el que dice la cabecera Idempotency-Key")
    return dto_a_comando(
        clase,
        dto,
        recolector,
        id_asignado=id_asignado,
        recibido_en=recibido_en,
        id_derivado=id_derivado,
        permiso=permiso,
    )


def _campos_del_cuerpo(
    cuerpo: Mapping[str, object], textos: frozenset[str], recolector: Recolector, *, estricto: bool
) -> dict[str, Any]:
    """Reparte el cuerpo entre los campos del DTO; `null` vale ausencia y `""` también, salvo en el `id`."""
    campos: dict[str, Any] = {"propiedades": {}}
    propiedades: object = None
    desconocidos: dict[str, object] = {}
    for nombre, valor in _sin_alias(cuerpo, recolector).items():
        if nombre in textos:
            # Un texto sin más no necesita ni la llamada; un `NumeroJson` es de otra clase.
            llano = type(valor) is str and valor and valor.isascii()
            campos[nombre] = valor if llano else _texto(nombre, valor, recolector)
        elif nombre in _DESCRIPTIVOS:
            if type(valor) is str:
                campos[nombre] = valor
            else:
                recolector.avisar(_DESCRIPTIVOS[nombre])
        elif nombre == "propiedades":
            propiedades = valor
        elif nombre in RESERVADOS:
            recolector.anotar(
                nombre, CodigoDePeticion.CAMPO_RESERVADO, "lo pone el servidor; no se puede enviar"
            )
        else:
            desconocidos[nombre] = valor
    if desconocidos or propiedades is not None:
        presentes = [nombre for nombre, valor in campos.items() if valor]
        ausentes = textos.union(_DESCRIPTIVOS).difference(presentes)
        _decir_desconocidos(desconocidos, ausentes, recolector, estricto=estricto)
        pares = _pares(propiedades, desconocidos, recolector)
        campos["propiedades"] = reunir_propiedades(pares, recolector)
    for nombre, leer in _QUE_SE_LEEN.items():
        if campos.get(nombre) is not None:
            campos[nombre] = recolector.intentar(leer, nombre, campos[nombre], campos)
    return campos


def _sin_alias(cuerpo: Mapping[str, object], recolector: Recolector) -> Mapping[str, object]:
    """Reúne los campos por su nombre canónico, sin los que valen `null`.

    Dos grafías de un mismo campo (`campaña_id`, `campana_id`, o la ñ descompuesta) solo valen juntas si
    dicen lo mismo. Los desconocidos quedan con la suya.
    """
    if cuerpo.keys() <= _CANONICOS and None not in cuerpo.values():
        return cuerpo
    campos: dict[str, object] = {}
    for nombre, valor in cuerpo.items():
        if valor is None:
            continue
        canonico = en_nfc(nombre[:PREFIJO_DE_UN_NOMBRE])
        canonico = ALIAS.get(canonico, canonico)
        if canonico not in _CANONICOS:
            campos[nombre] = valor
        elif not _dicen_lo_mismo(campos.setdefault(canonico, valor), valor):
            recolector.anotar(canonico, Codigo.CAMPO_REPETIDO, "aparece con dos grafías y valores distintos")
    return campos


def _dicen_lo_mismo(uno: object, otro: object) -> bool:
    """El número `1` y el texto `"1"` no: un `NumeroJson` es igual al texto de su literal."""
    return type(uno) is type(otro) and uno == otro


def _texto(nombre: str, valor: object, recolector: Recolector) -> str | None:
    """Un campo estricto debe ser un texto que se vea; solo el importe puede venir también como número."""
    if isinstance(valor, str) and (nombre == "valor" or not isinstance(valor, NumeroJson)):
        if nombre not in _QUE_SE_LEEN:
            _exigir_visible(nombre, valor, recolector)
        return valor or None
    recolector.anotar(
        nombre, CodigoDePeticion.TIPO_INCORRECTO, _QUE_DEBEN_SER.get(nombre, "debe ser un texto")
    )
    return None


def _exigir_visible(nombre: str, texto: str, recolector: Recolector) -> None:
    """Anota lo que no se ve: un carácter invisible, y un `id` vacío."""
    if nombre == "id" and not texto:
        recolector.anotar(
            nombre, Codigo.REQUERIDO, "está vacío; si no lo hay, no lo envíe, y se asignará uno"
        )
    falta = falta_de_invisible(texto)
    if falta is not None:
        recolector.anotar(nombre, CodigoDePeticion.CARACTER_INVISIBLE, falta)


def _decir_desconocidos(
    desconocidos: Mapping[str, object], ausentes: frozenset[str], recolector: Recolector, *, estricto: bool
) -> None:
    """Dice cada campo desconocido, y a cuál de los ausentes se parece: un error de tecleo debe notarse."""
    for numero, nombre in enumerate(desconocidos):
        if recolector.sobran_avisos and not estricto:
            break
        legible = nombre_legible(nombre)
        parecido = _parecido(legible, ausentes) if numero < _CON_PARECIDO else None
        # Sin él no hay evento: quien lo escribió mal recibe un rechazo, que no lleva advertencias.
        if estricto or parecido == _OBLIGATORIO:
            recolector.anotar(
                nombre,
                CodigoDePeticion.CAMPO_DESCONOCIDO,
                f"no es un campo conocido; ¿quiso decir {parecido}?"
                if parecido
                else "no es un campo conocido",
                nombre=legible,
            )
        else:
            recolector.avisar(f"campo_desconocido:{legible}")
            if parecido is not None:
                recolector.avisar(f"quiso_decir:{parecido}")


@lru_cache(maxsize=1024)
def _parecido(nombre: str, campos: frozenset[str]) -> str | None:
    """El campo que más se parece a ese nombre, si alguno se parece lo bastante."""
    # En orden, para que de dos que se parezcan igual salga siempre el mismo.
    sin_ñ = {campo.replace("ñ", "n"): campo for campo in sorted(campos)}
    parecidos = get_close_matches(nombre.lower().replace("ñ", "n"), sin_ñ, n=1, cutoff=_PARECIDO)
    return sin_ñ[parecidos[0]] if parecidos else None


def _pares(
    propiedades: object, desconocidos: Mapping[str, object], recolector: Recolector
) -> Iterator[tuple[str, str]]:
    """Cada propiedad como un nombre y un texto; los campos desconocidos, detrás de las que caben con ellos.

    Uno puede ser el influencer mal escrito: no debe ser él lo que sobre.
    """
    ajenas = _aplanadas(desconocidos)
    primeras = list(islice(ajenas, MAXIMO_PROPIEDADES))
    propias: Iterator[tuple[str, str]] = iter(())
    if isinstance(propiedades, dict):
        propias = _aplanadas(propiedades)
    elif propiedades is not None and propiedades != "":
        recolector.avisar("propiedades_reparadas")
        propias = iter([("propiedades", como_texto(propiedades))])
    return chain(islice(propias, MAXIMO_PROPIEDADES - len(primeras)), primeras, propias, ajenas)


def _aplanadas(objeto: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Un nivel de anidamiento va al nombre (`utm.source`); lo que haya más adentro queda como su JSON."""
    for clave, contenido in objeto.items():
        if isinstance(contenido, dict) and contenido:
            for interna, suyo in contenido.items():
                if suyo is not None:
                    yield f"{clave[:PREFIJO_DE_UN_NOMBRE]}.{interna}", como_texto(suyo)
        elif contenido is not None:
            yield clave, como_texto(contenido)


def como_texto(valor: object) -> str:
    """Un valor de JSON como propiedad: un texto, tal cual; lo demás, su literal."""
    return str(valor) if isinstance(valor, str) else escribir_json(valor)
