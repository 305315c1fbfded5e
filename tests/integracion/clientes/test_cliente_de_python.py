"""El cliente de Python frente a una API de mentira: qué repite, qué no, qué avisa y qué deja al cerrar."""

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from alpespartners_cliente import Cliente, ColaLlena, ColaOcupada, SinEnviar, envio
from alpespartners_cliente.tipos import NuevaImpresion
from tests.apoyo.api_falsa import (
    ApiFalsa,
    Evento,
    Respuesta,
    api_falsa,
    con_codigo,
    con_estados,
    todo_aceptado,
)
from tests.apoyo.espera import hasta
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.repositorio import RAIZ

CLAVE = "clave-secreta-123"


@pytest.fixture(autouse=True)
def sin_esperas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envio, "_PRIMERA_ESPERA", 0.01)


@pytest.fixture
def api() -> Iterator[ApiFalsa]:
    with api_falsa() as falsa:
        yield falsa


def impresion(id_evento: str) -> NuevaImpresion:
    return {"id": id_evento, "campaña_id": "c"}


def estado(veredicto: "Future[Any]") -> str:
    resuelto: str = veredicto.result(30)["estado"]
    return resuelto


def test_lo_que_llega_junto_sale_junto_comprimido_y_con_la_clave(api: ApiFalsa) -> None:
    with Cliente(f"{api.direccion}/alpes/", clave=CLAVE, cada=0.2) as cliente:
        envios = [cliente.impresion(impresion(f"i-{n}")) for n in range(50)]
        assert [uno.id for uno in envios] == [f"i-{n}" for n in range(50)]
        assert {estado(uno.veredicto) for uno in envios} == {"ACEPTADA"}
    assert [len(lote) for lote in api.lotes] == [50]
    (pedido,) = api.peticiones
    assert pedido["ruta"] == "/alpes/tracking/lotes"
    assert pedido["authorization"] == f"Bearer {CLAVE}"
    assert (pedido["content-type"], pedido["content-encoding"]) == ("application/x-ndjson", "gzip")


def test_mas_de_mil_van_en_varios_lotes_sin_esperar_compañia() -> None:
    with api_falsa(parada=True) as api, Cliente(api.direccion, cada=60) as cliente:
        for numero in range(2_001):
            cliente.impresion(impresion(f"i-{numero}"))
        api.sigue.set()
        hasta(lambda: cliente.pendientes == 1)
        cliente.cerrar()
    assert sum(len(lote) for lote in api.lotes) == 2_001
    assert max(len(lote) for lote in api.lotes) == 1_000


def test_lo_que_comprimido_no_pasaria_va_sin_comprimir(api: ApiFalsa) -> None:
    with Cliente(api.direccion) as cliente:
        for numero in range(40):
            cliente.impresion({**impresion(f"i-{numero}"), "propiedades": {"a": "x" * 60_000}})
    assert "content-encoding" not in api.peticiones[0]
    assert len(api.ids) == 40


def test_solo_se_repite_lo_que_quedo_sin_confirmar(api: ApiFalsa) -> None:
    rechazados: list[tuple[str, str]] = []
    api.guion += [
        con_estados("ACEPTADA", "SIN_CONFIRMAR", "RECHAZADA"),
        con_estados("SIN_CONFIRMAR", codigo=503),
    ]
    with Cliente(
        api.direccion,
        al_rechazar=lambda evento, faltas: rechazados.append((evento["id"], faltas[0]["codigo"])),
    ) as cliente:
        envios = [cliente.impresion(impresion(id_evento)) for id_evento in "abc"]
        assert [estado(uno.veredicto) for uno in envios] == ["ACEPTADA", "ACEPTADA", "RECHAZADA"]
    assert [[evento["id"] for evento in lote] for lote in api.lotes] == [["a", "b", "c"], ["b"], ["b"]]
    assert rechazados == [("c", "requerido")]


@pytest.mark.parametrize("codigo", [408, 429, 500, 502, 503, 504])
def test_un_fallo_pasajero_se_repite_con_los_mismos_eventos_y_se_avisa_una_vez(
    api: ApiFalsa, caplog: pytest.LogCaptureFixture, codigo: int
) -> None:
    api.guion += [con_codigo(codigo), con_codigo(codigo)]
    with Cliente(api.direccion, cada=0) as cliente:
        assert estado(cliente.impresion(impresion("a")).veredicto) == "ACEPTADA"
    assert api.ids == ["a", "a", "a"]
    assert api.lotes[0] == api.lotes[2]
    assert [dicho.levelname for dicho in caplog.records] == ["WARNING"]


