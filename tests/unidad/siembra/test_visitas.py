"""Qué se siembra: siempre lo mismo con la misma semilla, y parecido a lo de verdad."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv6Address
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.mapeadores import comando_del_cuerpo
from alpespartners.modulos.tracking.dominio.excepciones import DatosInvalidos
from alpespartners.modulos.tracking.infraestructura.procedencia.pais import PaisesDeLosRegistros
from alpespartners.siembra.audiencias import CAMPAÑAS, PREFIJO
from alpespartners.siembra.envio import Siembra
from alpespartners.siembra.visitas import Papel, Sembrado, envios_de
from tests.apoyo.memoria import ids_consecutivos

PAISES = {
    "America/Bogota": "CO",
    "America/Mexico_City": "MX",
    "Europe/Madrid": "ES",
    "America/New_York": "US",
    "America/Los_Angeles": "US",
}
HASTA = datetime(2026, 11, 30, tzinfo=UTC)
DECIDEN = (
    "campaña_id",
    "influencer_id",
    "usuario_id",
    "tipo_evento",
    "tipo_conversion",
    "valor",
    "moneda",
    "cupon",
)


def siembra(**otros: Any) -> Siembra:
    pedido: dict[str, Any] = {"semilla": 1, "eventos": 20_000, "dias": 30, "hasta": HASTA} | otros
    return Siembra(**pedido)


@pytest.fixture(scope="module")
def todos() -> list[Sembrado]:
    return list(siembra().envios())


def de(papel: Papel, envios: Iterable[Sembrado]) -> list[dict[str, Any]]:
    return [envio.cuerpo for envio in envios if envio.papel is papel]


def es_valido(cuerpo: dict[str, Any]) -> bool:
    clase = next(una for una in CLASES if una.nombre == cuerpo["clase"])
    campos = {nombre: valor for nombre, valor in cuerpo.items() if nombre != "clase"}
    try:
        comando = comando_del_cuerpo(clase, campos, id_asignado=ids_consecutivos(), recibido_en=HASTA)
    except DatosInvalidos:
        return False
    assert comando.advertencias == ()
    return True


def test_la_misma_semilla_da_los_mismos_envios_y_otra_da_otros(todos: list[Sembrado]) -> None:
    assert list(siembra().envios()) == todos
    otros = list(siembra(semilla=2).envios())
    assert {envio.cuerpo["id"] for envio in todos}.isdisjoint(envio.cuerpo["id"] for envio in otros)
    iguales = [
        uno.cuerpo | {"id": ""} == otro.cuerpo | {"id": ""} for uno, otro in zip(todos, otros, strict=True)
    ]
    assert sum(iguales) < 10


@given(horas=st.integers(1, 72), dias=st.integers(2, 10), eventos=st.integers(100, 500))
def test_lo_que_pasa_en_una_hora_no_depende_de_con_cuales_se_siembre(
    horas: int, dias: int, eventos: int
) -> None:
    def por_id(hasta: datetime) -> dict[tuple[str, Papel], dict[str, Any]]:
        envios = siembra(dias=dias, eventos=eventos, hasta=hasta).envios()
        return {(envio.cuerpo["id"], envio.papel): envio.cuerpo for envio in envios}

    una, otra = por_id(HASTA), por_id(HASTA + timedelta(hours=horas))
    comunes = una.keys() & otra.keys()
    assert comunes or horas >= dias * 24 - 1
    assert all(una[comun] == otra[comun] for comun in comunes)


def test_los_primeros_de_una_hora_son_los_mismos_se_tomen_los_que_se_tomen() -> None:
    pocos, muchos = (list(islice(envios_de(7, HASTA), cuantos)) for cuantos in (50, 500))
    assert muchos[:50] == pocos


def test_lo_nuevo_vale_y_lo_que_tiene_faltas_no(todos: list[Sembrado]) -> None:
    assert all(es_valido(cuerpo) for cuerpo in de(Papel.NUEVO, todos))
    con_faltas = de(Papel.CON_FALTAS, todos)
    assert con_faltas
    assert not any(es_valido(cuerpo) for cuerpo in con_faltas)


def test_lo_repetido_dice_lo_mismo_que_lo_que_ya_se_envio_y_lo_que_choca_otro_importe(
    todos: list[Sembrado],
) -> None:
    nuevos = {cuerpo["id"]: cuerpo for cuerpo in de(Papel.NUEVO, todos)}
    repetidos, en_conflicto = de(Papel.REPETIDO, todos), de(Papel.EN_CONFLICTO, todos)
    assert repetidos
    assert en_conflicto
    for cuerpo in repetidos:
        primero = nuevos[cuerpo["id"]]
        assert all(cuerpo.get(campo) == primero.get(campo) for campo in DECIDEN)
    for cuerpo in en_conflicto:
        assert Decimal(cuerpo["valor"]) == 2 * Decimal(nuevos[cuerpo["id"]]["valor"])
    assert len(nuevos) == len(de(Papel.NUEVO, todos))


def test_todo_identificador_se_distingue_de_uno_de_verdad(todos: list[Sembrado]) -> None:
    for cuerpo in de(Papel.NUEVO, todos):
        suyos = (cuerpo["id"], cuerpo["campaña_id"], cuerpo["influencer_id"], cuerpo["usuario_id"])
        assert all(uno is None or uno.startswith(PREFIJO) for uno in suyos)


def test_nada_ocurre_fuera_de_plazo_y_algo_llega_tarde(todos: list[Sembrado]) -> None:
    momentos = [datetime.fromisoformat(cuerpo["timestamp"]) for cuerpo in de(Papel.NUEVO, todos)]
    assert max(momentos) < HASTA
    assert min(momentos) >= HASTA - timedelta(days=30, hours=48)
    tardios = [
        momento for momento, siguiente in pairwise(momentos) if siguiente - momento > timedelta(hours=2)
    ]
    assert tardios


def test_cada_influencer_tiene_otra_audiencia(todos: list[Sembrado]) -> None:
    nuevos = de(Papel.NUEVO, todos)

    def por_impresion(que: str) -> dict[str, float]:
        tipos = Counter((c["influencer_id"], c.get("tipo_evento", "CONVERSION")) for c in nuevos)
        return {quien: tipos[quien, que] / tipos[quien, "IMPRESION"] for quien, tipo in tipos if tipo == que}

    clics, compras = por_impresion("CLIC"), por_impresion("CONVERSION")
    assert clics["demo-colibrí-digital"] > 1.5 * clics["demo-la-trucha-viajera"]
    # Quien más clics trae no es quien más vende.
    assert compras["demo-fogón-de-leña"] > 2 * compras["demo-colibrí-digital"]


def test_cada_audiencia_llega_casi_toda_desde_su_pais_y_de_direcciones_que_no_son_de_ninguna_maquina(
    todos: list[Sembrado],
) -> None:
    nuevos = [cuerpo for cuerpo in de(Papel.NUEVO, todos) if cuerpo["usuario_id"] is not None]
    llegan = Counter((c["influencer_id"], PaisesDeLosRegistros().de(c["ip_address"])) for c in nuevos)
    audiencias = {audiencia for campaña in CAMPAÑAS for audiencia, _ in campaña.audiencias}
    assert {audiencia.influencer_id for audiencia in audiencias} == {quien for quien, _ in llegan}
    for audiencia in audiencias:
        suyos = {
            pais: cuantos for (quien, pais), cuantos in llegan.items() if quien == audiencia.influencer_id
        }
        assert suyos.keys() == {PAISES[audiencia.zona], None}
        assert 0 < suyos[None] < sum(suyos.values()) / 4
    con_pais = {IPv6Address(c["ip_address"]) for c in nuevos if ":" in c["ip_address"]}
    assert all(int(direccion) % 2**64 == 0 for direccion in con_pais)


def test_hay_quien_vuelve_robots_cupones_y_cada_campaña_en_su_moneda(todos: list[Sembrado]) -> None:
    nuevos = de(Papel.NUEVO, todos)
    visitas = Counter(
        c["usuario_id"] for c in nuevos if c["usuario_id"] and c.get("tipo_evento") == "IMPRESION"
    )
    assert max(visitas.values()) >= 5
    robots = [c for c in nuevos if c["usuario_id"] is None]
    assert 0.01 < len(robots) / len(nuevos) < 0.06
    assert not [c for c in robots if c["clase"] == "conversion"]
    assert [c for c in nuevos if "cupon" in c]
    monedas = {(c["campaña_id"], c["moneda"]) for c in nuevos if "moneda" in c}
    assert monedas == {(campaña.campaña_id, campaña.moneda) for campaña in CAMPAÑAS}
