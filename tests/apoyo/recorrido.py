"""El recorrido de un envío: de los octetos de su JSON a los octetos con que se lee lo registrado.

Las estrategias escriben el JSON de las maneras en que un cliente puede escribirlo y dicen, sin usar el
código del producto, qué tiene que salir.
"""

import ipaddress
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from alpespartners.api.http.respuestas import en_json
from alpespartners.api.tracking.conversiones import CONVERSIONES
from alpespartners.api.tracking.impresiones import IMPRESIONES
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.comandos import (
    RegistrarConversion,
    RegistrarImpresion,
)
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.invisibles import posicion_de_invisible
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_del_cuerpo
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido, DestinoDeComando
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta, Transaccion
from alpespartners.modulos.tracking.dominio.destinos import Registrada
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import abrir_comando, sobre_de_comando
from alpespartners.seedwork.json_estricto import leer_json
from tests.apoyo.estrategias import MICROSEGUNDO, comandos_de_conversion, comandos_de_impresion
from tests.apoyo.eventos import AHORA

COMANDO_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
ID_ASIGNADO = "01890a5d-ac96-774b-bcce-b302099a8058"
REGISTRADO_EN = AHORA + timedelta(seconds=1, microseconds=1)

_DESCONOCIDOS = {"influencerid": '"inf-1"', "precio": "1.50", "vip": "true", "año": "2024"}
_GRAFIAS_DE_CAMPAÑA = ("campaña_id", "campana_id", "campan\u0303a_id")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ZONAS = [timezone(timedelta(minutes=minutos)) for minutos in (0, -300, 330, 840, -720)]


@dataclass(frozen=True)
class Envio:
    """Los octetos de un envío y los campos que debe tener lo registrado.

    Los números de `esperado` van como su literal; lo demás, como sale de leer el JSON.
    """

    octetos: bytes
    recibido_en: datetime
    esperado: dict[str, Any]


def _nfc(texto: str | None) -> str | None:
    return unicodedata.normalize("NFC", texto) if texto else None


def _rfc_3339(instante: datetime) -> str:
    return instante.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _direccion(texto: str | None) -> str | None:
    if texto is None:
        return None
    direccion = ipaddress.ip_address(texto)
    return str(getattr(direccion, "ipv4_mapped", None) or direccion)


def _se_ve(comando: RegistrarImpresion | RegistrarConversion) -> bool:
    """Con algo invisible en un identificador, un envío no se acepta; un comando, sí."""
    campos = (comando.id, comando.campaña_id, comando.influencer_id, comando.usuario_id)
    propio = getattr(comando, "cupon", None)
    return all(posicion_de_invisible(texto or "") is None for texto in (*campos, propio))


def _envio(
    sortear: st.DrawFn,
    comando: RegistrarImpresion | RegistrarConversion,
    propios: dict[str, str],
    esperado_de_los_propios: dict[str, Any],
) -> Envio:
    """Añade a los campos propios, ya como literales JSON, los comunes, y los escribe en cualquier orden."""
    recibido_en = AHORA + sortear(st.integers(0, 10**6)) * MICROSEGUNDO
    ascii_solo = sortear(st.booleans())

    def texto(valor: object) -> str:
        return json.dumps(valor, ensure_ascii=ascii_solo)

    con_id = sortear(st.booleans())
    con_referrer = comando.referrer is None or comando.referrer.startswith("https://")
    zona = sortear(st.sampled_from(_ZONAS))
    propiedades = dict(comando.propiedades)
    desconocidos = sortear(st.sets(st.sampled_from(sorted(_DESCONOCIDOS)))) - propiedades.keys()
    literales = {
        **propios,
        "id": texto(comando.id) if con_id else "null",
        sortear(st.sampled_from(_GRAFIAS_DE_CAMPAÑA)): texto(comando.campaña_id),
        "influencer_id": texto(comando.influencer_id),
        "usuario_id": texto(comando.usuario_id),
        "clic_id": texto(comando.clic_id),
        "user_agent": texto(comando.user_agent),
        "ip_address": texto(comando.ip_address),
        "referrer": texto(comando.referrer),
        "timestamp": texto(comando.timestamp and comando.timestamp.astimezone(zona).isoformat()),
        "propiedades": texto(propiedades),
        **{nombre: _DESCONOCIDOS[nombre] for nombre in desconocidos},
    }
    pares = sortear(st.permutations(list(literales.items())))
    octetos = "{" + ", ".join(f"{texto(nombre)}: {literal}" for nombre, literal in pares) + "}"

    propuestos = {} if comando.influencer_id else {"influencerid": ["quiso_decir:influencer_id"]}
    agente = _CONTROL.sub("\ufffd", _nfc(comando.user_agent) or "") or None
    adelantado = comando.timestamp is not None and comando.timestamp > recibido_en
    esperado = {
        **esperado_de_los_propios,
        "id": _nfc(comando.id) if con_id else ID_ASIGNADO,
        "campaña_id": _nfc(comando.campaña_id),
        "influencer_id": _nfc(comando.influencer_id),
        "usuario_id": _nfc(comando.usuario_id),
        "clic_id": _nfc(comando.clic_id),
        "user_agent": agente,
        "ip_address": _direccion(comando.ip_address),
        "referrer": _nfc(comando.referrer) if con_referrer else None,
        "timestamp": comando.timestamp and _rfc_3339(comando.timestamp),
        "propiedades": {clave: _nfc(valor) or "" for clave, valor in propiedades.items()}
        | {nombre: _DESCONOCIDOS[nombre].strip('"') for nombre in desconocidos},
        "ocurrido_en": _rfc_3339(recibido_en if adelantado else comando.timestamp or recibido_en),
        "recibido_en": _rfc_3339(recibido_en),
        "registrado_en": _rfc_3339(REGISTRADO_EN),
        "comando_id": COMANDO_ID,
        "lectura": None,
        "advertencias": [
            aviso
            for nombre, _ in pares
            if nombre in desconocidos
            for aviso in [f"campo_desconocido:{nombre}", *propuestos.get(nombre, [])]
        ]
        + ["id_asignado"] * (not con_id)
        + ["user_agent_reparado"] * (agente != _nfc(comando.user_agent))
        + ["referrer_ilegible"] * (not con_referrer)
        + ["reloj_adelantado"] * adelantado,
    }
    return Envio(octetos.encode(), recibido_en, esperado)


