"""Lo que el cliente de Python decide sin hablar con nadie: qué línea, cuánto espera, qué sabe y qué cabe."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alpespartners_cliente.cola import Cola, ColaOcupada
from alpespartners_cliente.envio import contestacion, espera_tras
from alpespartners_cliente.eventos import EventoNoValido, linea_de


def todos(_: int) -> bool:
    return True


VENTA = {"id": "v", "campaña_id": "c", "tipo_conversion": "VENTA", "moneda": "COP"}


@pytest.mark.parametrize(
    ("valor", "escrito"),
    [
        (Decimal("150000.00"), "150000.00"),
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+3"), "1E+3"),
        (150000, "150000"),
        ("19.90", '"19.90"'),
    ],
)
def test_un_importe_exacto_sale_con_los_mismos_digitos(valor: object, escrito: str) -> None:
    _, linea = linea_de("conversion", {**VENTA, "valor": valor})
    assert linea.endswith(f', "valor": {escrito}}}'.encode())
    assert json.loads(linea, parse_float=Decimal)["moneda"] == "COP"


@pytest.mark.parametrize(
    "valor", [19.9, True, pytest.param(10**5000, id="enorme"), Decimal("NaN"), Decimal("Infinity"), b"1", [1]]
)
def test_un_importe_que_no_es_exacto_se_niega_y_se_dice_que_enviar(valor: object) -> None:
    with pytest.raises(EventoNoValido, match=re.escape("valor: ") + ".*" + re.escape("Decimal('19.90')")):
        linea_de("conversion", {**VENTA, "valor": valor})


def test_a_un_evento_sin_id_ni_hora_se_le_ponen_antes_de_encolarlo() -> None:
    id_puesto, linea = linea_de("impresion", {"id": None, "campaña_id": "c"})
    evento = json.loads(linea)
    assert UUID(id_puesto).version == 7
    assert evento["id"] == id_puesto
    assert evento["timestamp"].endswith("+00:00")
    assert linea_de("impresion", {"campaña_id": "c"})[0] > id_puesto[:13]


def test_el_id_y_la_hora_que_trae_no_se_tocan() -> None:
    id_suyo, linea = linea_de("impresion", {"id": "imp-1", "campaña_id": "ñ", "timestamp": "ayer"})
    assert (id_suyo, json.loads(linea)) == (
        "imp-1",
        {"clase": "impresion", "id": "imp-1", "campaña_id": "ñ", "timestamp": "ayer"},
    )


@pytest.mark.parametrize(
    ("evento", "frase"),
    [
        ({"id": ""}, "^id: "),
        ({"id": 7}, "^id: "),
        ({"propiedades": {"a": {1}}}, "JSON"),
        ({"propiedades": {"a": float("nan")}}, "JSON"),
        ({"propiedades": {"a": "x" * 65_536}}, "65536"),
    ],
)
def test_lo_que_no_se_puede_enviar_se_niega_al_encolar(evento: Mapping[str, Any], frase: str) -> None:
    with pytest.raises(EventoNoValido, match=frase):
        linea_de("impresion", {"campaña_id": "c", **evento})


def test_se_espera_el_doble_cada_vez_con_azar_hasta_un_tope_y_nunca_menos_de_lo_pedido() -> None:
    assert [espera_tras(fallos, 0, lambda: 1.0) for fallos in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert espera_tras(3, 0, lambda: 0.0) == 1
    assert espera_tras(10_000, 0) <= 30
    assert espera_tras(1, 120, lambda: 0.5) == 120
    assert [espera_tras(0, pedida) for pedida in (0, 7)] == [0, 7]


@pytest.mark.parametrize(
    ("estado", "cuerpo", "que"),
    [
        (200, b'{"resultados": [{"estado": "ACEPTADA"}]}', "no trae los dos"),
        (200, b"<html>hola</html>", "no es JSON"),
        (200, b'{"resultados": [1, 2]}', "no son objetos"),
        (200, b'{"resultados": [{"estado": "RECHAZADA"}, {"estado": "ACEPTADA"}]}', "no dice por qué"),
        (500, b'{"resultados": [{"estado": "ACEPTADA"}, {"estado": "ACEPTADA"}]}', "no es suya"),
        (200, b"[" * 100_000, "demasiado anidado"),
    ],
)
def test_lo_que_no_trae_un_resultado_por_evento_no_dice_nada_de_ninguno(
    estado: int, cuerpo: bytes, que: str
) -> None:
    dicho = contestacion(estado, "", cuerpo, 2)
    assert (dicho.resultados, dicho.sin_remedio, dicho.no_cabe) == ((), False, False), que
    assert str(estado) in dicho.motivo


@pytest.mark.parametrize("estado", [301, 400, 401, 403, 404, 415, 422])
def test_lo_que_no_arregla_repetir_se_distingue(estado: int) -> None:
    assert contestacion(estado, "", b"{}", 1).sin_remedio


@pytest.mark.parametrize(
    ("cuerpo", "enviadas", "que"),
    [
        (b'{"type": "urn:alpespartners:error:cuerpo_demasiado_grande"}', 1, "se rechaza"),
        (b'{"resultados": []}', 1, "se rechaza"),
        (b"<html>nginx</html>", 1, "sin remedio"),
        (b'{"type": "about:blank"}', 1, "sin remedio"),
        (b'{"type": 7}', 1, "sin remedio"),
        (b"<html>nginx</html>", 2, "se parte"),
    ],
)
def test_que_un_evento_no_cabe_lo_dice_la_api_y_no_un_intermediario(
    cuerpo: bytes, enviadas: int, que: str
) -> None:
    dicho = contestacion(413, "", cuerpo, enviadas)
    assert [uno["estado"] for uno in dicho.resultados] == ["RECHAZADA"] * (que == "se rechaza")
    assert (dicho.no_cabe, dicho.sin_remedio) == (que == "se parte", que == "sin remedio")


@pytest.mark.parametrize("estado", [408, 425, 429, 500, 502, 503, 504])
def test_lo_pasajero_no_es_para_siempre(estado: int) -> None:
    assert not contestacion(estado, "", b"{}", 1).sin_remedio


@pytest.mark.parametrize(
    ("cabecera", "segundos"),
    [
        ("7", 7),
        ("0", 0),
        ("", 0),
        ("-3", 0),
        ("mañana", 0),
        ("²", 0),
        ("9" * 99, 3600),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
def test_retry_after_se_lee_en_segundos_y_con_un_tope(cabecera: str, segundos: int) -> None:
    assert contestacion(503, cabecera, b"", 1).espera == segundos


def test_un_lote_lleva_los_mas_antiguos_que_caben_y_al_menos_uno() -> None:
    cola = Cola(None)
    for _ in range(3):
        cola.poner(b"x" * 9)
    assert list(cola.primeros(1_000, 20, todos)) == [1, 2]
    assert list(cola.primeros(1_000, 5, todos)) == [1]
    assert list(cola.primeros(2, 1_000, todos)) == [1, 2]
    cola.quitar([1, 3])
    assert (cola.cuantos, cola.primeros(9, 9, todos)) == (1, {2: b"x" * 9})
    cola.cerrar()


def test_la_cola_en_archivo_conserva_lo_que_quedo_y_no_admite_a_dos(tmp_path: Path) -> None:
    archivo = tmp_path / "cola.db"
    una = Cola(archivo)
    una.poner(b"a")
    una.quitar([una.poner(b"b")])
    with pytest.raises(ColaOcupada, match=re.escape(str(archivo))):
        Cola(archivo)
    una.cerrar()
    otra = Cola(archivo)
    assert (otra.cuantos, otra.primeros(9, 9, todos)) == (1, {1: b"a"})
    assert otra.poner(b"c") == 3, "un número no se repite: quien lo espera es otro"
    otra.cerrar()
