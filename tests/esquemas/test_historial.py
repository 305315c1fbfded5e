"""El historial de esquemas solo crece, y cada uno se entiende con el anterior y con el siguiente.

Lo escrito con cualquiera de ellos puede seguir en un tópico o en una copia: ninguno se cambia ni se quita.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from fastavro import schemaless_reader, schemaless_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import (
    ESQUEMAS,
    Definicion,
    ce_dataschema_de,
    leer_historial,
)
from tests.apoyo.estrategias import registros_avro
from tests.apoyo.repositorio import PAQUETE

ARCHIVO = PAQUETE / "modulos/tracking/infraestructura/schema/v1/historial.jsonl"
LINEAS = ARCHIVO.read_text(encoding="utf-8").splitlines()
HISTORIAL = leer_historial()

PUBLICADAS = (
    "9c37ac8321e6a9546793756e4c03b67c85eae2ff1f18219a8f3a8a80258df3f3",
    "7a5e920380beb4d074e7efc6e33227f6febe48c5c8564374cd6ab5cdb3cd147c",
    "d628fe2dafc155d160ae514b6efb31e1a7dec81838459fbfc671194fdf580460",
    "d44a89627d0a13cb8b20081311ee92bb4d3c5c09ebc7f985991fba3b33b9db3e",
)
"""El SHA-256 de cada línea que salió en una versión, en su orden; al publicar otra, se añaden las suyas."""

PARES = [
    pytest.param(antes, despues, id=clave)
    for suyos in HISTORIAL.values()
    # El primero, consigo mismo.
    for (_, antes), (clave, despues) in pairwise([*list(suyos.items())[:1], *suyos.items()])
]


def sin_explicaciones(esquema: Any) -> Any:
    if isinstance(esquema, list):
        return [sin_explicaciones(parte) for parte in esquema]
    if not isinstance(esquema, dict):
        return esquema
    return {nombre: sin_explicaciones(parte) for nombre, parte in esquema.items() if nombre != "doc"}


@pytest.mark.parametrize("topico", ESQUEMAS)
def test_lo_ultimo_del_historial_de_un_registro_es_su_esquema_de_hoy(topico: str) -> None:
    esquema = ESQUEMAS[topico]
    publicado = {"ce_dataschema": esquema.ce_dataschema, "esquema": sin_explicaciones(esquema.definicion)}
    ultimo = list(HISTORIAL.get(esquema.registro, {}).items())[-1:]
    if ultimo != [(publicado["ce_dataschema"], publicado["esquema"])]:
        linea = json.dumps(publicado, ensure_ascii=False, separators=(",", ":"))
        pytest.fail(
            f"{esquema.registro}.avsc ha cambiado. Añada esta línea al final de {ARCHIVO.name}, sin tocar "
            f"las demás; si no, lo que se escriba con él no se podrá leer cuando vuelva a cambiar:\n{linea}"
        )


def test_ninguna_linea_publicada_cambia() -> None:
    huellas = tuple(sha256(linea.encode()).hexdigest() for linea in LINEAS)
    assert huellas[: len(PUBLICADAS)] == PUBLICADAS


def test_cada_linea_lleva_el_ce_dataschema_de_los_mensajes_que_escribio_y_ninguno_se_repite() -> None:
    claves = [json.loads(linea)["ce_dataschema"] for linea in LINEAS]
    assert len(claves) == len(set(claves))
    for suyos in HISTORIAL.values():
        primero = next(iter(suyos.values()))
        assert list(suyos) == [ce_dataschema_de(definicion, primero) for definicion in suyos.values()]


@pytest.mark.parametrize("registro", HISTORIAL)
def test_el_primer_campo_de_un_registro_dice_siempre_cual_es(registro: str) -> None:
    for definicion in HISTORIAL[registro].values():
        assert definicion["fields"][0] == {"name": "tipo_mensaje", "type": "string", "default": registro}


@pytest.mark.parametrize(("antes", "despues"), PARES)
def test_un_esquema_conserva_los_campos_del_anterior_y_lo_nuevo_puede_faltar(
    antes: Definicion, despues: Definicion
) -> None:
    assert faltas(antes, despues) == []


@pytest.mark.parametrize(("antes", "despues"), PARES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(datos=st.data())
def test_lo_que_escribe_un_esquema_lo_lee_el_siguiente_y_al_reves(
    antes: Definicion, despues: Definicion, datos: st.DataObject
) -> None:
    comunes = {campo["name"] for campo in antes["fields"]}
    for escritor, lector in ((antes, despues), (despues, antes)):
        registro = datos.draw(registros_avro(escritor["fields"]))
        leido = leer(escribir(registro, escritor), escritor, lector)
        assert set(leido) == {campo["name"] for campo in lector["fields"]}
        assert solo(comunes, leido) == solo(comunes, registro)


BASE: Definicion = {
    "type": "record",
    "name": "Registro",
    "namespace": "pruebas",
    "fields": [{"name": "a", "type": ["null", "string"], "default": None}],
}


@pytest.mark.parametrize(
    ("campos", "falta"),
    [
        ([], "quita el campo a"),
        ([{"name": "a", "type": "string"}], "cambia el campo a"),
        ([{"name": "a", "type": ["null", "string"], "default": "x"}], "cambia el campo a"),
        ([*BASE["fields"], {"name": "b", "type": "string"}], "el campo b no puede faltar"),
        (
            [*BASE["fields"], {"name": "b", "type": ["null", "string"]}],
            "el campo b no puede faltar",
        ),
        (
            [*BASE["fields"], {"name": "b", "type": "long", "default": 0}],
            "el campo b no puede faltar",
        ),
    ],
)
def test_un_cambio_que_dejaria_algo_sin_leer_se_nombra(campos: list[Any], falta: str) -> None:
    assert faltas(BASE, {**BASE, "fields": campos}) == [falta]


def test_un_campo_nuevo_puede_ser_nulo_un_texto_un_mapa_o_una_lista_por_omision() -> None:
    nuevos = [
        {"name": "b", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}], "default": None},
        {"name": "c", "type": "string", "default": "X"},
        {"name": "d", "type": {"type": "map", "values": "string"}, "default": {}},
        {"name": "e", "type": {"type": "array", "items": "string"}, "default": []},
    ]
    assert faltas(BASE, {**BASE, "fields": [*BASE["fields"], *nuevos]}) == []


def faltas(antes: Definicion, despues: Definicion) -> list[str]:
    """Lo que impediría leer con uno lo escrito con el otro, en cualquiera de los dos sentidos."""
    suyos = {campo["name"]: campo for campo in antes["fields"]}
    hoy = {campo["name"]: campo for campo in despues["fields"]}
    return [
        *(f"quita el campo {nombre}" for nombre in suyos if nombre not in hoy),
        *(f"cambia el campo {nombre}" for nombre in suyos if nombre in hoy and hoy[nombre] != suyos[nombre]),
        *(
            f"el campo {nombre} no puede faltar"
            for nombre, campo in hoy.items()
            if nombre not in suyos and not puede_faltar(campo)
        ),
    ]


def puede_faltar(campo: Mapping[str, Any]) -> bool:
    """Si su valor por omisión vale tal cual está en el esquema; los de otros tipos hay que convertirlos."""
    match campo:
        case {"type": ["null", _], "default": None}:
            return True
        case {"type": "string", "default": str()}:
            return True
        case {"type": {"type": "map"}, "default": valor}:
            return bool(valor == {})
        case {"type": {"type": "array"}, "default": valor}:
            return bool(valor == [])
    return False


def escribir(registro: Mapping[str, Any], definicion: Definicion) -> bytes:
    salida = BytesIO()
    schemaless_writer(salida, definicion, registro)
    return salida.getvalue()


def leer(octetos: bytes, escritor: Definicion, lector: Definicion) -> dict[str, Any]:
    entrada = BytesIO(octetos)
    leido: Any = schemaless_reader(entrada, escritor, lector)
    assert entrada.tell() == len(octetos)
    return dict(leido)


def solo(nombres: set[str], registro: Mapping[str, Any]) -> dict[str, Any]:
    return {nombre: valor for nombre, valor in registro.items() if nombre in nombres}
