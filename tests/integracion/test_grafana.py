"""El tablero de `docs/grafana.json`, con sus consultas respondidas por un Prometheus de verdad."""

import json
import math
import re
from itertools import chain, count
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.apoyo.espera import hasta
from tests.apoyo.prometheus import Prometheus, prometheus
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servicio import Instalacion, instalacion

TABLERO: dict[str, Any] = json.loads((RAIZ / "docs" / "grafana.json").read_text(encoding="utf-8"))
PANELES: list[dict[str, Any]] = [panel for panel in TABLERO["panels"] if panel["type"] != "row"]
CONSULTAS = [objetivo["expr"] for panel in PANELES for objetivo in panel["targets"]]
REGLAS = (RAIZ / "docs" / "alarmas.yml").read_text(encoding="utf-8")
ALARMAS = dict(re.findall(r"- alert: (\w+)\n +expr: (?:>-\n)?(.*?)\n +(?:for|labels):", REGLAS, re.DOTALL))

SIN_SERIES_SI_TODO_VA_BIEN = {
    "alpes_comandos_sin_confirmar_total",
    "alpes_envios_sin_confirmar_total",
    "alpes_lecturas_sin_evaluar_total",
}
"""Nacen con el primer fallo."""
ETIQUETAS = {
    "alertname",
    "alertstate",
    "estado",
    "instance",
    "job",
    "le",
    "metodo",
    "motivo",
    "paso",
    "ruta",
    "topico",
    "version",
}
VENTA = {"campaña_id": "cmp-1", "tipo_conversion": "VENTA", "valor": 10, "moneda": "COP"}


def _metricas(expresion: str) -> set[str]:
    return set(re.findall(r"\b(?:alpes|process)_[a-z_]+\b|\bup\b", expresion))


def _enviar_de_todo(servicio: Instalacion, ronda: int) -> None:
    """Un registro, un duplicado, un conflicto, una impresión que espera y dos lecturas, una en vano."""
    for valor in (10, 10, 11):
        servicio.http.post("/tracking/conversiones", json=VENTA | {"id": f"v-{ronda}", "valor": valor})
    impresion = {"campaña_id": "cmp-1", "id": f"i-{ronda}"}
    servicio.http.post("/tracking/impresiones", json=impresion, headers={"Prefer": "wait=5"})
    for ruta in ("balance", "conversiones/no-esta"):
        servicio.http.get(f"/tracking/{ruta}")


def _con_datos(expresion: str, servidor: Prometheus) -> bool:
    """Si alguna de sus series es un número: la de una ruta que ya no se pide no lo es."""
    series = servidor.consultar(expresion.replace("$__rate_interval", "1m"))
    return any(math.isfinite(float(serie["value"][1])) for serie in series)


def test_cada_consulta_da_datos_de_un_servicio_de_verdad(tmp_path: Path) -> None:
    sonda = f"127.0.0.1:{puerto_libre()}"
    con_datos = [
        expresion for expresion in CONSULTAS if not _metricas(expresion) & SIN_SERIES_SI_TODO_VA_BIEN
    ]
    assert len(CONSULTAS) - len(con_datos) == len(SIN_SERIES_SI_TODO_VA_BIEN)
    with instalacion(tmp_path, ALPES_METRICAS_CONSUMIDOR=sonda) as servicio:
        servicio.api()
        servicio.consumidores()
        servicio.esperar_consumidores()
        trabajos = {
            "alpespartners-api": [f"127.0.0.1:{servicio.puerto}"],
            "alpespartners-consumidores": [sonda],
        }
        with prometheus(tmp_path, trabajos) as servidor:
            ronda = count()
            faltan = list(con_datos)

            def todas() -> bool:
                _enviar_de_todo(servicio, next(ronda))
                faltan[:] = [expresion for expresion in faltan if not _con_datos(expresion, servidor)]
                return not faltan

            try:
                hasta(todas)
            except pytest.fail.Exception:
                pytest.fail("Sin datos:\n" + "\n".join(faltan))
            for expresion in CONSULTAS:  # también las que no dan nada: se entienden
                servidor.consultar(expresion.replace("$__rate_interval", "1m"))
            for anotacion in TABLERO["annotations"]["list"]:
                assert servidor.consultar(anotacion["expr"]) == []


