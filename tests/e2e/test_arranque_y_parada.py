"""Arrancar, parar y matar, en cualquier orden: nada queda huérfano y nada se pierde."""

import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from subprocess import Popen

import psutil
import pytest

from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta
from tests.apoyo.lector import puerto_del_broker
from tests.apoyo.procesos import avisar
from tests.apoyo.servicio import INICIAR, Instalacion, instalacion
from tests.apoyo.tabla_cambiada import comprobar_que_se_dice_y_los_eventos_esperan

IMPRESION = {"campaña_id": "cmp-456", "timestamp": "2024-01-15T10:30:00Z"}


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        yield nueva


def enviar(servicio: Instalacion, id_evento: str) -> bool:
    """Envía una impresión; con `False`, hay que repetirla con el mismo `id`, como dice el contrato."""
    try:
        respuesta = servicio.http.post("/tracking/impresiones", json=IMPRESION | {"id": id_evento})
    except Exception:  # noqa: BLE001  # matar procesos corta conexiones de muchas formas, y todas se repiten
        return False
    return respuesta.status_code == 202


def registradas(servicio: Instalacion) -> set[str]:
    respuesta = servicio.http.get("/tracking/campañas/cmp-456/impresiones?limite=1000")
    return {elemento["id"] for elemento in respuesta.json()["elementos"]}


def enviar_y_ver(servicio: Instalacion, *ids: str) -> None:
    for id_evento in ids:
        hasta(partial(enviar, servicio, id_evento))
    hasta(lambda: registradas(servicio) >= {*ids})


def direccion_de_red() -> str:
    """Una dirección de esta máquina por la que se llega a ella desde otras."""
    for tarjeta in psutil.net_if_addrs().values():
        for direccion in tarjeta:
            if direccion.family == socket.AF_INET and not direccion.address.startswith("127."):
                return str(direccion.address)
    pytest.skip("esta máquina no tiene red")


def parar(proceso: "Popen[bytes]") -> None:
    proceso.send_signal(signal.SIGTERM)
    proceso.wait(60)


def matar_a_todos(servicio: Instalacion) -> dict[int, str]:
    """Los mata y dice quiénes eran: entre dos muertes, quien queda puede reponer al que ya no está."""
    vivos = servicio.procesos()
    for numero in vivos:
        avisar(numero, signal.SIGKILL)
    return vivos


def test_la_api_sola_acepta_y_los_consumidores_registran_cuando_llegan(servicio: Instalacion) -> None:
    servicio.api()
    servicio.esperar_lista()
    assert enviar(servicio, "antes")
    assert servicio.http.get("/tracking/impresiones/antes").status_code == 404
    assert registradas(servicio) == set()
    assert servicio.http.get("/salud/lista").json()["consumidores"] == 0
    servicio.consumidores()
    hasta(lambda: registradas(servicio) == {"antes"})
    assert servicio.http.get("/salud/lista").json()["consumidores"] == 1


def test_los_consumidores_pueden_arrancar_primero(servicio: Instalacion) -> None:
    servicio.consumidores()
    hasta((servicio.datos / "tracking.sqlite3").exists)
    servicio.api()
    servicio.esperar_consumidores()
    enviar_y_ver(servicio, "a")


def test_cada_uno_se_para_y_arranca_por_separado_cuantas_veces_haga_falta(servicio: Instalacion) -> None:
    api, consumidores = servicio.api(), servicio.consumidores()
    servicio.esperar_consumidores()
    enviar_y_ver(servicio, "uno")
    parar(consumidores)
    assert enviar(servicio, "dos")
    parar(api)
    consumidores = servicio.consumidores()
    parar(consumidores)
    api, consumidores = servicio.api("--reload"), servicio.consumidores()
    servicio.esperar_consumidores()
    enviar_y_ver(servicio, "tres")
    assert registradas(servicio) == {"uno", "dos", "tres"}


def test_un_segundo_consumidor_en_el_broker_embebido_termina_con_una_frase(servicio: Instalacion) -> None:
    servicio.api()
    servicio.consumidores()
    servicio.esperar_consumidores()
    segundo = servicio.consumidores()
    assert segundo.wait(60) == 1
    salida = servicio.salida(segundo)
    assert "Ya hay un proceso de consumidores" in salida
    assert "Traceback" not in salida


