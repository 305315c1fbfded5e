"""Exportar e importar con el producto entero: de un libro a otro sin perder nada, muera quien muera."""

import asyncio
import csv
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from tests.apoyo.base_datos import libro_sqlite
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import impresion
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion
from tests.apoyo.servidor import servidor

ALPESPARTNERS = str(BINARIOS / "alpespartners")
_CUANTAS = 40_000
"""Bastantes para que importarlas dure más que lo que tarda en apuntarse por dónde va."""
DEL_SERVIDOR = ("ocurrido_en", "recibido_en", "registrado_en", "comando_id", "advertencias", "timestamp")
ENVIOS: dict[str, list[dict[str, Any]]] = {
    "conversiones": [
        {
            "id": "c/1 ñ",
            "campaña_id": "cmp",
            "influencer_id": "-2+3",
            "tipo_conversion": "VENTA",
            "valor": "99999999999999.99",
            "moneda": "EUR",
            "cupon": "=HOY()",
            "user_agent": 'con "comillas", comas;\ty tabulador',
            "timestamp": "2026-01-15T05:30:00.123456-05:00",
            "propiedades": {"una": "'apóstrofo", "otra": '{"json":"de mentira"}', "vacía": ""},
        },
        {"id": "c-2", "campaña_id": "cmp", "tipo_conversion": "VENTA", "valor": "19.990", "moneda": "KWD"},
        {"id": "c-3", "campaña_id": "cmp", "tipo_conversion": "REGISTRO", "moneda": "COP"},
    ],
    "impresiones": [
        {"id": "i-1", "campaña_id": "cmp", "tipo_evento": "CLIC", "timestamp": "2026-02-01T00:00:00Z"},
        {"id": "i-2", "campaña_id": "cmp"},
    ],
}
NOMBRES = {"conversiones": "c.csv", "impresiones": "i.ndjson"}


def registradas(servicio: Instalacion) -> dict[str, int]:
    cuentas = servicio.http.get("/tracking/balance").json()["comandos"]
    return {cuenta["topico"]: cuenta["registradas"] for cuenta in cuentas}


def duplicadas(servicio: Instalacion) -> int:
    return sum(c["duplicadas"] for c in servicio.http.get("/tracking/balance").json()["comandos"])


def exportados(servicio: Instalacion, carpeta: Path) -> dict[str, list[dict[str, Any]]]:
    carpeta.mkdir()
    for plural, nombre in NOMBRES.items():
        dicho = servicio.orden("exportar", plural, str(carpeta / nombre))
        assert dicho.returncode == 0, dicho.stderr
    with (carpeta / "c.csv").open(encoding="utf-8", newline="") as archivo:
        conversiones: list[dict[str, Any]] = list(csv.DictReader(archivo, strict=True))
    impresiones = [json.loads(linea) for linea in (carpeta / "i.ndjson").read_bytes().splitlines()]
    return {"conversiones": conversiones, "impresiones": impresiones}


def del_cliente(filas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        ({nombre: celda for nombre, celda in fila.items() if nombre not in DEL_SERVIDOR} for fila in filas),
        key=lambda fila: str(fila["id"]),
    )


def informe(servicio: Instalacion) -> Any:
    respuesta = servicio.http.get(
        "/tracking/campañas/cmp/informe",
        params={"desde": "2026-01-01T00:00:00Z", "hasta": "2027-01-01T00:00:00Z", "granularidad": "dia"},
    )
    assert respuesta.status_code == httpx2.codes.OK, respuesta.text
    return {**respuesta.json(), "calculado_en": None}


def importar(servicio: Instalacion, *argumentos: str) -> "subprocess.CompletedProcess[str]":
    return servicio.orden("importar", "--direccion", f"http://127.0.0.1:{servicio.puerto}", *argumentos)


def _seguir_dos_veces_un_enlace(servicio: Instalacion) -> None:
    """El segundo clic es `REPETIDO` por su galleta, que no queda en nada de lo que se guarda."""
    enlace = {"enlace_id": "ana", "campaña_id": "cmp", "destino": "https://tienda.example/"}
    assert servicio.http.post("/tracking/enlaces", json=enlace).status_code == httpx2.codes.CREATED
    for _ in range(2):
        seguido = servicio.http.get("/c/ana", headers={"User-Agent": "Mozilla/5.0"})
        assert seguido.status_code == httpx2.codes.FOUND


def test_lo_exportado_de_un_libro_e_importado_en_otro_dice_lo_mismo(tmp_path: Path) -> None:
    (tmp_path / "uno").mkdir()
    (tmp_path / "otro").mkdir()
    with instalacion(tmp_path / "uno") as uno, instalacion(tmp_path / "otro") as otro:
        uno.iniciar()
        otro.iniciar()
        uno.esperar_consumidores()
        for plural, envios in ENVIOS.items():
            for envio in envios:
                assert uno.http.post(f"/tracking/{plural}", json=envio).status_code == 202
        _seguir_dos_veces_un_enlace(uno)
        hasta(lambda: sorted(registradas(uno).values()) == [3, 4])
        antes = exportados(uno, tmp_path / "antes")

        otro.esperar_consumidores()
        archivos = [str(tmp_path / "antes" / nombre) for nombre in NOMBRES.values()]
        dicho = importar(otro, *archivos, "--esperar")
        assert (dicho.returncode, dicho.stdout.splitlines()) == (
            0,
            [f"{archivos[0]}: 3 filas, 3 registradas.", f"{archivos[1]}: 4 filas, 4 registradas."],
        )
        despues = exportados(otro, tmp_path / "despues")
        for plural in NOMBRES:
            assert del_cliente(despues[plural]) == del_cliente(antes[plural])
            ocurrieron = ({fila["id"]: fila["ocurrido_en"] for fila in de[plural]} for de in (antes, despues))
            assert next(ocurrieron) == next(ocurrieron)
        clases_de_clic = [fila["lectura"]["clase"] for fila in despues["impresiones"]]
        assert clases_de_clic.count("REPETIDO") == 1
        assert informe(otro) == informe(uno)

        ya = registradas(otro)
        assert importar(otro, *archivos).returncode == 0
        hasta(lambda: duplicadas(otro) == 7)
        assert registradas(otro) == ya