def test_a_quien_no_da_abasto_le_llega_la_mitad_y_despues_otra_vez_mas(api: ApiFalsa) -> None:
    api.guion += [con_codigo(408), con_codigo(503)]
    with Cliente(api.direccion, cada=60) as cliente:
        for numero in range(8):
            cliente.impresion(impresion(f"i-{numero}"))
    assert [len(lote) for lote in api.lotes] == [8, 4, 2, 4, 2]


def test_si_se_pide_esperar_no_se_repite_antes_ni_al_cerrar(api: ApiFalsa) -> None:
    api.guion.append(con_codigo(429, Retry_After="60"))
    cliente = Cliente(api.direccion, cada=0)
    envio_a = cliente.impresion(impresion("a"))
    hasta(lambda: api.ids == ["a"])
    informe = cliente.cerrar(plazo=0.2)
    assert informe.pendientes == 1
    assert "429" in informe.motivo
    assert "se pierden" in informe.motivo
    assert api.ids == ["a"]
    with pytest.raises(SinEnviar, match="se pierden"):
        envio_a.veredicto.result(0)


def test_un_lote_que_no_cabe_se_parte_y_el_evento_que_no_cabe_solo_se_rechaza(api: ApiFalsa) -> None:
    api.guion += [con_codigo(413, {"type": "urn:alpespartners:error:cuerpo_demasiado_grande"})] * 2
    with Cliente(api.direccion) as cliente:
        primero = cliente.impresion(impresion("a"))
        demas = [cliente.impresion(impresion(id_evento)) for id_evento in "bc"]
        assert primero.veredicto.result(30)["estado"] == "RECHAZADA"
        assert [estado(uno.veredicto) for uno in demas] == ["ACEPTADA", "ACEPTADA"]
    assert [len(lote) for lote in api.lotes[:2]] == [3, 1]


def test_el_413_de_un_intermediario_no_rechaza_nada_y_la_cola_se_conserva(
    api: ApiFalsa, caplog: pytest.LogCaptureFixture
) -> None:
    rechazados: list[str] = []
    api.guion += [con_codigo(413, b"<html>nginx</html>")] * 9
    cliente = Cliente(api.direccion, al_rechazar=lambda evento, _: rechazados.append(evento["id"]))
    for id_evento in "abc":
        cliente.impresion(impresion(id_evento))
    hasta(lambda: "debe arreglarlo alguien" in caplog.text)
    assert cliente.cerrar(plazo=0).pendientes == 3
    assert rechazados == []
    assert [len(lote) for lote in api.lotes[:2]] == [3, 1]


def test_una_clave_mala_se_dice_una_vez_sin_enseñarla_y_conserva_la_cola(
    api: ApiFalsa, caplog: pytest.LogCaptureFixture
) -> None:
    api.guion += [con_codigo(401, {"title": "Clave requerida"})] * 2
    cliente = Cliente(api.direccion, clave=CLAVE, cada=0)
    cliente.impresion(impresion("a"))
    hasta(lambda: any("401" in dicho.message for dicho in caplog.records))
    assert CLAVE not in repr(cliente)
    informe = cliente.cerrar(plazo=30)
    assert informe.pendientes == 1
    assert "Clave requerida" in informe.motivo
    assert len([dicho for dicho in caplog.records if "debe arreglarlo alguien" in dicho.message]) == 1
    assert CLAVE not in caplog.text


@pytest.mark.parametrize("clave", ["con blanco", "con\nsalto", "ñ"])
def test_una_clave_que_no_cabe_en_una_cabecera_se_niega_sin_repetirla(clave: str) -> None:
    with pytest.raises(ValueError, match=r"^clave: ") as negada:
        Cliente("http://127.0.0.1:1", clave=clave)
    assert clave not in str(negada.value)


@pytest.mark.parametrize(
    "direccion",
    [
        "ftp://a",
        "localhost:8000",
        "http://u:p@a",
        "http:///x",
        "http://a:x",
        "http://a:99999",
        "http://a:0",
        "http://" + "ñ" * 70,
        "http://[a",
        "http://a/ñ",
        "http://a/b c",
        "http://a/\n",
        "http://a/?b=c",
        "http://a/#b",
    ],
)
def test_una_direccion_que_no_sirve_se_niega_sin_repetirla(direccion: str) -> None:
    with pytest.raises(ValueError, match=r"^direccion: ") as negada:
        Cliente(direccion)
    assert direccion not in str(negada.value)