@pytest.mark.parametrize("victima", ["guardian", "--db-path", "spawn_main", "tracking.infraestructura"])
def test_matar_un_proceso_cualquiera_no_pierde_nada(servicio: Instalacion, victima: str) -> None:
    api = servicio.api("--reload")
    consumidores = servicio.consumidores()
    servicio.esperar_consumidores()
    enviar_y_ver(servicio, "antes")
    os.kill(servicio.numero_de(victima), signal.SIGKILL)
    if victima == "tracking.infraestructura":
        consumidores.wait(60)
        servicio.consumidores()
    if victima == "spawn_main":
        # uvicorn solo repone a su trabajador cuando cambia un archivo: lo hace una persona.
        parar(api)
        servicio.api("--reload")
    enviar_y_ver(servicio, "después", "y después")
    assert registradas(servicio) == {"antes", "después", "y después"}


def test_matar_al_supervisor_de_reload_no_deja_a_su_trabajador(servicio: Instalacion) -> None:
    api = servicio.api("--reload")
    servicio.consumidores()
    servicio.esperar_consumidores()
    enviar_y_ver(servicio, "antes")
    api.kill()
    api.wait(60)
    hasta(lambda: not any("spawn_main" in orden for orden in servicio.procesos().values()))
    servicio.api("--reload")
    servicio.esperar_lista()
    enviar_y_ver(servicio, "después")


def test_matarlo_todo_a_la_vez_no_pierde_lo_aceptado(servicio: Instalacion) -> None:
    servicio.iniciar()
    servicio.esperar_consumidores()
    aceptadas = {f"imp-{numero}" for numero in range(200) if enviar(servicio, f"imp-{numero}")}
    hasta(lambda: not matar_a_todos(servicio))
    servicio.iniciar()
    servicio.esperar_consumidores()
    hasta(lambda: registradas(servicio) == aceptadas)


@pytest.mark.parametrize("victima", ["api", "consumidores"])
def test_iniciar_repone_al_proceso_que_muere(servicio: Instalacion, victima: str) -> None:
    principal = servicio.iniciar()
    servicio.esperar_consumidores()
    enviar_y_ver(servicio, "antes")
    hijos = sorted(n for n, orden in servicio.procesos().items() if "spawn_main" in orden)
    assert len(hijos) == 2
    os.kill(hijos[victima == "consumidores"], signal.SIGKILL)
    enviar_y_ver(servicio, "después")
    assert principal.poll() is None


def test_si_matan_al_supervisor_de_iniciar_no_queda_nadie(servicio: Instalacion) -> None:
    principal = servicio.iniciar()
    servicio.esperar_consumidores()
    principal.kill()
    principal.wait(60)
    hasta(lambda: not servicio.procesos())


@pytest.mark.parametrize("señal", [signal.SIGINT, signal.SIGTERM])
def test_iniciar_termina_con_una_señal_y_no_deja_a_nadie(
    servicio: Instalacion, señal: signal.Signals
) -> None:
    principal = servicio.iniciar()
    servicio.esperar_consumidores()
    os.killpg(principal.pid, señal)
    assert principal.wait(10) == 0
    assert "Traceback" not in servicio.salida(principal)
    hasta(lambda: not servicio.procesos())


def test_iniciar_dice_donde_esta_todo_y_que_probar(servicio: Instalacion) -> None:
    principal = servicio.iniciar()
    hasta(lambda: "Ctrl-C" in servicio.salida(principal))
    salida = servicio.salida(principal)
    assert f"http://localhost:{servicio.puerto}/panel\n" in salida
    assert f"http://localhost:{servicio.puerto}/docs\n" in salida
    assert f"pulsar://127.0.0.1:{puerto_del_broker(servicio.datos)}, embebido\n" in salida
    assert str(servicio.datos) in salida
    assert salida.count("curl -X POST") == 2
    assert f'curl "http://localhost:{servicio.puerto}/tracking/conversiones/conv-123"\n' in salida


def test_un_segundo_iniciar_sobre_la_misma_carpeta_dice_solo_por_que_no_arranca(
    servicio: Instalacion,
) -> None:
    servicio.iniciar()
    servicio.esperar_consumidores()
    segundo = servicio.lanzar(INICIAR, ALPES_PUERTO="0")
    assert segundo.wait(60) == 1
    (frase,) = servicio.salida(segundo).splitlines()
    assert frase.startswith(f"Ya hay un proceso de consumidores sobre {servicio.datos}: ")


