"""Las alarmas de `docs/alarmas.yml`: cada una salta con su avería y ninguna sin ella.

Las prueba `promtool`, que evalúa las reglas como Prometheus sobre series inventadas.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.apoyo.repositorio import RAIZ

REGLAS = RAIZ / "docs" / "alarmas.yml"
OPERACION = RAIZ / "docs" / "operacion.md"
ALARMAS = re.findall(r"- alert: (\w+)", REGLAS.read_text(encoding="utf-8"))

T = 'topico="comando-registrar-impresion"'
API, CONSUMIDOR = 'job="alpespartners-api",instance="a"', 'job="alpespartners-consumidores",instance="c"'
BIEN = {
    f"up{{{API}}}": "1+0x60",
    f"up{{{CONSUMIDOR}}}": "1+0x60",
    f"alpes_broker_disponible{{{API}}}": "1+0x60",
    f"alpes_base_datos_disponible{{{API}}}": "1+0x60",
    f"alpes_base_datos_disponible{{{CONSUMIDOR}}}": "1+0x60",
    f"alpes_consumidores{{{API}}}": "1+0x60",
    f"alpes_suscripcion_conectada{{{CONSUMIDOR},{T}}}": "1+0x60",
    f"alpes_comandos_en_espera{{{CONSUMIDOR},{T}}}": "0+0x60",
    f'alpes_respuestas_total{{{API},metodo="POST",estado="202"}}': "0+600x60",
    f'alpes_respuestas_total{{{API},metodo="POST",estado="503"}}': "0+0x60",
    f"alpes_errores_internos_total{{{API}}}": "0+0x60",
    f'alpes_confirmacion_segundos_bucket{{{API},{T},le="0.125"}}': "0+600x60",
    f'alpes_confirmacion_segundos_bucket{{{API},{T},le="2.5"}}': "0+600x60",
    f'alpes_confirmacion_segundos_bucket{{{API},{T},le="+Inf"}}': "0+600x60",
    f"alpes_comandos_aceptados_total{{{API},{T}}}": "0+600x60",
    f'alpes_comandos_total{{{API},{T},estado="REGISTRADA",motivo=""}}': "0+600x60",
    # Un cliente que repite cada envío no es una avería, ni tapa la de otro.
    f'alpes_comandos_total{{{API},{T},estado="DUPLICADA",motivo=""}}': "0+6000x60",
    f'alpes_comandos_total{{{API},{T},estado="ILEGIBLE",motivo=""}}': "0+0x60",
    f'alpes_comandos_total{{{API},{T},estado="RECHAZADA",motivo="moneda_desconocida"}}': "0+1x60",
    f'alpes_comandos_total{{{API},{T},estado="RECHAZADA",motivo="conflicto_de_id"}}': "0+1x60",
    f'alpes_retraso_segundos_bucket{{{CONSUMIDOR},{T},le="15"}}': "0+600x60",
    f'alpes_retraso_segundos_bucket{{{CONSUMIDOR},{T},le="300"}}': "0+600x60",
    f'alpes_retraso_segundos_bucket{{{CONSUMIDOR},{T},le="+Inf"}}': "0+600x60",
    f"alpes_bandeja_salida_antiguedad_segundos{{{API}}}": "1+0x60",
    # Un mal rato del broker no es una avería.
    f"alpes_clics_en_espera{{{API}}}": "0+0x45 40+0x5 0+0x10",
    f"alpes_clics_perdidos_total{{{API}}}": "3+0x60",
}
# Cada alarma, con las series de BIEN que su avería cambia: el principio del nombre y lo que valen entonces.
AVERIAS: dict[str, dict[str, str]] = {
    "AlpesProcesoCaido": {f"up{{{CONSUMIDOR}": "0+0x60"},
    "AlpesBrokerNoDisponible": {"alpes_broker_disponible": "0+0x60"},
    "AlpesEnviosFallidos": {f'alpes_respuestas_total{{{API},metodo="POST",estado="503"': "0+10x60"},
    "AlpesErrorInterno": {"alpes_errores_internos_total": "0+0x45 1+0x15"},
    "AlpesConfirmacionLenta": {f'alpes_confirmacion_segundos_bucket{{{API},{T},le="0.125"': "0+500x60"},
    "AlpesBaseDatosNoDisponible": {f"alpes_base_datos_disponible{{{CONSUMIDOR}": "0+0x60"},
    "AlpesSinConsumidores": {"alpes_consumidores": "0+0x60"},
    "AlpesSuscripcionDesconectada": {"alpes_suscripcion_conectada": "0+0x60"},
    "AlpesNadaSeProcesa": {"alpes_comandos_total": "5+0x60"},
    "AlpesRetraso": {f'alpes_retraso_segundos_bucket{{{CONSUMIDOR},{T},le="15"': "0+500x60"},
    "AlpesBandejaSalidaDetenida": {"alpes_bandeja_salida_antiguedad_segundos": "0+60x60"},
    "AlpesClicsEnEspera": {"alpes_clics_en_espera": "1+0x60"},
    "AlpesClicsPerdidos": {"alpes_clics_perdidos_total": "3+0x45 4+0x15"},
    "AlpesComandosEnEspera": {"alpes_comandos_en_espera": "1+0x60"},
    "AlpesMensajesIlegibles": {f'alpes_comandos_total{{{API},{T},estado="ILEGIBLE"': "0+1x60"},
    "AlpesRechazos": {
        f'alpes_comandos_total{{{API},{T},estado="RECHAZADA",motivo="conflicto_de_id"': "0+12x60"
    },
}


@pytest.fixture(scope="module")
def promtool() -> str:
    orden = shutil.which("promtool")
    if orden is None:
        pytest.skip("falta promtool, del paquete prometheus")
    return orden


def _con(averia: dict[str, str]) -> dict[str, str]:
    cambiadas = {
        serie: valores
        for principio, valores in averia.items()
        for serie in BIEN
        if serie.startswith(principio)
    }
    assert len(cambiadas) >= len(averia)
    return BIEN | cambiadas


def test_cada_alarma_salta_con_su_averia_y_solo_ella_y_sin_averia_ninguna(
    promtool: str, tmp_path: Path
) -> None:
    casos = [("", BIEN), *((alarma, _con(averia)) for alarma, averia in AVERIAS.items())]
    pruebas = [
        {
            "interval": "1m",
            "input_series": [{"series": serie, "values": valores} for serie, valores in series.items()],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": "50m",
                    "exp_samples": [{"labels": f'{{alertname="{alarma}"}}', "value": 1}] if alarma else [],
                }
            ],
        }
        for alarma, series in casos
    ]
    archivo = tmp_path / "pruebas.json"
    archivo.write_text(
        json.dumps({"rule_files": [str(REGLAS)], "evaluation_interval": "1m", "tests": pruebas}),
        encoding="utf-8",
    )
    resultado = subprocess.run(
        [promtool, "test", "rules", archivo], capture_output=True, text=True, check=False
    )
    assert resultado.returncode == 0, resultado.stdout + resultado.stderr


def test_cada_alarma_tiene_su_averia_y_su_apartado_en_la_pagina() -> None:
    assert sorted(AVERIAS) == sorted(ALARMAS)
    explicadas = re.findall(r"^\| `(Alpes\w+)` \|", OPERACION.read_text(encoding="utf-8"), re.MULTILINE)
    assert explicadas == ALARMAS