def test_un_archivo_que_no_es_una_cola_se_niega_y_no_se_toca(tmp_path: Path) -> None:
    archivo = tmp_path / "ajeno"
    archivo.write_text("no soy una cola " * 99, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^archivo: .*ajeno no es una cola"):
        Cliente("http://127.0.0.1:1", archivo=archivo)
    assert archivo.read_text(encoding="utf-8") == "no soy una cola " * 99


def test_un_cliente_cerrado_no_se_queda_en_memoria(api: ApiFalsa) -> None:
    cliente = Cliente(api.direccion)
    queda = weakref.ref(cliente)
    cliente.cerrar()
    del cliente
    hasta(lambda: gc.collect() >= 0 and queda() is None)


def test_la_clave_se_toma_del_ambiente(api: ApiFalsa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPES_CLAVE", CLAVE)
    with Cliente(api.direccion) as cliente:
        cliente.impresion(impresion("a"))
    assert api.peticiones[0]["authorization"] == f"Bearer {CLAVE}"


def test_con_la_cola_llena_encolar_espera_sitio() -> None:
    with api_falsa(parada=True) as api, Cliente(api.direccion, maximo_en_cola=2, cada=0) as cliente:
        for id_evento in "ab":
            cliente.impresion(impresion(id_evento))
        encolado = threading.Event()

        def encolar_otro() -> None:
            cliente.impresion(impresion("c"))
            encolado.set()

        hilo = threading.Thread(target=encolar_otro)
        hilo.start()
        assert not encolado.wait(0.1)
        api.sigue.set()
        assert encolado.wait(30)
        hilo.join()
    assert set(api.ids) == set("abc")


def test_si_no_hay_sitio_a_tiempo_se_dice_y_no_se_encola() -> None:
    with (
        api_falsa(parada=True) as api,
        Cliente(api.direccion, maximo_en_cola=1, espera_si_llena=0.05, cada=0) as cliente,
    ):
        cliente.impresion(impresion("a"))
        with pytest.raises(ColaLlena, match=r"sigue llena \(1\)"):
            cliente.impresion(impresion("b"))
        api.sigue.set()
    assert set(api.ids) == {"a"}


def test_un_al_rechazar_que_falla_no_para_a_los_demas(
    api: ApiFalsa, caplog: pytest.LogCaptureFixture
) -> None:
    api.guion.append(con_estados("RECHAZADA"))

    def fallar(*_: object) -> None:
        raise ZeroDivisionError

    with Cliente(api.direccion, al_rechazar=fallar, cada=0) as cliente:
        assert estado(cliente.impresion(impresion("a")).veredicto) == "RECHAZADA"
        assert estado(cliente.impresion(impresion("b")).veredicto) == "ACEPTADA"
    assert "al_rechazar falló con el evento a" in caplog.text


def test_encolar_tras_cerrar_se_niega_y_cerrar_dos_veces_dice_lo_mismo(api: ApiFalsa) -> None:
    cliente = Cliente(api.direccion)
    cliente.impresion(impresion("a"))
    assert cliente.cerrar() == cliente.cerrar() == (0, "")
    with pytest.raises(RuntimeError, match="cerrado"):
        cliente.impresion(impresion("b"))


def test_muchos_hilos_encolan_a_la_vez_y_no_falta_ni_sobra_ninguno(api: ApiFalsa) -> None:
    with Cliente(api.direccion, cada=0) as cliente:
        hilos = [
            threading.Thread(
                target=lambda h=h: [cliente.impresion(impresion(f"{h}-{n}")) for n in range(200)]
            )
            for h in range(8)
        ]
        for hilo in hilos:
            hilo.start()
        for hilo in hilos:
            hilo.join()
    assert sorted(api.ids) == sorted(f"{h}-{n}" for h in range(8) for n in range(200))


def _programa(codigo: str, *argumentos: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", codigo, *argumentos],
        env=os.environ | {"PYTHONPATH": str(RAIZ / "clientes" / "python")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_un_programa_que_acaba_sin_cerrar_envia_lo_que_queda(api: ApiFalsa) -> None:
    codigo = "import sys; from alpespartners_cliente import Cliente; c = Cliente(sys.argv[1], cada=60)\n"
    codigo += "for n in range(30): c.impresion({'id': str(n), 'campaña_id': 'c'})"
    _, error = _programa(codigo, api.direccion).communicate(timeout=60)
    assert (error, len(api.ids)) == ("", 30)


def test_al_acabar_sin_api_se_dice_cuantos_se_pierden() -> None:
    codigo = "import sys; from alpespartners_cliente import Cliente; c = Cliente(sys.argv[1], cada=0)\n"
    codigo += "c.impresion({'campaña_id': 'c'}); print(c.cerrar(plazo=0.3))"
    dicho, _ = _programa(codigo, f"http://127.0.0.1:{puerto_libre()}").communicate(timeout=60)
    assert "pendientes=1" in dicho
    assert "ConnectionRefusedError" in dicho
    assert "se pierden" in dicho


def test_un_proceso_bifurcado_no_envia_lo_del_padre_y_envia_lo_suyo(api: ApiFalsa) -> None:
    codigo = """
import os, sys
from alpespartners_cliente import Cliente
c = Cliente(sys.argv[1], cada=60)
c.impresion({"id": "del padre", "campaña_id": "c"})
hijo = os.fork()
c.impresion({"id": "otro del padre" if hijo else "del hijo", "campaña_id": "c"})
c.cerrar()
if hijo:
    os.waitpid(hijo, 0)
"""
    _, error = _programa(codigo, api.direccion).communicate(timeout=60)
    assert error == ""
    assert sorted(api.ids) == ["del hijo", "del padre", "otro del padre"]


def test_un_proceso_bifurcado_no_toca_la_cola_en_archivo_del_padre(api: ApiFalsa, tmp_path: Path) -> None:
    codigo = """
import os, sys
from alpespartners_cliente import Cliente
c = Cliente(sys.argv[1], archivo=sys.argv[2], cada=60)
c.impresion({"id": "a", "campaña_id": "c"})
if not (hijo := os.fork()):
    try:
        c.impresion({"id": "del hijo", "campaña_id": "c"})
    except RuntimeError as error:
        sys.stdout.write(str(error))
    c._cola.cerrar()  # lo que hará el intérprete al acabar, si llega a ello
    sys.exit()
os.waitpid(hijo, 0)
c.impresion({"id": "b", "campaña_id": "c"})
os.kill(os.getpid(), 9)
"""
    archivo = tmp_path / "cola.db"
    dicho, _ = _programa(codigo, api.direccion, str(archivo)).communicate(timeout=60)
    assert "es del padre" in dicho
    with Cliente(api.direccion, archivo=archivo):
        pass
    assert api.ids == ["a", "b"]


def test_lo_encolado_en_archivo_sobrevive_a_la_muerte_y_lo_envia_el_siguiente(tmp_path: Path) -> None:
    archivo = tmp_path / "cola.db"
    codigo = """
import sys
from alpespartners_cliente import Cliente
c = Cliente(sys.argv[1], archivo=sys.argv[2])
n = 0
while True:
    c.impresion({"id": str(n), "campaña_id": "c"})
    print(n, flush=True)
    n += 1
"""
    proceso = _programa(codigo, f"http://127.0.0.1:{puerto_libre()}", str(archivo))
    assert proceso.stdout is not None
    encolados = [proceso.stdout.readline().strip() for _ in range(200)]
    with pytest.raises(ColaOcupada):
        Cliente("http://127.0.0.1:1", archivo=archivo)
    proceso.send_signal(signal.SIGKILL)
    encolados += proceso.communicate()[0].split()
    with api_falsa() as api:
        with Cliente(api.direccion, archivo=archivo) as cliente:
            assert cliente.pendientes in {len(encolados), len(encolados) + 1}
        assert api.ids[: len(encolados)] == encolados
        assert cliente.cerrar().pendientes == 0
        with Cliente(api.direccion, archivo=archivo) as vacio:
            assert vacio.pendientes == 0


def test_la_cola_en_archivo_solo_la_lee_su_dueño(tmp_path: Path) -> None:
    archivo = tmp_path / "cola.db"
    Cliente("http://127.0.0.1:1", archivo=archivo).cerrar()
    assert archivo.stat().st_mode & 0o077 == 0


def test_lo_que_se_sabe_tras_cerrar_no_toca_la_cola(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    archivo = tmp_path / "cola.db"
    with api_falsa(parada=True) as api:
        cliente = Cliente(api.direccion, archivo=archivo, cada=0)
        cliente.impresion(impresion("a"))
        hasta(lambda: api.ids == ["a"])
        informe = cliente.cerrar(plazo=0)
        assert informe == (1, f"no dio tiempo; los enviará el próximo que abra {archivo}")
        with caplog.at_level(logging.ERROR), Cliente(api.direccion, archivo=archivo) as otro:
            assert otro.pendientes == 1
            api.sigue.set()
    assert api.ids == ["a", "a"]
    assert "falló" not in caplog.text


def _sin_confirmar(malo: str) -> Callable[[list[Evento]], Respuesta]:
    def responder(lote: list[Evento]) -> Respuesta:
        estados = ["SIN_CONFIRMAR" if evento["id"] == malo else "ACEPTADA" for evento in lote]
        return con_estados(*estados, codigo=200 if "ACEPTADA" in estados else 503)(lote)

    return responder


@pytest.mark.parametrize(
    "respuesta",
    [
        _sin_confirmar("malo"),
        lambda lote: con_codigo(413, b"nginx")(lote) if lote[0]["id"] == "malo" else todo_aceptado(lote),
        lambda lote: con_codigo(500)(lote) if lote[0]["id"] == "malo" else todo_aceptado(lote),
    ],
)
def test_un_evento_que_nunca_se_sabe_no_para_a_los_que_van_detras(
    api: ApiFalsa, monkeypatch: pytest.MonkeyPatch, respuesta: Callable[[list[Evento]], Respuesta]
) -> None:
    monkeypatch.setattr(envio, "_ESPERA_MAXIMA", 0.05)
    api.guion += [respuesta] * 2_000
    cliente = Cliente(api.direccion, cada=0)
    cliente.impresion(impresion("malo"))
    for vuelta in range(20):
        demas = [cliente.impresion(impresion(f"{vuelta}-{n}")) for n in range(20)]
        assert {estado(uno.veredicto) for uno in demas} == {"ACEPTADA"}
    assert cliente.pendientes == 1
    hasta(lambda: api.ids.count("malo") > 3)
    assert cliente.cerrar(plazo=0).pendientes == 1


def test_al_cerrar_se_intenta_una_vez_mas_lo_que_no_tenia_remedio(
    api: ApiFalsa, caplog: pytest.LogCaptureFixture
) -> None:
    api.guion.append(con_codigo(401))
    cliente = Cliente(api.direccion, cada=0)
    cliente.impresion(impresion("a"))
    hasta(lambda: "debe arreglarlo alguien" in caplog.text)
    assert cliente.cerrar(plazo=30) == (0, "")


def test_desde_al_rechazar_ni_se_espera_sitio_ni_se_cierra(api: ApiFalsa) -> None:
    api.guion.append(con_estados("RECHAZADA"))
    dichos: list[str] = []

    def al_rechazar(*_: object) -> None:
        with pytest.raises(ColaLlena) as llena:
            cliente.impresion(impresion("b"))
        with pytest.raises(RuntimeError, match="use otro hilo") as cierre:
            cliente.cerrar()
        dichos.extend([str(llena.value), str(cierre.value)])

    cliente = Cliente(api.direccion, maximo_en_cola=1, espera_si_llena=None, cada=0, al_rechazar=al_rechazar)
    assert estado(cliente.impresion(impresion("a")).veredicto) == "RECHAZADA"
    assert len(dichos) == 2
    assert cliente.cerrar().pendientes == 0


def test_quien_espera_un_veredicto_no_para_a_los_demas_ni_con_sys_exit(
    api: ApiFalsa, caplog: pytest.LogCaptureFixture
) -> None:
    api.guion.append(con_estados("RECHAZADA"))
    with Cliente(api.direccion, al_rechazar=lambda *_: sys.exit(), cada=0.2) as cliente:
        primero = cliente.impresion(impresion("a"))
        primero.veredicto.add_done_callback(lambda _: sys.exit())
        assert estado(primero.veredicto) == "RECHAZADA"
        assert estado(cliente.impresion(impresion("b")).veredicto) == "ACEPTADA"
    assert "al_rechazar falló con el evento a" in caplog.text
    assert "Falló lo que esperaba un veredicto" in caplog.text


def test_un_evento_encolado_no_se_cancela_y_su_veredicto_llega(
    api: ApiFalsa, caplog: pytest.LogCaptureFixture
) -> None:
    with Cliente(api.direccion, cada=0.2) as cliente:
        encolado = cliente.impresion(impresion("a"))
        assert not encolado.veredicto.cancel()
        assert estado(encolado.veredicto) == "ACEPTADA"
    assert caplog.text == ""


def test_lo_que_espera_un_veredicto_al_cerrar_se_llama_sin_el_cerrojo() -> None:
    cliente = Cliente(f"http://127.0.0.1:{puerto_libre()}", cada=60)
    libres: list[bool] = []

    def otro_hilo(_: object) -> None:
        hilo = threading.Thread(target=cliente.cerrar, daemon=True)
        hilo.start()
        hilo.join(5)
        libres.append(not hilo.is_alive())

    cliente.impresion(impresion("a")).veredicto.add_done_callback(otro_hilo)
    cliente.cerrar(plazo=0)
    assert libres == [True]
