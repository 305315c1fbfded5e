"""El informe en CSV y en NDJSON: las mismas cifras que en JSON, una línea por fila."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alpespartners.modulos.informes.aplicacion.pedido import DE_CAMPAÑA, DE_INFLUENCER, Sujeto
from alpespartners.modulos.informes.aplicacion.puertos import Dimension
from alpespartners.modulos.informes.dominio.bots import Bots
from alpespartners.modulos.informes.dominio.comparaciones import Comparacion
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.dominio.objetos_valor import TipoConversion
from alpespartners.seedwork.csv_protegido import sin_proteger
from tests.apoyo.eventos import conversion, impresion
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.procedencias import (
    LECTURAS_DE_PROCEDENCIAS,
    LECTURAS_QUE_SE_CUENTAN,
    lectura_contable,
    que_se_admiten,
)

INFORME = "/tracking/campanas/cmp-456/informe"
DE_UN_INFLUENCER = "/tracking/influencers/%2B57/informe"
PERIODO = {"desde": "2024-01-08", "hasta": "2024-01-11"}
PRIMERO = datetime(2024, 1, 4, 12, tzinfo=UTC)

VENTAS = st.builds(
    conversion,
    tipo_conversion=st.sampled_from(["VENTA", "REGISTRO"]),
    valor=st.integers(0, 10**12).map(lambda centimos: Decimal(centimos).scaleb(-2)),
    moneda=st.sampled_from(["COP", "USD", "EUR"]),
    cupon=st.sampled_from([None, "=1+1", "-5", "'", "ñ,"]),
    usuario_id=st.sampled_from([None, "a", "b"]),
    influencer_id=st.sampled_from([None, "+57", "inf;1"]),
    timestamp=st.integers(0, 7).map(lambda dias: PRIMERO + timedelta(days=dias)),
)
CLICS = st.builds(
    impresion,
    tipo_evento=st.sampled_from(["CLIC", "IMPRESION"]),
    influencer_id=st.sampled_from([None, "+57"]),
    timestamp=st.integers(0, 7).map(lambda dias: PRIMERO + timedelta(days=dias)),
)
LEIDOS = st.builds(
    lambda evento, lectura: replace(evento, lectura=lectura),
    VENTAS | CLICS,
    st.sampled_from([None, *LECTURAS_DE_PROCEDENCIAS]),
) | st.builds(
    lambda evento, cual: replace(evento, lectura=lectura_contable(evento.contenido, cual)),
    VENTAS | CLICS,
    st.integers(0, len(LECTURAS_QUE_SE_CUENTAN) - 1),
)


def tabla(respuesta: httpx2.Response) -> tuple[list[str], list[dict[str, str]]]:
    """Los nombres de las columnas, y cada fila por ellos."""
    assert respuesta.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    lector = csv.reader(io.StringIO(respuesta.content.decode(), newline=""), strict=True)
    nombres = next(lector)
    assert len(set(nombres)) == len(nombres)
    return nombres, [dict(zip(nombres, map(sin_proteger, fila), strict=True)) for fila in lector]


def plana(parte: Mapping[str, Any], prefijo: str = "") -> dict[str, Any]:
    """Los nombres y las cifras que el JSON tiene, sin el numerador ni el denominador de las razones."""
    todo: dict[str, Any] = {}
    for nombre, valor in parte.items():
        if isinstance(valor, dict) and "denominador" in valor:
            todo[prefijo + nombre] = valor["valor"]
        elif isinstance(valor, dict):
            propio = nombre if nombre in {"diferencia", "variacion"} else prefijo + nombre
            todo |= plana(valor, f"{propio}.")
        else:
            todo[prefijo + nombre] = valor
    return todo


def pedidos(direccion: str, sujeto: Sujeto) -> st.SearchStrategy[tuple[str, list[Dimension]]]:
    """De quién, y por qué se separan sus filas."""
    dimensiones = st.lists(st.sampled_from(sujeto.dimensiones), unique=True, max_size=3).map(que_se_admiten)
    return st.tuples(st.just(direccion), dimensiones)


@settings(max_examples=60)
@given(
    st.lists(LEIDOS, max_size=12),
    pedidos(INFORME, DE_CAMPAÑA) | pedidos(DE_UN_INFLUENCER, DE_INFLUENCER),
    st.sampled_from([None, *Comparacion]),
    st.sampled_from(Bots),
)
@example([], (INFORME, []), None, Bots.INCLUIR)
@example([], (INFORME, [Dimension.CUPON]), Comparacion.PERIODO_ANTERIOR, Bots.EXCLUIR)
async def test_el_csv_y_el_ndjson_dicen_las_cifras_del_json(
    eventos: list[Any], pedido: tuple[str, list[Dimension]], comparar: Comparacion | None, bots: Bots
) -> None:
    direccion, por = pedido
    puertos = PuertosEnMemoria()
    for numero, evento in enumerate(eventos):
        clase = clases.CONVERSIONES if hasattr(evento.contenido, "moneda") else clases.IMPRESIONES
        puertos.registrado.libros[clase].eventos[f"{numero}"] = evento
    parametros = {**PERIODO, "bots": bots.value, **({"por": ",".join(por)} if por else {})}
    if comparar is not None:
        parametros["comparar"] = comparar
    if direccion == INFORME and not por and bots is Bots.INCLUIR:
        parametros["incluir"] = "usuarios_unicos"
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        en_json = await cliente.get(direccion, params=parametros)
        en_csv = await cliente.get(direccion, params={**parametros, "formato": "csv"})
        de_una_en_una = {"Accept": "application/x-ndjson"}
        en_ndjson = await cliente.get(direccion, params=parametros, headers=de_una_en_una)
    informe = en_json.json()
    assert [msgspec.json.decode(linea) for linea in en_ndjson.content.splitlines()] == informe["filas"]
    nombres, filas = tabla(en_csv)
    assert len(filas) == len(informe["filas"])
    for fila, esperada in zip(filas, map(plana, informe["filas"]), strict=True):
        assert esperada.keys() <= fila.keys()
        for nombre, celda in fila.items():
            valor = esperada.get(nombre)
            escrito = "" if valor is None else str(valor)
            assert celda == (escrito.lower() if isinstance(valor, bool) else escrito), nombre
    for moneda, importe in informe["total"]["valor"].items():
        assert sum(Decimal(fila[f"valor.{moneda}"] or 0) for fila in filas) == Decimal(importe)
    assert [nombre for nombre in nombres if nombre in {*Dimension}] == [d for d in Dimension if d in por]


async def test_sus_columnas_van_en_el_orden_del_json_y_sin_el_total(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.registrado.libros[clases.CONVERSIONES].eventos["v"] = conversion(
        timestamp=datetime(2024, 1, 9, tzinfo=UTC)
    )
    puertos.registrado.libros[clases.CONVERSIONES].eventos["d"] = conversion(
        timestamp=datetime(2024, 1, 6, tzinfo=UTC), moneda="USD", valor=Decimal("0.10")
    )
    parametros = {**PERIODO, "formato": "csv", "por": "tipo", "comparar": "periodo_anterior"}
    respuesta = await cliente.get(INFORME, params=parametros)
    nombres, filas = tabla(respuesta)
    de_tipo = [f"conversiones.{tipo}" for tipo in TipoConversion]
    recuento = ["impresiones", "clics", "visualizaciones", *de_tipo, "valor.COP", "valor.USD"]
    medido = [
        *recuento,
        *(f"clics_por_clase.{clase}" for clase in ("UNICO", "REPETIDO", "INVALIDO", "BOT", "SIN_LEER")),
        *(f"bots.{nombre}" for nombre in recuento),
        *("ctr", "tasa_conversion"),
    ]
    medido += [
        f"{razon}.{moneda}" for razon in ("ticket_medio", "valor_por_clic") for moneda in ("COP", "USD")
    ]
    abarcado = ["desde", "hasta", "incompleto"]
    assert nombres == [
        *abarcado,
        "tipo",
        *medido,
        *(f"comparacion.{nombre}" for nombre in (*abarcado, *medido)),
        *(f"diferencia.{nombre}" for nombre in recuento),
        *(f"variacion.{nombre}" for nombre in recuento),
    ]
    assert len(filas) == 3
    # Una diferencia negativa es un número, y no un texto protegido de una fórmula.
    assert filas[1]["diferencia.valor.USD"] == "-0.10"
    assert ",-0.10," in respuesta.text
    assert [fila["valor.COP"] for fila in filas] == ["", "150000.00", ""]


async def test_sin_filas_va_solo_la_linea_de_los_nombres(cliente: httpx2.AsyncClient) -> None:
    parametros = {**PERIODO, "por": "influencer_id", "formato": "csv"}
    nombres, filas = tabla(await cliente.get(INFORME, params=parametros))
    assert nombres[:5] == ["desde", "hasta", "incompleto", "influencer_id", "impresiones"]
    assert filas == []
    assert (await cliente.get(INFORME, params={**parametros, "formato": "ndjson"})).content == b""


async def test_el_archivo_dice_la_campaña_y_los_dias_y_head_dice_lo_mismo(
    cliente: httpx2.AsyncClient,
) -> None:
    parametros = {**PERIODO, "zona": "America/Bogota", "formato": "csv"}
    respuesta = await cliente.get(INFORME, params=parametros)
    nombre = "informe_cmp-456_2024-01-08_2024-01-11.csv"
    assert f'filename="{nombre}"' in respuesta.headers["Content-Disposition"]
    assert respuesta.headers["Vary"] == "Accept" == (await cliente.get(INFORME)).headers["Vary"]
    assert (await cliente.head(INFORME, params=parametros)).headers == respuesta.headers


@pytest.mark.parametrize("formato", ["csv", "xml"])
async def test_lo_que_no_se_puede_responder_es_un_problema_en_cualquier_formato(
    cliente: httpx2.AsyncClient, formato: str
) -> None:
    respuesta = await cliente.get(INFORME, params={"formato": formato, "zona": "Bogota"})
    assert (respuesta.status_code, respuesta.headers["Content-Type"]) == (422, "application/problem+json")
    campos = {falta["campo"] for falta in respuesta.json()["errores"]}
    assert campos == {"zona"} | ({"formato"} if formato == "xml" else set())