def test_cada_alarma_tiene_un_panel_con_sus_metricas_y_su_umbral() -> None:
    nombradas = [re.findall(r"\bAlpes\w+", panel["description"]) for panel in PANELES]
    assert set(chain.from_iterable(nombradas)) == set(ALARMAS)
    for panel, suyas in zip(PANELES, nombradas, strict=True):
        pasos = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert (len(pasos) == 2) == bool(suyas), panel["title"]
        for alarma in suyas:
            signo, limite = re.findall(r"(==|<|>) ([\d.]+)$", ALARMAS[alarma])[0]
            colores, (ninguno, umbral) = [paso["color"] for paso in pasos], [paso["value"] for paso in pasos]
            assert ninguno is None
            # Un umbral se cruza al llegar a él: el de «más de cero» es algo más que cero.
            if signo == ">" and float(limite) > 0:
                assert (colores, umbral) == (["green", "red"], float(limite)), panel["title"]
            elif signo == ">" or "count(" in panel["targets"][0]["expr"]:
                assert colores == ["green", "red"], panel["title"]
                assert 0 < umbral <= 1, panel["title"]
            else:
                assert (colores, umbral) == (["red", "green"], 1), panel["title"]
            del_panel = set(chain.from_iterable(_metricas(objetivo["expr"]) for objetivo in panel["targets"]))
            assert del_panel == _metricas(ALARMAS[alarma]), panel["title"]


def test_grafana_puede_leerlo_y_cada_panel_se_explica_en_su_sitio() -> None:
    assert TABLERO["schemaVersion"] >= 39
    assert re.fullmatch(r"[a-z-]{1,40}", TABLERO["uid"])
    (fuente,) = TABLERO["templating"]["list"]
    assert (fuente["name"], fuente["type"], fuente["query"]) == ("fuente", "datasource", "prometheus")
    suya = {"type": "prometheus", "uid": "${fuente}"}
    assert len({panel["id"] for panel in TABLERO["panels"]}) == len(TABLERO["panels"])
    ocupadas: set[tuple[int, int]] = set()
    for panel in TABLERO["panels"]:
        lugar = panel["gridPos"]
        assert lugar["x"] + lugar["w"] <= 24
        casillas = {
            (lugar["x"] + columna, lugar["y"] + linea)
            for columna in range(lugar["w"])
            for linea in range(lugar["h"])
        }
        assert not casillas & ocupadas, panel["title"]
        ocupadas |= casillas
    for panel in PANELES:
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == suya
        assert all(objetivo["datasource"] == suya for objetivo in panel["targets"])
        assert all(objetivo["legendFormat"] for objetivo in panel["targets"])
        assert len({objetivo["refId"] for objetivo in panel["targets"]}) == len(panel["targets"])


def _perdidos(antes: Any, despues: Any, donde: str = "") -> list[str]:
    """Lo que había antes y después no está o es otra cosa; lo que se añade es lo que vale si falta."""
    if isinstance(antes, dict) and isinstance(despues, dict):
        return [
            perdido
            for campo, valor in antes.items()
            for perdido in _perdidos(valor, despues.get(campo), f"{donde}.{campo}")
        ]
    if isinstance(antes, list) and isinstance(despues, list) and len(antes) == len(despues):
        parejas = zip(antes, despues, strict=True)
        return [perdido for uno, otro in parejas for perdido in _perdidos(uno, otro, f"{donde}[]")]
    return [] if antes == despues else [donde]


def test_los_tipos_de_grafana_lo_leen_entero_y_lo_escriben_sin_perder_nada() -> None:
    register_default_plugins()
    leido = Dashboard.from_json(TABLERO)
    escrito = json.loads(JSONEncoder().encode(leido))
    # Una anotación lleva además lo que solo entiende su fuente, y de Prometheus ahí no hay tipos.
    de_prometheus = [f".annotations.list[].{campo}" for campo in ("titleFormat", "textFormat", "step")]
    assert _perdidos(TABLERO, escrito) == de_prometheus
    mal_escrito = Dashboard.from_json({**TABLERO, "refesh": "30s"})
    assert _perdidos({"refesh": "30s"}, json.loads(JSONEncoder().encode(mal_escrito))) == [".refesh"]


def test_ninguna_consulta_separa_por_lo_que_no_sea_una_etiqueta_conocida() -> None:
    for panel in PANELES:
        for objetivo in panel["targets"]:
            listas = re.findall(r"(?:by|on|group_left) \(([^)]*)\)", objetivo["expr"])
            agrupan = set(re.findall(r"\w+", " ".join(listas)))
            filtran = set(re.findall(r"(\w+)=~?\"", objetivo["expr"]))
            rotulan = set(re.findall(r"\{\{(\w+)\}\}", objetivo["legendFormat"]))
            assert agrupan | filtran | rotulan <= ETIQUETAS, objetivo["expr"]
