"""Lo que escriben los procesos de la semilla: una sola forma, un solo idioma y nada de más."""

import json
import re
import signal
from pathlib import Path

from alpespartners.seedwork.observacion.mensajes_de_uvicorn import TRADUCCIONES
from tests.apoyo.espera import hasta
from tests.apoyo.servicio import instalacion

HORA = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
NUESTROS = ("alpespartners.", "pulsar", "uvicorn.error")


def test_un_servicio_sano_cuenta_que_empieza_que_atiende_y_que_termina(tmp_path: Path) -> None:
    with instalacion(tmp_path) as nueva:
        api, consumidores = nueva.api(), nueva.consumidores()
        nueva.esperar_consumidores()
        assert (
            nueva.http.post("/tracking/impresiones", json={"id": "a", "campaña_id": "c"}).status_code == 202
        )
        hasta(lambda: nueva.http.get("/tracking/impresiones/a").status_code == 200)
        for proceso in (api, consumidores):
            proceso.send_signal(signal.SIGTERM)
            proceso.wait(60)
        dichas = [
            json.loads(linea) for uno in (api, consumidores) for linea in nueva.salida(uno).splitlines()
        ]
        de_la_api = [json.loads(linea)["event"] for linea in nueva.salida(api).splitlines()]

    assert de_la_api[0] == "empieza"
    assert f"atiende en http://127.0.0.1:{nueva.puerto}" in de_la_api
    assert de_la_api[-1].startswith("termina")
    plantillas = [
        re.escape(nuestra).replace("%s", ".*").replace("%d", r"\d+") for nuestra in TRADUCCIONES.values()
    ]
    for dicha in dichas:
        assert HORA.fullmatch(dicha["timestamp"]), dicha
        if dicha["logger"] == "acceso":
            # Todas fueron bien: solo se escribe la que tardó, y ninguna de las sondas.
            assert dicha["milisegundos"] > 1_000, dicha
            assert dicha["ruta"].startswith("/tracking/"), dicha
            continue
        assert dicha["logger"].startswith(NUESTROS), dicha
        if dicha["logger"] == "uvicorn.error":
            assert any(re.fullmatch(plantilla, dicha["event"]) for plantilla in plantillas), dicha
