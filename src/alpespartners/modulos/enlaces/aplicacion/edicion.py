"""Hacer un enlace y cambiarlo: de lo que se pide, escrito en JSON o en una terminal, al enlace.

Qué es: la forma de cada campo (tipos, nombres, cómo se escribe un instante), con todas las faltas a la vez.
Qué no es: la regla de cada dato (`dominio/enlace.py`) ni guardarlo.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from alpespartners.modulos.enlaces.aplicacion.comodines import exigir_dominios_de_alguien
from alpespartners.modulos.enlaces.aplicacion.faltas import exigir_pocos_campos, intentar
from alpespartners.modulos.enlaces.dominio.destino import destino_legible, exigir_sin_parametro
from alpespartners.modulos.enlaces.dominio.enlace import (
    PARAMETRO_CLIC,
    Enlace,
    dominios_legibles,
    enlace_legible,
    parametro_legible,
)
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.invisibles import falta_de_invisible
from alpespartners.modulos.tracking.aplicacion.mapeadores import ALIAS
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_texto
from alpespartners.modulos.tracking.dominio.excepciones import Codigo, Recolector
from alpespartners.modulos.tracking.dominio.normalizacion import en_nfc
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador, identificador_opcional

CAMBIAN: Final = ("destino", "cupon", "dominios_permitidos", "vence_en")
"""Los que se pueden cambiar; con otro de los demás sería otro enlace, y los clics de antes, de nadie."""
DEL_SERVIDOR: Final = ("creado_en", "enlace")
LONGITUD_ASIGNADA: Final = 8
"""Caracteres de un `enlace_id` asignado: con un millón de enlaces, uno de cada millón ya está: un 409."""

_CAMPOS: Final = tuple(campo.name for campo in fields(Enlace) if campo.name not in DEL_SERVIDOR)
_LETRAS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""Sin las que se confunden al leerlas en voz alta."""
_QUE_SE_MIRA: Final = 64
"""Caracteres de un nombre que no se conoce, para hallarle parecido."""
_DOMINIOS: Final = "dominios_permitidos"


def enlace_nuevo(cuerpo: Mapping[str, object], creado_en: datetime) -> Enlace:
    """El enlace que se pide; si no dice cómo se llama, se le asigna un nombre al azar.

    Raises:
        DatosInvalidos: con todas las faltas.
    """
    recolector = Recolector()
    datos = _datos(cuerpo, recolector)
    if not datos.get("enlace_id"):
        datos["enlace_id"] = enlace_id_al_azar()
    return _hecho(datos, creado_en, recolector)


def enlace_cambiado(enlace: Enlace, cambios: Mapping[str, object]) -> Enlace:
    """El enlace con esos cambios (RFC 7396: lo que falta sigue igual, y `null` lo quita).

    Raises:
        DatosInvalidos: con todas las faltas; también las de quien quiere cambiar lo que no cambia.
    """
    recolector = Recolector()
    datos = _datos(cambios, recolector)
    for nombre, valor in datos.items():
        if nombre not in CAMBIAN and valor != getattr(enlace, nombre):
            recolector.anotar(
                nombre,
                Codigo.VALOR_NO_PERMITIDO,
                f"no cambia: haga otro enlace. Lo que cambia: {', '.join(CAMBIAN)}",
            )
    actuales = {nombre: getattr(enlace, nombre) for nombre in _CAMPOS}
    return _hecho(
        actuales | {nombre: datos[nombre] for nombre in CAMBIAN if nombre in datos},
        enlace.creado_en,
        recolector,
    )


def enlace_id_al_azar() -> str:
    """Un nombre corto que se puede dictar."""
    return "".join(secrets.choice(_LETRAS) for _ in range(LONGITUD_ASIGNADA))


def _hecho(datos: Mapping[str, Any], creado_en: datetime, recolector: Recolector) -> Enlace:
    """El enlace de esos datos, ya con su tipo; `parametro_clic` vacío o ausente es `alp_clic`."""
    opcional = recolector.intentar
    destino = intentar(recolector, "destino", destino_legible, datos.get("destino") or "") or ""
    parametro = datos.get("parametro_clic") or PARAMETRO_CLIC
    parametro_clic = intentar(recolector, "parametro_clic", parametro_legible, parametro) or ""
    if parametro_clic:
        intentar(recolector, "destino", exigir_sin_parametro, destino, parametro_clic)
    dominios = intentar(recolector, _DOMINIOS, dominios_legibles, datos.get(_DOMINIOS) or ()) or ()
    intentar(recolector, _DOMINIOS, exigir_dominios_de_alguien, dominios)
    enlace = Enlace(
        enlace_id=intentar(recolector, "enlace_id", enlace_legible, datos["enlace_id"]) or "",
        campaña_id=opcional(identificador, "campaña_id", datos.get("campaña_id") or "") or "",
        influencer_id=opcional(identificador_opcional, "influencer_id", datos.get("influencer_id")),
        destino=destino,
        cupon=opcional(identificador_opcional, "cupon", datos.get("cupon")),
        parametro_clic=parametro_clic,
        dominios_permitidos=dominios,
        vence_en=datos.get("vence_en"),
        creado_en=creado_en,
    )
    recolector.exigir()
    return enlace


def _datos(cuerpo: Mapping[str, object], recolector: Recolector) -> dict[str, Any]:
    """Los campos del cuerpo por su nombre, cada uno con su tipo o sin estar; las faltas, en el recolector."""
    exigir_pocos_campos(cuerpo)
    datos: dict[str, Any] = {}
    escritos: dict[str, object] = {}
    for nombre, valor in cuerpo.items():
        canonico = en_nfc(nombre)
        canonico = ALIAS.get(canonico, canonico)
        if canonico in DEL_SERVIDOR:
            recolector.anotar(nombre, CodigoDePeticion.CAMPO_RESERVADO, "lo pone el servidor")
        elif canonico not in _CAMPOS:
            recolector.anotar(nombre, CodigoDePeticion.CAMPO_DESCONOCIDO, _desconocido(canonico))
        elif escritos.setdefault(canonico, valor) != valor:
            recolector.anotar(canonico, Codigo.CAMPO_REPETIDO, "aparece con dos grafías y valores distintos")
        else:
            datos[canonico] = _valor(canonico, valor, recolector)
    return datos


def _valor(nombre: str, valor: object, recolector: Recolector) -> object:
    if valor is None:
        return None
    if nombre == _DOMINIOS:
        return _dominios(valor, recolector)
    # Un número es también un texto, de otra clase.
    if type(valor) is not str:
        recolector.anotar(nombre, CodigoDePeticion.TIPO_INCORRECTO, "debe ser un texto")
        return None
    invisible = falta_de_invisible(valor)
    if invisible is not None:
        recolector.anotar(nombre, CodigoDePeticion.CARACTER_INVISIBLE, invisible)
        return None
    if nombre == "vence_en" and valor:
        return recolector.intentar(instante_de_texto, nombre, valor)
    return valor or None


def _dominios(valor: object, recolector: Recolector) -> Sequence[str]:
    if not isinstance(valor, list) or not all(type(dominio) is str for dominio in valor):
        recolector.anotar(_DOMINIOS, CodigoDePeticion.TIPO_INCORRECTO, "debe ser una lista de textos")
        return ()
    return valor


def _desconocido(nombre: str) -> str:
    parecidos = get_close_matches(nombre[:_QUE_SE_MIRA], _CAMPOS, 1)
    pregunta = "".join(f"; ¿quiso decir {parecido}?" for parecido in parecidos)
    return f"no es un campo de un enlace: {', '.join(_CAMPOS)}{pregunta}"