def test_iniciar_anuncia_la_direccion_real_si_localhost_no_lleva_a_ella(tmp_path: Path) -> None:
    with instalacion(tmp_path, ALPES_ANFITRION="127.0.0.2") as servicio:
        principal = servicio.iniciar()
        hasta(lambda: "Ctrl-C" in servicio.salida(principal))
        salida = servicio.salida(principal)
        assert f"http://127.0.0.2:{servicio.puerto}/docs" in salida
        assert "localhost" not in salida


@pytest.mark.parametrize(
    ("ajustes", "remedios"),
    [
        ({}, {"ALPES_CLAVES_API", "ALPES_SIN_CLAVE"}),
        ({"ALPES_SIN_CLAVE": "1"}, {"ALPES_CLAVES_API", "ALPES_NOMBRES"}),
    ],
)
def test_iniciar_no_da_ejemplos_que_la_api_negaria_y_dice_que_ajuste_falta(
    tmp_path: Path, ajustes: dict[str, str], remedios: set[str]
) -> None:
    direccion = direccion_de_red()
    with instalacion(tmp_path, ALPES_ANFITRION=direccion, **ajustes) as servicio:
        principal = servicio.iniciar()
        hasta(lambda: "está en marcha" in servicio.salida(principal))
        salida = servicio.salida(principal)
        assert f"no admite peticiones a http://{direccion}:{servicio.puerto}" in salida
        dicho = salida.partition("no admite peticiones")[2]
        assert {*re.findall(r"ALPES_[A-Z_]+", dicho)} == remedios
        assert "curl" not in salida


def test_iniciar_en_la_red_con_claves_anuncia_una_direccion_que_sirve(tmp_path: Path) -> None:
    direccion = direccion_de_red()
    with instalacion(tmp_path, ALPES_ANFITRION=direccion, ALPES_CLAVES_API="clave") as servicio:
        principal = servicio.iniciar()
        hasta(lambda: "Ctrl-C" in servicio.salida(principal))
        salida = servicio.salida(principal)
        assert f'curl -X POST "http://{direccion}:{servicio.puerto}/tracking/impresiones"' in salida
        assert salida.count('-H "Authorization: Bearer $CLAVE"') == 3


def test_un_puerto_ocupado_se_dice_en_una_frase(servicio: Instalacion) -> None:
    servicio.iniciar()
    servicio.esperar_lista()
    segundo = servicio.iniciar()
    assert segundo.wait(60) == 1
    (frase,) = servicio.salida(segundo).splitlines()
    assert frase.startswith(
        f"Alpes Partners · Tracking ya está en marcha en http://localhost:{servicio.puerto}: "
    )
    assert "ALPES_PUERTO" in frase


@pytest.mark.parametrize("contesta", [b"", b"HTTP/1.0 200 OK\r\n\r\nhola", b"220 correo\r\n"])
def test_un_puerto_de_otro_programa_se_dice_en_una_frase(servicio: Instalacion, contesta: bytes) -> None:
    with socket.create_server(("127.0.0.1", servicio.puerto)) as ajeno:

        def atender() -> None:
            conexion, _ = ajeno.accept()
            with conexion:
                conexion.sendall(contesta)

        hilo = threading.Thread(target=atender)
        hilo.start()
        proceso = servicio.iniciar()
        assert proceso.wait(60) == 1
        hilo.join()
    (frase,) = servicio.salida(proceso).splitlines()
    assert frase.startswith(f"El puerto {servicio.puerto} de 127.0.0.1 está ocupado: ")


@pytest.mark.parametrize("orden", [Instalacion.iniciar, Instalacion.api, Instalacion.consumidores])
def test_un_ajuste_mal_escrito_se_dice_una_vez_por_proceso_y_no_lo_que_vale(
    tmp_path: Path, orden: Callable[[Instalacion], "Popen[bytes]"]
) -> None:
    frase = "ALPES_PUERT0 no es un ajuste y no hace nada. ¿Quiso decir ALPES_PUERTO?"
    with instalacion(tmp_path, ALPES_PUERT0="secreto") as servicio:
        proceso = orden(servicio)
        hasta(lambda: '"event": "empieza"' in servicio.salida(proceso))
        if orden is Instalacion.iniciar:
            hasta(lambda: "Ctrl-C" in servicio.salida(proceso))
            assert f"  Atención: {frase}\n" in servicio.salida(proceso)
        assert servicio.salida(proceso).count(f'"event": "{frase}"') == 1
        assert "secreto" not in servicio.salida(proceso)


