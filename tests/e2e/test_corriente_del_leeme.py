"""El bucle con que el README lee lo que llegó, tal cual está escrito."""

import json
import re
import subprocess
from pathlib import Path

from tests.apoyo.repositorio import RAIZ
from tests.apoyo.servicio import Instalacion, instalacion


def test_el_bucle_del_leeme_sigue_por_donde_iba_y_deja_cada_conversion_una_vez(tmp_path: Path) -> None:
    with instalacion(tmp_path / "servicio") as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        registrar(servicio, "a", timestamp="2026-01-31T10:00:00Z")
        copiar(servicio, tmp_path)
        # Ocurrió antes que la que ya se leyó.
        registrar(servicio, "tarde", timestamp="2026-01-01T10:00:00Z")
        for _ in range(2):
            copiar(servicio, tmp_path)
    escrito = (tmp_path / "conversiones.jsonl").read_text("utf-8")
    paginas = [json.loads(linea) for linea in escrito.splitlines() if linea]
    assert [evento["id"] for pagina in paginas for evento in pagina["elementos"]] == ["a", "tarde"]
    assert [pagina["al_dia"] for pagina in paginas] == [True, True, True]


def registrar(servicio: Instalacion, id_evento: str, **otros: str) -> None:
    cuerpo = {"id": id_evento, "campaña_id": "c", "tipo_conversion": "REGISTRO", **otros}
    respuesta = servicio.http.post(
        "/tracking/conversiones", json=cuerpo, headers={"Prefer": "wait=10"}, timeout=30
    )
    assert respuesta.status_code == 201


def copiar(servicio: Instalacion, carpeta: Path) -> None:
    """Ejecuta el bucle en esa carpeta, que es donde guarda su cursor."""
    bloques = re.findall(
        r"^```bash\n(.*?)^```", (RAIZ / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (bucle,) = (bloque for bloque in bloques if "al_dia" in bloque)
    orden = bucle.replace("localhost:8000", f"127.0.0.1:{servicio.puerto}")
    subprocess.run(["bash", "-eu", "-c", orden], cwd=carpeta, check=True, timeout=60)  # noqa: S607
