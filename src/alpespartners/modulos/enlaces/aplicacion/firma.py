"""Firmar otro destino para un enlace: lo que se pide, leído y juzgado antes de firmar nada.

Por qué existe: una firma de un destino al que la redirección no iría es un enlace roto en manos de un
influencer.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from alpespartners.modulos.enlaces.aplicacion.faltas import exigir_pocos_campos, intentar
from alpespartners.modulos.enlaces.dominio.destino import destino_legible, exigir_sin_parametro
from alpespartners.modulos.enlaces.dominio.enlace import Enlace
from alpespartners.modulos.enlaces.dominio.faltas import CodigoDeEnlace, NoVale
from alpespartners.modulos.tracking.aplicacion.codigos import CodigoDePeticion
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_texto
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Codigo, Recolector

CAMPOS = ("destino", "vence_en")


class PorFirmar(NamedTuple):
    """Un destino al que el enlace puede llevar, y hasta cuándo; sin instante, siempre."""

    destino: str
    vence_en: datetime | None


def por_firmar(enlace: Enlace, cuerpo: Mapping[str, object], ahora: datetime) -> PorFirmar:
    """Lo que se pide firmar; el instante, en segundos enteros.

    Raises:
        DatosInvalidos: con todas las faltas; también que el enlace no permite ir ahí, o que el plazo pasó.
    """
    exigir_pocos_campos(cuerpo)
    recolector = Recolector()
    for nombre in cuerpo:
        if nombre not in CAMPOS:
            recolector.anotar(
                nombre, CodigoDePeticion.CAMPO_DESCONOCIDO, f"no es un campo: {', '.join(CAMPOS)}"
            )
    texto = recolector.intentar(_texto, "destino", cuerpo.get("destino"))
    destino = None if texto is None else intentar(recolector, "destino", _permitido, enlace, texto)
    vence_en = recolector.intentar(_vence_en, cuerpo.get("vence_en"), ahora)
    recolector.exigir()
    return PorFirmar(destino or "", vence_en)


def _permitido(enlace: Enlace, escrito: str) -> str:
    destino = exigir_sin_parametro(destino_legible(escrito), enlace.parametro_clic)
    if not enlace.permite(destino):
        raise NoVale(
            CodigoDeEnlace.VALOR_NO_PERMITIDO, "su anfitrión no está entre los dominios_permitidos del enlace"
        )
    return destino


def _vence_en(escrito: object, ahora: datetime) -> datetime | None:
    texto = _texto("vence_en", escrito)
    if not texto:
        return None
    vence_en = instante_de_texto("vence_en", texto).replace(microsecond=0)
    if vence_en <= ahora:
        raise CampoInvalido("vence_en", Codigo.VALOR_NO_PERMITIDO, "ya pasó: una firma así no valdría nunca")
    return vence_en


def _texto(nombre: str, escrito: object) -> str:
    if escrito is None:
        return ""
    # Un número es también un texto, de otra clase.
    if type(escrito) is not str:
        raise CampoInvalido(nombre, CodigoDePeticion.TIPO_INCORRECTO, "debe ser un texto")
    return escrito
