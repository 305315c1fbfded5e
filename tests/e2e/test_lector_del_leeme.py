"""El lector en Python que el README da a los equipos de otros módulos, tal cual está escrito."""

import json
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from fastavro import schemaless_writer

from alpespartners.modulos.tracking.aplicacion.topicos import EVENTO_CONVERSION_REGISTRADA
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS, huella_de_esquema
from alpespartners.modulos.tracking.infraestructura.mensajes.lectura_avro import leer_registro
from tests.apoyo.lector import publicar, puerto_del_broker
from tests.apoyo.repositorio import PAQUETE, RAIZ
from tests.apoyo.servicio import Instalacion, instalacion

CARPETA = PAQUETE / "modulos/tracking/infraestructura/schema/v1"


@pytest.mark.parametrize("leeme", ["README.md", "README.en.md"])
def test_el_lector_en_python_del_leeme_lee_una_conversion(tmp_path: Path, leeme: str) -> None:
    with instalacion(tmp_path) as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        venta = {"id": "venta-1", "campaña_id": "cmp-1", "tipo_conversion": "VENTA", "valor": "12.50"}
        servicio.http.post("/tracking/conversiones", json=venta | {"moneda": "COP"}).raise_for_status()
        leido = ejecutar(programa(leeme), servicio)
    assert "'id': 'venta-1'" in leido
    assert "Decimal('12.5000')" in leido


def test_ese_lector_lee_los_eventos_de_antes_y_los_que_tienen_un_campo_mas(tmp_path: Path) -> None:
    esquema = ESQUEMAS[EVENTO_CONVERSION_REGISTRADA]
    copia = tmp_path / "v1"
    shutil.copytree(CARPETA, copia)
    campo = {"name": "canal_de_prueba", "type": ["null", "string"], "default": None}
    despues = esquema.definicion | {"fields": [*esquema.definicion["fields"], campo]}
    (copia / f"{esquema.registro}.avsc").write_text(json.dumps(despues), encoding="utf-8")
    ce_dataschema = f"{esquema.sin_huella}#{huella_de_esquema(despues)}"
    with (copia / "historial.jsonl").open("a", encoding="utf-8") as historial:
        historial.write(json.dumps({"ce_dataschema": ce_dataschema, "esquema": despues}) + "\n")
    de_antes = bytes.fromhex((RAIZ / "tests/esquemas/v1/EventoConversionRegistrada.hex").read_text("ascii"))
    nuevo = BytesIO()
    campos = leer_registro(esquema, de_antes, {})
    schemaless_writer(nuevo, despues, {**campos, "valor": Decimal(1), "canal_de_prueba": "historias"})

    actualizado = programa("README.md").replace(f'"{CARPETA.relative_to(RAIZ)}/"', f'"{copia}/"')
    with instalacion(tmp_path / "servicio") as servicio:
        servicio.iniciar()
        servicio.esperar_consumidores()
        for carga, escritor in ((de_antes, esquema.sin_huella), (nuevo.getvalue(), ce_dataschema)):
            propiedades = {"ce_id": escritor, "ce_dataschema": escritor}
            publicar(servicio.datos, EVENTO_CONVERSION_REGISTRADA, carga, propiedades, "cmp-456")
        de_entonces, de_ahora = (ejecutar(actualizado, servicio) for _ in range(2))
    assert "'id': 'FV/2024/001'" in de_entonces
    assert "'canal_de_prueba': None" in de_entonces
    assert "'id': 'FV/2024/001'" in de_ahora
    assert "'canal_de_prueba': 'historias'" in de_ahora


def programa(leeme: str) -> str:
    """El lector, tal como está en ese README."""
    (suyo,) = re.findall(
        r"^```python\n(.*?)^```", (RAIZ / leeme).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(suyo)


def ejecutar(lector: str, servicio: Instalacion) -> str:
    """Lo que escribe, conectado al broker de esa instalación."""
    return subprocess.run(
        [sys.executable, "-c", lector.replace(":6650", f":{puerto_del_broker(servicio.datos)}")],
        cwd=RAIZ,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
