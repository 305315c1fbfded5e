"""Una tabla que alguien cambia con el servicio en marcha: qué dice cada proceso, y que nada se pierde."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2

from tests.apoyo.espera import hasta
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.servicio import Instalacion, instalacion

FALTA = "a la tabla impresiones le falta la columna referrer"
QUITAR = "ALTER TABLE impresiones DROP COLUMN referrer"
PONER = "ALTER TABLE impresiones ADD COLUMN referrer TEXT"


def comprobar_que_se_dice_y_los_eventos_esperan(
    carpeta: Path, ejecutar: Callable[[Path, str], object], **ajustes: str
) -> None:
    """Quita una columna y la vuelve a poner; `ejecutar` recibe la carpeta de datos y la sentencia."""
    lugar = f"127.0.0.1:{puerto_libre()}"
    with instalacion(carpeta, ALPES_METRICAS_CONSUMIDOR=lugar, **ajustes) as servicio:
        proceso = servicio.iniciar()
        servicio.esperar_consumidores()
        ejecutar(servicio.datos, QUITAR)
        ids = ["imp-1", "imp-2"]
        for id_evento in ids:
            cuerpo = {"id": id_evento, "campaña_id": "cmp-456"}
            assert servicio.http.post("/tracking/impresiones", json=cuerpo).status_code == 202
        hasta(lambda: FALTA in servicio.salida(proceso), 30)
        assert httpx2.get(f"http://{lugar}/salud/lista").json()["base_datos"] == "no_disponible"
        assert servicio.http.get("/tracking/impresiones/imp-1").status_code == 503
        salud = servicio.http.get("/salud/lista")
        assert (salud.status_code, salud.json()["estado"]) == (200, "degradada")
        de_la_api = "la base de datos no se puede leer"
        hasta(lambda: any(de_la_api in s and FALTA in s for s in servicio.salida(proceso).splitlines()), 30)
        ejecutar(servicio.datos, PONER)
        for id_evento in ids:
            hasta(partial(_se_lee, servicio, id_evento), 40)
        balance = servicio.http.get("/tracking/balance").json()
        procesados = [cuenta for cuenta in balance["comandos"] if cuenta["registradas"]]
        assert [(cuenta["registradas"], cuenta["rechazadas"]) for cuenta in procesados] == [(2, {})]
        assert "terminó con código" not in servicio.salida(proceso)


def _se_lee(servicio: Instalacion, id_evento: str) -> bool:
    return servicio.http.get(f"/tracking/impresiones/{id_evento}").status_code == httpx2.codes.OK
