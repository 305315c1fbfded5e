"""Varios procesos de la API en un puerto: reparten el trabajo, cuentan juntos y ninguno hace falta."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.apoyo.espera import hasta
from tests.apoyo.procesos import conexiones, escuchas
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion
from tests.muerte.auditoria import auditar, embebida, esperar_calma
from tests.muerte.carga import Carga

_ALPES = str(BINARIOS / "alpespartners")
_IMPRESION = {"campaña_id": "cmp-456"}

Muestras = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        yield nueva


def _apis(servicio: Instalacion) -> set[int]:
    """Los procesos que atienden el puerto; quien los supervisa lo tiene abierto y no acepta."""
    apis = set()
    for numero, orden in servicio.procesos().items():
        # Puede morir mientras se mira.
        with suppress(OSError):
            if "spawn_main" in orden and ("127.0.0.1", servicio.puerto) in escuchas(numero):
                apis.add(numero)
    return apis


def _esperar_apis(servicio: Instalacion, cuantas: int, sin: int = 0) -> set[int]:
    """Espera a que atiendan el puerto tantos procesos, entre los que no está ese."""
    return hasta(lambda: apis if len(apis := _apis(servicio) - {sin}) == cuantas else None)


@contextmanager
def _clientes_de_todos(servicio: Instalacion, apis: set[int]) -> Iterator[list[httpx2.Client]]:
    """Clientes con una conexión abierta cada uno, entre los que hay de todos los procesos."""
    clientes: list[httpx2.Client] = []
    with ExitStack() as pila:

        def hay_de_todos() -> bool:
            cliente = httpx2.Client(base_url=servicio.http.base_url, timeout=30, trust_env=False)
            clientes.append(pila.enter_context(cliente))
            assert cliente.get("/salud/viva").status_code == 200
            return all(conexiones(numero, servicio.puerto) for numero in apis)

        hasta(hay_de_todos)
        yield clientes


def _metricas(cliente: httpx2.Client) -> Muestras:
    respuesta = cliente.get("/metricas")
    assert respuesta.status_code == 200
    return {
        (muestra.name, frozenset(muestra.labels.items())): muestra.value
        for familia in text_string_to_metric_families(respuesta.text)
        for muestra in familia.samples
    }


def _suma(
    muestras: Mapping[tuple[str, frozenset[tuple[str, str]]], float], nombre: str, **etiquetas: str
) -> float:
    return sum(
        valor
        for (suyo, suyas), valor in muestras.items()
        if suyo == nombre and etiquetas.items() <= dict(suyas).items()
    )


def test_todos_responden_y_cualquiera_cuenta_lo_de_todos_una_vez(servicio: Instalacion) -> None:
    principal = servicio.lanzar([_ALPES, "iniciar", "--procesos", "2"])
    servicio.esperar_consumidores()
    apis = _esperar_apis(servicio, 2)
    with _clientes_de_todos(servicio, apis) as clientes:
        for numero, cliente in enumerate(clientes):
            enviado = cliente.post(
                "/tracking/impresiones",
                json=_IMPRESION | {"id": f"imp-{numero}"},
                headers={"Prefer": "wait=30"},
            )
            assert enviado.status_code == 201
        for cliente in clientes:
            muestras = _metricas(cliente)
            for nombre in ("alpes_comandos_aceptados_total", "alpes_confirmacion_segundos_count"):
                assert _suma(muestras, nombre) == len(clientes)
            # El balance es de todos, y sumado entre los dos saldría el doble.
            assert _suma(muestras, "alpes_comandos_total", estado="REGISTRADA") == len(clientes)
            assert _suma(muestras, "alpes_consumidores") == 1
            assert cliente.get("/docs").status_code == 200
        hasta(lambda: _suma(_metricas(clientes[0]), "alpes_broker_disponible") == 1)
    assert servicio.salida(principal).count("está en marcha") == 1


def test_cualquiera_dice_cuantas_peticiones_esperan_en_todos(servicio: Instalacion) -> None:
    servicio.lanzar([_ALPES, "api"], ALPES_PROCESOS="2")
    servicio.esperar_lista()
    apis = _esperar_apis(servicio, 2)
    with _clientes_de_todos(servicio, apis) as clientes, ThreadPoolExecutor(len(clientes)) as hilos:
        esperando = [
            hilos.submit(
                cliente.post, "/tracking/impresiones", json=_IMPRESION, headers={"Prefer": "wait=60"}
            )
            for cliente in clientes
        ]
        hasta(lambda: _suma(_metricas(servicio.http), "alpes_esperas") == len(clientes))
        servicio.consumidores()
        assert [respuesta.result().status_code for respuesta in esperando] == [201] * len(clientes)
        hasta(lambda: _suma(_metricas(servicio.http), "alpes_esperas") == 0)


def test_matar_a_uno_bajo_carga_no_pierde_nada_ni_hace_bajar_ninguna_cuenta(servicio: Instalacion) -> None:
    principal = servicio.lanzar([_ALPES, "iniciar", "--procesos", "2"])
    servicio.esperar_consumidores()
    apis = _esperar_apis(servicio, 2)
    carga = Carga([servicio.puerto], semilla=1, clientes=8)
    with _mirando_las_cuentas(servicio) as bajadas:
        carga.empezar()
        try:
            for victima in sorted(apis):
                _esperar_aceptados(carga, 100)
                os.kill(victima, signal.SIGKILL)
                _esperar_apis(servicio, 2, sin=victima)
            _esperar_aceptados(carga, 100)
        finally:
            carga.terminar()
    assert bajadas == []
    assert principal.poll() is None
    esperar_calma(embebida(servicio), carga)
    assert auditar(embebida(servicio), carga).discrepancias == []
    # De los que aceptó un muerto puede faltar la respuesta, pero no la cuenta.
    assert _suma(_metricas(servicio.http), "alpes_comandos_aceptados_total") >= len(carga.aceptados)


def _esperar_aceptados(carga: Carga, cuantos: int) -> None:
    """Espera a que haya tantos más."""
    antes = len(carga.aceptados)
    hasta(lambda: len(carga.aceptados) >= antes + cuantos)


@contextmanager
def _mirando_las_cuentas(servicio: Instalacion) -> Iterator[list[str]]:
    """Pregunta sin parar a quien conteste; entrega las cuentas que bajaron, y no pueden."""
    parar = threading.Event()
    bajadas: list[str] = []
    miradas = 0

    def mirar() -> None:
        nonlocal miradas
        antes: Muestras = {}
        while not parar.wait(0.05):
            try:
                # Una conexión nueva cada vez: la acepta cualquiera.
                with httpx2.Client(base_url=servicio.http.base_url, timeout=30, trust_env=False) as cliente:
                    ahora = {
                        cual: valor
                        for cual, valor in _metricas(cliente).items()
                        if cual[0].endswith(("_total", "_count", "_bucket", "_sum"))
                    }
            except httpx2.TransportError:
                continue
            bajadas.extend(f"{cual}: {valor}" for cual, valor in antes.items() if ahora.get(cual, 0) < valor)
            antes = ahora
            miradas += 1

    hilo = threading.Thread(target=mirar)
    hilo.start()
    try:
        yield bajadas
    finally:
        parar.set()
        hilo.join()
        assert miradas > 1


@pytest.mark.parametrize("orden", ["iniciar", "api"])
@pytest.mark.parametrize("señal", [signal.SIGINT, signal.SIGTERM])
def test_una_señal_los_termina_a_todos_y_no_queda_ni_su_cuenta(
    servicio: Instalacion, orden: str, señal: signal.Signals
) -> None:
    principal = servicio.lanzar([_ALPES, orden, "--procesos", "2"])
    servicio.esperar_lista()
    cuenta = _carpeta_de_la_cuenta(servicio, 2)
    os.killpg(principal.pid, señal)
    assert principal.wait(10) == 0
    assert "Traceback" not in servicio.salida(principal)
    assert not cuenta.exists()
    hasta(lambda: not _sin_el_broker(servicio))


def _sin_el_broker(servicio: Instalacion) -> list[str]:
    """Lo que sigue en marcha; el guardián del broker espera unos segundos por si alguien vuelve."""
    return [orden for orden in servicio.procesos().values() if "broker_embebido.guardian" not in orden]


def _carpeta_de_la_cuenta(servicio: Instalacion, cuantas: int) -> Path:
    """Donde tienen sus archivos de métricas los procesos de la API, cuando los tienen todos."""

    def carpetas() -> list[Path]:
        abiertas: list[Path] = []
        for numero in _apis(servicio):
            mapa = Path(f"/proc/{numero}/maps").read_text(encoding="utf-8").splitlines()
            abiertas += {Path(linea.split()[-1]).parent for linea in mapa if linea.endswith(".db")}
        return abiertas

    (carpeta,) = set(hasta(lambda: todas if len(todas := carpetas()) == cuantas else None))
    assert carpeta.is_dir()
    return carpeta


def test_si_matan_a_quien_los_supervisa_no_queda_ninguno_ni_su_cuenta(servicio: Instalacion) -> None:
    principal = servicio.lanzar([_ALPES, "api", "--procesos", "3"])
    servicio.esperar_lista()
    cuenta = _carpeta_de_la_cuenta(servicio, 3)
    principal.kill()
    principal.wait(60)
    hasta(lambda: not _sin_el_broker(servicio))
    assert not cuenta.exists()


@pytest.mark.parametrize("orden", ["iniciar", "api"])
def test_si_no_pueden_arrancar_todo_termina_con_la_frase_una_sola_vez(
    servicio: Instalacion, orden: str
) -> None:
    (servicio.datos / "tracking.sqlite3").mkdir()
    principal = servicio.lanzar([_ALPES, orden, "--procesos", "2"])
    assert principal.wait(60) == 1
    salida = servicio.salida(principal)
    assert "Traceback" not in salida
    frases = [
        linea for linea in salida.splitlines() if linea.startswith("No se puede abrir la base de datos")
    ]
    assert frases == salida.splitlines()[-1:]