def test_un_ajuste_mal_escrito_se_dice_tambien_a_quien_solo_pregunta(servicio: Instalacion) -> None:
    servicio.ajustes["ALPES_PUERT0"] = "secreto"
    for orden in (("destino", "conversiones", "x"), ("cartas", "listar"), ("conciliar",), ("migrar",)):
        hecha = servicio.orden(*orden)
        assert "¿Quiso decir ALPES_PUERTO?" in hecha.stderr
        assert "secreto" not in hecha.stderr + hecha.stdout


def test_dos_servicios_en_dos_carpetas_no_se_ven(tmp_path: Path) -> None:
    with ExitStack() as pila:
        servicios = []
        for nombre in ("uno", "dos"):
            (tmp_path / nombre).mkdir()
            servicios.append(pila.enter_context(instalacion(tmp_path / nombre)))
        for servicio in servicios:
            servicio.iniciar()
        for numero, servicio in enumerate(servicios):
            servicio.esperar_consumidores()
            enviar_y_ver(servicio, f"imp-{numero}")
        assert [registradas(servicio) for servicio in servicios] == [{"imp-0"}, {"imp-1"}]


@pytest.mark.parametrize("orden", [Instalacion.iniciar, Instalacion.api, Instalacion.consumidores])
def test_una_carpeta_en_la_que_no_se_puede_escribir_se_dice_en_una_frase(
    tmp_path: Path, orden: Callable[[Instalacion], "Popen[bytes]"]
) -> None:
    (tmp_path / "datos").write_text("no soy una carpeta", encoding="utf-8")
    with instalacion(tmp_path) as servicio:
        proceso = orden(servicio)
        assert proceso.wait(60) != 0
        salida = servicio.salida(proceso)
        assert str(tmp_path / "datos") in salida
        assert "Traceback" not in salida


@pytest.mark.parametrize(
    ("estropear", "frase"),
    [
        ("ALTER TABLE impresiones DROP COLUMN referrer", "impresiones le falta la columna referrer"),
        (
            "DROP TABLE alembic_version",
            "falló la revisión 0001 (OperationalError: table impresiones already exists).",
        ),
    ],
    ids=["olvidada", "falla"],
)
def test_un_esquema_que_no_sirve_detiene_el_arranque_y_se_dice_por_que(
    servicio: Instalacion, estropear: str, frase: str
) -> None:
    assert servicio.orden("migrar").returncode == 0
    sql(servicio.datos, estropear)
    antes = sql(servicio.datos, "SELECT name, sql FROM sqlite_master")
    for arrancar in (servicio.iniciar, servicio.consumidores, servicio.api):
        proceso = arrancar()
        assert proceso.wait(60) != 0
        assert frase in servicio.salida(proceso)
    orden = servicio.orden("migrar")
    assert orden.returncode == 1
    assert orden.stderr.splitlines()[-1].startswith(f"La base de datos {servicio.datos}/tracking.sqlite3 ")
    assert frase in orden.stderr.splitlines()[-1]
    assert sql(servicio.datos, "SELECT name, sql FROM sqlite_master") == antes


def test_una_tabla_cambiada_en_marcha_se_dice_y_los_eventos_esperan(tmp_path: Path) -> None:
    comprobar_que_se_dice_y_los_eventos_esperan(tmp_path, sql)


@pytest.mark.parametrize(
    ("variable", "valor"),
    [
        ("ALPES_PUERTO", "muchos"),
        ("ALPES_PULSAR_URL", "http://secreto@a"),
        ("ALPES_BASE_DATOS", "mysql://usuario:secreto@a/b"),
        ("ALPES_LIMITE_CONFIRMACION", "-1"),
        ("ALPES_REGISTRO", "ruidoso"),
    ],
)
def test_un_ajuste_que_no_vale_detiene_el_arranque_y_se_nombra(
    tmp_path: Path, variable: str, valor: str
) -> None:
    with instalacion(tmp_path, **{variable: valor}) as servicio:
        for proceso in (servicio.iniciar(), servicio.api(), servicio.consumidores()):
            assert proceso.wait(60) == 1
            salida = servicio.salida(proceso)
            assert variable in salida
            assert "Traceback" not in salida
            assert "secreto" not in salida