def test_una_exportacion_matada_sigue_y_da_los_mismos_octetos(tmp_path: Path) -> None:
    with libro_sqlite(tmp_path / "datos") as (libro, _):
        for desde in range(0, 30_000, 5_000):
            filas = [impresion(id=f"i-{n}", campaña_id="cmp") for n in range(desde, desde + 5_000)]
            asyncio.run(libro.ejecutar(lambda t, filas=filas: t.eventos(clases.IMPRESIONES).agregar(filas)))  # type: ignore[misc]
    entorno = os.environ | {"ALPES_DATOS": str(tmp_path / "datos")}

    def orden(nombre: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [ALPESPARTNERS, "exportar", "impresiones", nombre],
            cwd=tmp_path,
            env=entorno,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    assert orden("entera.csv").wait(60) == 0
    muertes = 0
    for escritas in (0, 5_000, 10_000):
        matada = orden("matada.csv")
        anotado = tmp_path / "matada.csv.parte.json"

        def va_por(cuantas: int, anotado: Path = anotado) -> bool:
            return anotado.exists() and json.loads(anotado.read_bytes())["numero"] > cuantas

        hasta(lambda escritas=escritas: va_por(escritas), cada=0.001)  # type: ignore[misc]
        matada.kill()
        muertes += matada.wait() == -signal.SIGKILL
    assert muertes == 3
    assert not (tmp_path / "matada.csv").exists()
    assert orden("matada.csv").wait(60) == 0
    assert (tmp_path / "matada.csv").read_bytes() == (tmp_path / "entera.csv").read_bytes()
    assert sorted(ruta.name for ruta in tmp_path.glob("*.csv*")) == ["entera.csv", "matada.csv"]


def test_una_importacion_matada_sigue_sin_dejar_nada_ni_repetir_un_rechazo(tmp_path: Path) -> None:
    ruta = tmp_path / "a.csv"
    filas = [f"i-{n},cmp,{'CLIC' if n % 10 else 'NADA'}\n" for n in range(_CUANTAS)]
    ruta.write_text("id,campaña_id,tipo_evento\n" + "".join(filas), encoding="utf-8")
    avance = tmp_path / "a.csv.avance"
    puertos = PuertosEnMemoria(cuantos_consumidores=0)
    with servidor(api_en_memoria(puertos)) as puerto:
        orden = [
            ALPESPARTNERS,
            "importar",
            "--direccion",
            f"http://127.0.0.1:{puerto}",
            str(ruta),
            "--a-la-vez",
            "2",
        ]
        matada = subprocess.Popen(orden, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        hasta(avance.exists)
        matada.kill()
        assert matada.wait() == -signal.SIGKILL
        enviadas = len(puertos.publicados)
        linea = json.loads(avance.read_bytes())["linea"]
        dicho = subprocess.run(orden, capture_output=True, text=True, check=False, timeout=90)
    malas = _CUANTAS // 10
    assert dicho.returncode == 1
    assert dicho.stdout.splitlines()[:2] == [
        f"{ruta}: se sigue tras la línea {linea}.",
        f"{ruta}: {_CUANTAS} filas, {_CUANTAS - malas} aceptadas, {malas} rechazadas.",
    ]
    ids = [comando.id for comando, *_ in puertos.publicados]
    assert set(ids) == {f"i-{n}" for n in range(_CUANTAS) if n % 10}
    assert len(ids) < _CUANTAS - malas + enviadas
    rechazadas = [
        json.loads(linea) for linea in (tmp_path / "a.csv.rechazados.ndjson").read_bytes().splitlines()
    ]
    assert [rechazo["id"] for rechazo in rechazadas] == [f"i-{n}" for n in range(0, _CUANTAS, 10)]
    assert not avance.exists()


@pytest.mark.parametrize("a_la_vez", ["1", "8"])
def test_si_el_servicio_muere_a_la_mitad_y_vuelve_todo_queda_registrado_una_vez(
    tmp_path: Path, a_la_vez: str
) -> None:
    ruta = tmp_path / "a.ndjson"
    filas = [
        json.dumps({"id": f"i-{n}", "campaña_id": "cmp", "tipo_evento": "CLIC"}) for n in range(_CUANTAS)
    ]
    ruta.write_text("\n".join(filas), encoding="utf-8")
    with instalacion(tmp_path) as servicio:
        proceso = servicio.iniciar()
        servicio.esperar_consumidores()
        orden = [ALPESPARTNERS, "importar", "--direccion", f"http://127.0.0.1:{servicio.puerto}"]
        importando = servicio.lanzar([*orden, str(ruta), "--a-la-vez", a_la_vez])
        hasta(lambda: sum(registradas(servicio).values()) > 50)
        proceso.kill()
        proceso.wait()
        assert importando.poll() is None
        servicio.iniciar()
        assert importando.wait(120) == 0, servicio.salida(importando)
        hasta(lambda: sum(registradas(servicio).values()) == _CUANTAS)
        assert (
            servicio.salida(importando).splitlines()[-1] == f"{ruta}: {_CUANTAS} filas, {_CUANTAS} aceptadas."
        )
