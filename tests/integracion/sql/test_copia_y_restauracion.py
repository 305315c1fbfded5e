"""Las copias de `docs/operacion.md`, al pie de la letra: lo restaurado sigue sin contar dos veces."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from alpespartners.medicion.servidor_postgresql import binarios
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from tests.apoyo.base_datos import libro_sqlite
from tests.apoyo.eventos import AHORA, IMPRESION, recibido
from tests.apoyo.por_publicar import por_publicar
from tests.apoyo.postgresql import ServidorDePrueba, libro_postgresql
from tests.apoyo.repositorio import RAIZ

BLOQUES = re.findall(
    r"^```bash\n(.*?)^```",
    (RAIZ / "docs" / "operacion.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)


def lote(desde: int, hasta: int) -> list[ComandoRecibido]:
    return [recibido(replace(IMPRESION, id=f"imp-{n}"), f"c-{n}") for n in range(desde, hasta)]


async def asentados(libro: LibroSQLite | LibroPostgreSQL, mensajes: Sequence[ComandoRecibido]) -> list[str]:
    """Asienta el lote y devuelve los comandos que no tenían destino."""
    destinos, _ = await libro.ejecutar(
        lambda t: ManejadorDeRegistro(clases.IMPRESIONES).manejar(mensajes, t, AHORA)
    )
    return sorted(destino.identidad.comando_id for destino in destinos)


def ejecutar(parte: str, carpeta: Path, **ambiente: str) -> None:
    """Ejecuta la única orden de la página que contiene `parte`."""
    (orden,) = [bloque for bloque in BLOQUES if parte in bloque]
    ruta = f"{binarios()}:{os.environ['PATH']}"
    hecha = subprocess.run(
        ["/bin/bash", "-euc", orden],
        cwd=carpeta,
        env=os.environ | {"PATH": ruta} | ambiente,
        capture_output=True,
        text=True,
        check=False,
    )
    assert hecha.returncode == 0, hecha.stderr


async def comprobar_restaurado(libro: LibroSQLite | LibroPostgreSQL) -> None:
    # Los eventos que la copia tenía sin publicar siguen pendientes.
    assert len(await por_publicar(libro)) == 10
    # Se entrega todo otra vez: lo de la copia no añade nada, y lo posterior se registra.
    assert await asentados(libro, lote(0, 20)) == sorted(f"c-{n}" for n in range(10, 20))
    assert await asentados(libro, lote(0, 20)) == []


async def test_una_copia_de_sqlite_hecha_en_marcha_se_restaura_y_lo_reentregado_no_cuenta_dos_veces(
    tmp_path: Path,
) -> None:
    datos = tmp_path / "datos"
    with libro_sqlite(datos) as (libro, _):
        await asentados(libro, lote(0, 10))
        # Con el consumidor abierto: lo último está en el WAL.
        ejecutar("VACUUM INTO", tmp_path, ALPES_DATOS=str(datos))
        await asentados(libro, lote(10, 20))
    assert (tmp_path / "copia.sqlite3").stat().st_mode & 0o077 == 0
    ejecutar("install -m 600", tmp_path, ALPES_DATOS=str(datos))
    with libro_sqlite(datos) as (libro, _):
        await comprobar_restaurado(libro)


async def test_una_copia_de_postgresql_hecha_en_marcha_se_restaura_y_lo_reentregado_no_cuenta_dos_veces(
    servidor_postgresql: ServidorDePrueba, tmp_path: Path
) -> None:
    url, otra = servidor_postgresql.base_nueva(), servidor_postgresql.base_vacia()
    with libro_postgresql(url) as (libro, _):
        await asentados(libro, lote(0, 10))
        ejecutar("pg_dump --format", tmp_path, ALPES_BASE_DATOS=url)
        await asentados(libro, lote(10, 20))
    ejecutar("pg_restore", tmp_path, ALPES_BASE_DATOS=otra)
    with libro_postgresql(otra) as (libro, _):
        await comprobar_restaurado(libro)