@st.composite
def envios_de_impresion(sortear: st.DrawFn) -> Envio:
    """Un cuerpo que acaba en una impresión."""
    comando = sortear(comandos_de_impresion().filter(_se_ve))
    propios = {"tipo_evento": json.dumps(sortear(_con_otras_mayusculas(comando.tipo_evento)))}
    if comando.tipo_evento == "IMPRESION" and sortear(st.booleans()):
        del propios["tipo_evento"]
    return _envio(sortear, comando, propios, {"tipo_evento": comando.tipo_evento})


@st.composite
def envios_de_conversion(sortear: st.DrawFn) -> Envio:
    """Un cuerpo que acaba en una conversión."""
    comando = sortear(comandos_de_conversion().filter(_se_ve))
    propios = {
        "tipo_conversion": json.dumps(sortear(_con_otras_mayusculas(comando.tipo_conversion))),
        "moneda": json.dumps(comando.moneda and sortear(_con_otras_mayusculas(comando.moneda))),
        "valor": "null" if comando.valor is None else sortear(_literales_de_importe(comando.valor)),
        "cupon": json.dumps(comando.cupon),
    }
    esperado = {
        "tipo_conversion": comando.tipo_conversion,
        "moneda": comando.moneda,
        "valor": None,
        "cupon": _nfc(comando.cupon),
    }
    if comando.valor is not None and comando.moneda is not None:
        esperado["valor"] = f"{comando.valor:.{DECIMALES[comando.moneda]}f}"
    return _envio(sortear, comando, propios, esperado)


def _con_otras_mayusculas(texto: str) -> st.SearchStrategy[str]:
    return st.sampled_from([texto, texto.lower(), texto.capitalize()])


def _literales_de_importe(valor: Decimal) -> st.SearchStrategy[str]:
    """El mismo importe como número, con ceros de más, con exponente o como texto."""
    exacto = f"{valor:f}"
    # Con tres cifras tras el punto se leería de dos maneras.
    con_ceros = f"{exacto}000" if "." in exacto else f"{exacto}.0000"
    return st.sampled_from([exacto, con_ceros, f"{valor:E}", f'"{exacto}"', f'"{con_ceros}"'])


def _comando_del_json(envio: Envio, clase: Clase) -> ComandoRecibido:
    """Los pasos 1 a 5: octetos → JSON → DTO → comando → Avro → comando."""
    cuerpo = leer_json(envio.octetos)
    assert isinstance(cuerpo, dict)
    comando = comando_del_cuerpo(
        clase, cuerpo, id_asignado=lambda: ID_ASIGNADO, recibido_en=envio.recibido_en
    )
    sobre = sobre_de_comando(comando, COMANDO_ID, None)
    recibido = abrir_comando(
        sobre.topico,
        carga=sobre.carga,
        propiedades=sobre.propiedades,
        clave=sobre.clave,
        publicado_en=REGISTRADO_EN,
        posicion="1:2:-1:0",
        epoca=UUID(int=1),
    )
    assert isinstance(recibido, ComandoRecibido)
    return recibido


def asentar_impresion(envio: Envio, transaccion: Transaccion) -> None:
    """Lleva el envío hasta el libro de impresiones."""
    recibido = _comando_del_json(envio, clases.IMPRESIONES)
    _exigir_registrada(
        ManejadorDeRegistro(clases.IMPRESIONES).manejar([recibido], transaccion, REGISTRADO_EN).destinos
    )


def asentar_conversion(envio: Envio, transaccion: Transaccion) -> None:
    """Lleva el envío hasta el libro de conversiones."""
    recibido = _comando_del_json(envio, clases.CONVERSIONES)
    _exigir_registrada(
        ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido], transaccion, REGISTRADO_EN).destinos
    )


def _exigir_registrada(destinos: list[DestinoDeComando]) -> None:
    assert [destino.destino for destino in destinos] == [Registrada()]


def impresion_leida(consulta: Consulta, id_evento: str) -> dict[str, Any]:
    """La impresión como la lee un cliente; los números, por su literal."""
    return _leido(
        en_json(IMPRESIONES.recurso(consulta.eventos(clases.IMPRESIONES).obtener([id_evento])[id_evento]))
    )


def conversion_leida(consulta: Consulta, id_evento: str) -> dict[str, Any]:
    """La conversión como la lee un cliente; los números, por su literal."""
    return _leido(
        en_json(CONVERSIONES.recurso(consulta.eventos(clases.CONVERSIONES).obtener([id_evento])[id_evento]))
    )


def _leido(octetos: bytes) -> dict[str, Any]:
    leido: dict[str, Any] = json.loads(octetos, parse_float=str, parse_int=str)
    return leido
