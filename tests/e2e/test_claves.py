"""Las claves en el servicio de verdad: se crean, valen en todos los procesos y se les quita a todos."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.apoyo.espera import hasta
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion

_ALPES = str(BINARIOS / "alpespartners")
_IMPRESION = {"campaña_id": "cmp-1"}


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        yield nueva


def _crear(servicio: Instalacion, *argumentos: str) -> str:
    creada = servicio.orden("claves", "crear", "--nombre", "de prueba", *argumentos)
    assert creada.returncode == 0, creada.stderr
    return creada.stdout.strip()


def _responde(direccion: str) -> bool:
    try:
        return httpx2.get(f"{direccion}/salud/lista", trust_env=False).status_code == httpx2.codes.OK
    except httpx2.TransportError:
        return False


def _enviar(direccion: str, clave: str | None) -> int:
    """El estado de un envío con una conexión nueva, que es de cualquiera de los procesos."""
    cabeceras = {} if clave is None else {"Authorization": f"Bearer {clave}"}
    with httpx2.Client(base_url=direccion, timeout=30, trust_env=False) as cliente:
        return cliente.post("/tracking/impresiones", json=_IMPRESION, headers=cabeceras).status_code


def test_al_terminar_de_revocar_no_la_admite_ninguno_de_los_procesos(servicio: Instalacion) -> None:
    servicio.lanzar([_ALPES, "iniciar", "--procesos", "2"])
    servicio.esperar_consumidores()
    # Y otra API más, en otro puerto, con la misma base de datos.
    otro_puerto = puerto_libre()
    servicio.lanzar([_ALPES, "api"], ALPES_PUERTO=str(otro_puerto))
    # Cada conexión es del proceso que la acepta: con tantas, se habla con los dos del mismo puerto.
    direcciones = [str(servicio.http.base_url)] * 12 + [f"http://127.0.0.1:{otro_puerto}"]
    hasta(lambda: _responde(direcciones[-1]))
    assert {_enviar(direccion, None) for direccion in direcciones} == {202}
    clave, otra = _crear(servicio, "--alcance", "captura"), _crear(servicio, "--alcance", "captura")
    hasta(lambda: {_enviar(direccion, None) for direccion in direcciones} == {401})
    hasta(lambda: {_enviar(direccion, clave) for direccion in direcciones} == {202})
    assert servicio.orden("claves", "revocar", clave.split("_")[1]).returncode == 0
    assert {_enviar(direccion, clave) for direccion in direcciones} == {401}
    assert {_enviar(direccion, otra) for direccion in direcciones} == {202}


def test_revocada_la_ultima_y_reiniciado_todo_se_sigue_pidiendo_clave(servicio: Instalacion) -> None:
    clave = _crear(servicio, "--alcance", "captura")
    assert servicio.orden("claves", "revocar", clave).returncode == 0
    servicio.iniciar()
    servicio.esperar_consumidores()
    direccion = str(servicio.http.base_url)
    assert (_enviar(direccion, None), _enviar(direccion, clave)) == (401, 401)
    (guardada,) = map(json.loads, servicio.orden("claves", "listar", "--json").stdout.splitlines())
    assert guardada["revocada_en"] is not None


def test_el_servicio_que_pide_clave_dice_al_arrancar_como_se_pone(servicio: Instalacion) -> None:
    clave = _crear(servicio, "--alcance", "captura")
    proceso = servicio.iniciar()
    anuncio = hasta(lambda: salida if "Ctrl-C" in (salida := servicio.salida(proceso)) else None)
    assert 'Authorization: Bearer $CLAVE"' in anuncio
    assert clave.split("_", 2)[2] not in anuncio


def test_quien_mira_en_vivo_deja_de_mirar_cuando_se_revoca_su_clave(servicio: Instalacion) -> None:
    mirar = _crear(servicio, "--alcance", "lectura", "--campaña", "cmp-1")
    enviar = _crear(servicio, "--alcance", "captura")
    servicio.iniciar()
    servicio.esperar_consumidores()
    direccion = str(servicio.http.base_url)
    cabeceras = {"Authorization": f"Bearer {mirar}"}
    with servicio.http.stream("GET", "/tracking/campanas/cmp-1/en-vivo", headers=cabeceras) as espectador:
        lineas = espectador.iter_lines()
        assert next(lineas) == "retry: 2000"
        assert servicio.orden("claves", "revocar", mirar).returncode == 0
        assert _enviar(direccion, enviar) == 202
        assert not [linea for linea in lineas if linea.startswith("data:")]
