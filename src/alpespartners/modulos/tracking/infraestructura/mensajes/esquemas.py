"""Los esquemas Avro del módulo: con cuál se escribe cada tópico y con cuáles pudo escribirse lo que guarda.

Qué es: los archivos que lleva el paquete, leídos una vez. `schema/v1/*.avsc` es con lo que se escribe hoy;
`schema/v1/historial.jsonl`, todo lo que se publicó alguna vez, un esquema por línea.
Qué no es: un registro de esquemas; donde el broker tiene uno, el productor declara ahí su definición.
Por qué existe: Avro no se puede leer sin el esquema de quien escribió. Lo escrito hoy tiene que poder leerse
siempre, así que ese esquema viaja con el código y no depende de lo que recuerde un broker. Véase
docs/decisiones/0025.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, NamedTuple

from fastavro import parse_schema
from fastavro.schema import fingerprint, to_parsing_canonical_form

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.infraestructura.mensajes.escritura_avro import escritor_de

Definicion = dict[str, Any]
"""Un esquema Avro de registro, como lo da su JSON."""

ESCALA: Final = 4
"""Decimales de `valor` en los mensajes: los de la moneda que más tiene."""

_ARCHIVOS: Final = files("alpespartners.modulos.tracking.infraestructura").joinpath("schema", "v1")


class Lectura(NamedTuple):
    """Cómo se lee lo que escribió un esquema: con él y, si no es el de hoy, llevándolo a este."""

    escritor: Any
    lector: Any


@dataclass(frozen=True, slots=True)
class Esquema:
    """El esquema de los mensajes de un tópico.

    Attributes:
        registro: el nombre del registro, sin el espacio de nombres.
        tipo: su nombre completo, el `ce_type` de sus mensajes.
        ce_dataschema: el de los mensajes que se escriben ahora.
        definicion: la que se declara en el registro de esquemas del broker.
        escribir: recibe todos los campos menos `tipo_mensaje`, que es siempre `registro`.
        lecturas: cómo leer un mensaje, por su `ce_dataschema`. Los decimales quedan en octetos: fastavro
            tarda minutos en convertir uno de un mebibyte, y quien lee debe poder mirar antes su longitud.
        decimales: los campos que lo son.
    """

    registro: str
    tipo: str
    ce_dataschema: str
    definicion: Definicion
    escribir: Callable[[Mapping[str, Any]], bytes]
    lecturas: Mapping[str, Lectura]
    decimales: Sequence[str]

    @property
    def sin_huella(self) -> str:
        """El `ce_dataschema` que no dice cuál de sus esquemas es; el primero se publicó así."""
        return f"urn:avro:{self.tipo}"


def huella_de_esquema(definicion: Definicion) -> str:
    """La huella Avro de un esquema: CRC-64-AVRO de su forma canónica, en 16 cifras hexadecimales."""
    return fingerprint(to_parsing_canonical_form(definicion), "CRC-64-AVRO")


def ce_dataschema_de(definicion: Definicion, primero: Definicion) -> str:
    """El `ce_dataschema` de los mensajes que escribe un esquema.

    El primero de cada registro se publicó sin huella y así sigue: `urn:avro:<espacio>.<registro>`. Los demás
    la llevan detrás de un `#`, que en un URN (RFC 8141) no cambia de qué recurso se habla.
    """
    huella = huella_de_esquema(definicion)
    return _urn(definicion) if huella == huella_de_esquema(primero) else f"{_urn(definicion)}#{huella}"


def preparar(definicion: Definicion, publicados: Mapping[str, Definicion]) -> Esquema:
    """Prepara la escritura y la lectura de un registro.

    Args:
        definicion: con la que se escribe, y a la que se lleva lo que se lee.
        publicados: con las que pudo escribirse lo que se lea, por su `ce_dataschema`; la primera, delante.
    """
    primero = next(iter(publicados.values()), definicion)
    canonica = to_parsing_canonical_form(definicion)
    lector = _para_leer(definicion)

    def lectura(escritor: Definicion) -> Lectura:
        if to_parsing_canonical_form(escritor) == canonica:
            return Lectura(lector, None)
        return Lectura(_para_leer(escritor), lector)

    urn = _urn(definicion)
    # También quien da la huella del primero dice la verdad.
    del_primero = {urn: primero, f"{urn}#{huella_de_esquema(primero)}": primero}
    actual = ce_dataschema_de(definicion, primero)
    escritores = {**del_primero, **publicados, actual: definicion}
    return Esquema(
        registro=definicion["name"],
        tipo=f"{definicion['namespace']}.{definicion['name']}",
        ce_dataschema=actual,
        definicion=definicion,
        escribir=escritor_de(definicion, {"tipo_mensaje": definicion["name"]}),
        lecturas={ce_dataschema: lectura(escritor) for ce_dataschema, escritor in escritores.items()},
        decimales=[campo["name"] for campo in definicion["fields"] if "decimal" in str(campo["type"])],
    )


def leer_historial() -> dict[str, dict[str, Definicion]]:
    """Los esquemas publicados de cada registro, por su `ce_dataschema` y en el orden en que se publicaron."""
    historial: dict[str, dict[str, Definicion]] = {}
    for linea in _ARCHIVOS.joinpath("historial.jsonl").read_text(encoding="utf-8").splitlines():
        publicado = json.loads(linea)
        esquema = publicado["esquema"]
        historial.setdefault(esquema["name"], {})[publicado["ce_dataschema"]] = esquema
    return historial


def _urn(definicion: Definicion) -> str:
    return f"urn:avro:{definicion['namespace']}.{definicion['name']}"


def _para_leer(definicion: Definicion) -> Any:
    return parse_schema(_con_decimales_en_octetos(definicion))


def _con_decimales_en_octetos(esquema: Any) -> Any:
    if isinstance(esquema, list):
        return [_con_decimales_en_octetos(parte) for parte in esquema]
    if not isinstance(esquema, dict):
        return esquema
    if esquema.get("logicalType") == "decimal":
        return esquema["type"]
    return {nombre: _con_decimales_en_octetos(parte) for nombre, parte in esquema.items()}


def _cargar() -> dict[str, Esquema]:
    historial = leer_historial()
    return {
        topico: preparar(
            json.loads(_ARCHIVOS.joinpath(f"{registro}.avsc").read_text(encoding="utf-8")),
            historial.get(registro, {}),
        )
        for clase in CLASES
        for topico, registro in (
            (clase.topico, f"Comando{clase.comando.__name__}"),
            (clase.topico_de_eventos, f"Evento{clase.evento.__name__}"),
        )
    }


ESQUEMAS: Final = _cargar()
"""El esquema de los mensajes de cada tópico, por su nombre corto."""
