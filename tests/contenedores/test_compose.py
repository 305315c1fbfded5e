"""`docker compose up -d` de verdad: se levanta, conserva lo suyo y no pierde nada aunque muera cualquiera.

Se piden por su nombre, `bin/probar -n0 -m contenedores` (sin repartir: cada proceso levantaría lo suyo):
construyen la imagen y tardan minutos.
"""

import json
import shlex
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from alpespartners.modulos.tracking.aplicacion import topicos
from tests.apoyo.compose import Pila, contar, pila
from tests.apoyo.espera import hasta
from tests.e2e.test_semilla import EJEMPLOS
from tests.muerte.carga import Aceptado, Carga
from tests.muerte.envios import CONVERSIONES, IMPRESIONES

pytestmark = [pytest.mark.contenedores, pytest.mark.timeout(1200)]

_CONSUMIDORES = 4
_ENTRE_GOLPES = 3.0
_TOPICOS = {
    IMPRESIONES: (topicos.COMANDO_REGISTRAR_IMPRESION, topicos.EVENTO_IMPRESION_REGISTRADA),
    CONVERSIONES: (topicos.COMANDO_REGISTRAR_CONVERSION, topicos.EVENTO_CONVERSION_REGISTRADA),
}


@pytest.fixture(scope="module")
def levantada() -> Iterator[Pila]:
    with pila() as nueva:
        nueva.levantar(_CONSUMIDORES)
        yield nueva


def test_los_ejemplos_de_la_semilla_quedan_registrados_y_publicados_y_sobreviven_a_un_down(
    levantada: Pila,
) -> None:
    for ejemplo in EJEMPLOS:
        orden = shlex.split(ejemplo.replace("\\\n", " ").replace(":8000", f":{levantada.puerto}"))
        salida = subprocess.run([*orden, "--silent", "--fail-with-body"], check=True, capture_output=True)
        assert json.loads(salida.stdout)["estado"] == "ACEPTADA"
    rutas = ("/tracking/impresiones/imp-123", "/tracking/conversiones/conv-123")
    hasta(lambda: all(levantada.http.get(ruta).status_code == 200 for ruta in rutas))
    antes = (
        [levantada.http.get(ruta).text for ruta in rutas],
        _balance(levantada),
        _contar_calmados(levantada),
    )

    levantada.orden("down")
    levantada.levantar(_CONSUMIDORES)

    assert (
        [levantada.http.get(ruta).text for ruta in rutas],
        _balance(levantada),
        contar(levantada),
    ) == antes


def test_el_broker_tiene_la_retencion_y_las_suscripciones_que_hacen_falta(levantada: Pila) -> None:
    estado = levantada.http.get("/salud/lista").json()
    assert (estado["retencion"], estado["suscripciones"]) == ("suficiente", "presentes")


def test_muerto_o_reiniciado_cualquier_contenedor_bajo_carga_nada_se_pierde_ni_se_cuenta_dos_veces(
    levantada: Pila,
) -> None:
    antes = _balance(levantada)
    carga = Carga([levantada.puerto], semilla=19)
    pausa = threading.Event()
    carga.empezar()
    try:
        for servicio in ("consumidores", "api", "postgres", "pulsar"):
            pausa.wait(_ENTRE_GOLPES)
            levantada.matar(servicio)
            levantada.esperar_sanos(_CONSUMIDORES)
            pausa.wait(_ENTRE_GOLPES)
            levantada.orden("restart", servicio)
            levantada.esperar_sanos(_CONSUMIDORES)
    finally:
        carga.terminar()

    assert carga.sorpresas == []
    assert len(carga.aceptados) > 1000
    hasta(lambda: not _sin_destino(levantada, carga.aceptados[-500:]), 90, 1)
    assert _sin_destino(levantada, carga.aceptados) == []
    cuentas = _contar_calmados(levantada)
    for clase, (comandos, eventos) in _TOPICOS.items():
        balance = _balance(levantada)[comandos]
        registrados = {
            evento_id
            for clase_enviada, evento_id in carga.intentados
            if clase_enviada == clase
            and levantada.http.get(f"/tracking/{clase}/{evento_id}").status_code == 200
        }
        assert balance["registradas"] == cuentas[eventos]
        assert balance["registradas"] == len(registrados) + antes[comandos]["registradas"]
        assert balance["total"] == cuentas[comandos]


def _sin_destino(levantada: Pila, aceptados: list[Aceptado]) -> list[str]:
    """Los aceptados que no acabaron en exactamente un destino."""
    destinos: dict[str, Counter[str]] = {}
    faltan = []
    for aceptado in aceptados:
        ruta = f"/tracking/{aceptado.envio.clase}/{aceptado.envio.id}/destino"
        if ruta not in destinos:
            respuesta = levantada.http.get(ruta)
            hallados = respuesta.json()["destinos"] if respuesta.status_code == 200 else []
            destinos[ruta] = Counter(destino["comando_id"] for destino in hallados)
        if destinos[ruta][aceptado.comando_id] != 1:
            faltan.append(f"{ruta}: {aceptado.comando_id}")
    return faltan


def _balance(levantada: Pila) -> dict[str, dict[str, int]]:
    comandos = levantada.http.get("/tracking/balance").json()["comandos"]
    return {cuenta["topico"]: cuenta for cuenta in comandos}


def _contar_calmados(levantada: Pila) -> dict[str, int]:
    """Las cuentas de los tópicos, cuando todo comando está asentado y no queda nada por publicar."""
    hasta(lambda: not levantada.http.get("/tracking/balance").json()["bandeja_salida"]["pendientes"], 60, 0.5)
    return hasta(
        lambda: (
            cuentas
            if (cuentas := contar(levantada))
            and all(
                _balance(levantada)[comandos]["total"] == cuentas[comandos]
                for comandos, _ in _TOPICOS.values()
            )
            else None
        ),
        60,
        1,
    )
