"""Un Prometheus de verdad, que lee las métricas de unos puertos de esta máquina y responde consultas."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.puertos import puerto_libre

_CADA = "200ms"


class Prometheus:
    """El que escucha en ese puerto.

    Args:
        http: un cliente suyo.
    """

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    def preparado(self) -> bool:
        """Dice si ya responde consultas."""
        try:
            return self._http.get("/-/ready").status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    def consultar(self, expresion: str) -> list[dict[str, Any]]:
        """Las series que da ahora una consulta; falla si no la entiende."""
        respuesta = self._http.get("/api/v1/query", params={"query": expresion}).json()
        assert respuesta["status"] == "success", f"{expresion}: {respuesta.get('error')}"
        series: list[dict[str, Any]] = respuesta["data"]["result"]
        return series


@contextmanager
def prometheus(carpeta: Path, trabajos: Mapping[str, Sequence[str]]) -> Iterator[Prometheus]:
    """Uno que lee `/metricas` en los lugares (anfitrión:puerto) de cada trabajo.

    Si no está instalado, la prueba se salta.
    """
    orden = shutil.which("prometheus")
    if orden is None:
        pytest.skip("falta prometheus, del paquete del mismo nombre")
    ajustes = carpeta / "prometheus.yml"
    leidos = [
        {"job_name": trabajo, "metrics_path": "/metricas", "static_configs": [{"targets": lugares}]}
        for trabajo, lugares in trabajos.items()
    ]
    # JSON es YAML.
    ajustes.write_text(
        json.dumps({"global": {"scrape_interval": _CADA, "scrape_timeout": _CADA}, "scrape_configs": leidos}),
        encoding="utf-8",
    )
    puerto = puerto_libre()
    argumentos = {
        "config.file": ajustes,
        "storage.tsdb.path": carpeta / "series",
        "web.listen-address": f"127.0.0.1:{puerto}",
    }
    with (carpeta / "prometheus.log").open("wb") as salida:
        proceso = subprocess.Popen(
            [orden, *(f"--{nombre}={valor}" for nombre, valor in argumentos.items())],
            stdout=salida,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{puerto}", timeout=30, trust_env=False) as http:
            nuevo = Prometheus(http)
            hasta(nuevo.preparado)
            yield nuevo
    finally:
        proceso.terminate()
        proceso.wait()
