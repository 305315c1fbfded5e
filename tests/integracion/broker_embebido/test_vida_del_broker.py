"""Quién arranca el broker embebido, quién lo repone y cuándo termina, con procesos de verdad."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pulsar
import pytest

from alpespartners.broker_embebido import BrokerEmbebido, usuario
from alpespartners.seedwork.procesos.cerrojos import Cerrojo
from tests.apoyo.espera import hasta
from tests.apoyo.procesos import escuchas, procesador_gastado, procesos_de
from tests.apoyo.puertos import reservar_puerto_del_broker

_USUARIO = Path(__file__).parents[2] / "apoyo" / "usuario_broker.py"
_GRACIA = 0.2
_MENSAJES = [b"uno", b"dos", b"tres"]


def _guardianes(datos: Path) -> list[int]:
    return [pid for pid, orden in procesos_de(datos).items() if "broker_embebido.guardian" in orden]


def _el_guardian(datos: Path) -> int:
    """El que se queda; al principio se ve además a quien se separó de él y está terminando."""
    return hasta(lambda: pids[0] if len(pids := _guardianes(datos)) == 1 else None)


def _brokers(datos: Path) -> list[int]:
    return [pid for pid, orden in procesos_de(datos).items() if "--db-path" in orden]


def _otro_que(anterior: int, pids: list[int]) -> int | None:
    """El único pid, si ya no es el anterior."""
    return pids[0] if len(pids) == 1 and pids[0] != anterior else None


def _relevo(anterior: int, datos: Path) -> int | None:
    return _otro_que(anterior, _guardianes(datos))


@contextmanager
def _usuario(datos: Path, gracia: float = _GRACIA) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Otro proceso que usa el broker, y la dirección que recibió; al salir, se va."""
    with subprocess.Popen(
        [sys.executable, _USUARIO, datos, str(gracia)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as proceso:
        assert proceso.stdout is not None
        yield proceso, proceso.stdout.readline().strip()


@contextmanager
def _cliente(url: str) -> Iterator[pulsar.Client]:
    cliente = pulsar.Client(
        url, operation_timeout_seconds=10, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error)
    )
    try:
        yield cliente
    finally:
        cliente.close()


def _publicar(url: str) -> None:
    """Cada ``send`` vuelve con la confirmación del broker."""
    with _cliente(url) as cliente:
        productor = cliente.create_producer("pruebas")
        for mensaje in _MENSAJES:
            productor.send(mensaje)


def _leer(url: str) -> list[bytes]:
    with _cliente(url) as cliente:
        lector = cliente.create_reader("pruebas", pulsar.MessageId.earliest)
        return [lector.read_next(10_000).data() for _ in _MENSAJES]


def test_dos_procesos_de_una_carpeta_comparten_un_solo_broker(datos: Path) -> None:
    with _usuario(datos) as (_, url), BrokerEmbebido(datos, gracia=_GRACIA) as broker:
        assert broker.url == url
        assert _el_guardian(datos)
        assert len(_brokers(datos)) == 1


def test_muchos_que_arrancan_a_la_vez_comparten_un_solo_broker(datos: Path) -> None:
    brokers = [BrokerEmbebido(datos, gracia=_GRACIA) for _ in range(8)]
    hilos = [threading.Thread(target=broker.abrir) for broker in brokers]
    for hilo in hilos:
        hilo.start()
    for hilo in hilos:
        hilo.join()
    assert len({broker.url for broker in brokers}) == 1
    assert _el_guardian(datos)
    assert len(_brokers(datos)) == 1
    for broker in brokers:
        broker.cerrar()


def test_cuando_se_va_el_ultimo_usuario_terminan_el_broker_y_su_guardian(datos: Path) -> None:
    with _usuario(datos):
        with BrokerEmbebido(datos, gracia=_GRACIA):
            assert _brokers(datos)
        assert _brokers(datos)
    hasta(lambda: not procesos_de(datos))


def test_el_puerto_la_epoca_y_los_mensajes_se_conservan_de_una_vez_a_otra(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=_GRACIA) as primera:
        _publicar(primera.url)
    hasta(lambda: not procesos_de(datos))
    with BrokerEmbebido(datos, gracia=_GRACIA) as segunda:
        assert (segunda.url, segunda.epoca) == (primera.url, primera.epoca)
        assert _leer(segunda.url) == _MENSAJES


def test_si_se_borran_los_mensajes_la_epoca_es_otra(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=_GRACIA) as primera:
        pass
    hasta(lambda: not procesos_de(datos))
    shutil.rmtree(datos / "broker" / "mensajes.rocksdb")
    with BrokerEmbebido(datos, gracia=_GRACIA) as segunda:
        assert segunda.epoca != primera.epoca


def test_si_matan_al_guardian_un_usuario_arranca_otro_con_el_mismo_puerto_y_los_mensajes(datos: Path) -> None:
    with _usuario(datos) as (_, url), BrokerEmbebido(datos, gracia=_GRACIA):
        _publicar(url)
        guardian, (broker,) = _el_guardian(datos), _brokers(datos)
        os.kill(guardian, signal.SIGKILL)
        hasta(partial(_relevo, guardian, datos))
        hasta(lambda: _otro_que(broker, _brokers(datos)))
        assert _leer(url) == _MENSAJES


def test_si_matan_al_broker_el_guardian_lo_repone_con_el_mismo_puerto_y_los_mensajes(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=_GRACIA) as abierto:
        _publicar(abierto.url)
        (broker,) = _brokers(datos)
        os.kill(broker, signal.SIGKILL)
        hasta(lambda: _otro_que(broker, _brokers(datos)))
        assert _leer(abierto.url) == _MENSAJES


def test_un_productor_abierto_sigue_publicando_cuando_reponen_al_broker(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=_GRACIA) as abierto, _cliente(abierto.url) as cliente:
        productor = cliente.create_producer("pruebas", send_timeout_millis=20_000)
        productor.send(_MENSAJES[0])
        os.kill(_brokers(datos)[0], signal.SIGKILL)
        for mensaje in _MENSAJES[1:]:
            productor.send(mensaje)
        assert _leer(abierto.url) == _MENSAJES


def test_si_matan_a_la_vez_al_guardian_y_a_los_usuarios_no_queda_nadie(datos: Path) -> None:
    with _usuario(datos) as (uno, _), _usuario(datos) as (dos, _):
        guardian = _el_guardian(datos)
        for pid in (guardian, uno.pid, dos.pid):
            os.kill(pid, signal.SIGKILL)
    hasta(lambda: not procesos_de(datos))


def test_si_matan_a_los_usuarios_el_guardian_termina_solo(datos: Path) -> None:
    with _usuario(datos) as (proceso, _):
        proceso.kill()
    hasta(lambda: not procesos_de(datos))


def test_despues_de_cerrar_nadie_arranca_otro_guardian(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=600):
        pass
    guardian = _el_guardian(datos)
    os.kill(guardian, signal.SIGKILL)
    hasta(lambda: not any(hilo.name == "vigila-guardian" for hilo in threading.enumerate()))
    hasta(lambda: not procesos_de(datos))


def test_quien_llega_mientras_el_guardian_se_despide_encuentra_un_broker(datos: Path) -> None:
    for _ in range(2):
        with BrokerEmbebido(datos, gracia=600) as abierto:
            guardian = _el_guardian(datos)
        os.kill(guardian, signal.SIGTERM)
        with BrokerEmbebido(datos, gracia=_GRACIA) as siguiente:
            assert siguiente.url == abierto.url
            hasta(partial(_relevo, guardian, datos))
            _publicar(siguiente.url)
        hasta(lambda: not procesos_de(datos))


def test_quien_llega_cuando_el_broker_ya_se_va_recibe_el_siguiente_y_no_ese(
    datos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    despedida = datos / "broker" / "despedida"
    falso = datos / "falso"
    falso.write_text(
        '#!/bin/sh\ntrap "touch despedida" TERM\necho "Server listening on $4"\n'
        "while :; do sleep 0.1; done\n",
        encoding="ascii",
    )
    falso.chmod(0o700)
    monkeypatch.setattr(usuario, "encontrar_binario", lambda: falso)
    with BrokerEmbebido(datos, gracia=0):
        (primero,) = _brokers(datos)
    hasta(despedida.exists)
    with BrokerEmbebido(datos, gracia=0):
        assert _brokers(datos) != [primero]


def test_los_cerrojos_estan_tomados_mientras_viven_el_guardian_y_el_broker(datos: Path) -> None:
    cerrojos = [Cerrojo(datos / nombre) for nombre in ("guardian.lock", "broker.lock")]
    with _usuario(datos, gracia=600):
        pass
    assert not any(cerrojo.tomar(limite=0.5) for cerrojo in cerrojos)
    for pid in _guardianes(datos):
        os.kill(pid, signal.SIGKILL)
    assert all(cerrojo.tomar(limite=10) for cerrojo in cerrojos)
    for cerrojo in cerrojos:
        cerrojo.cerrar()


def test_con_sigterm_el_guardian_espera_a_los_usuarios_pero_no_la_gracia(datos: Path) -> None:
    with _usuario(datos, gracia=600) as (_, url):
        guardian = _el_guardian(datos)
        os.kill(guardian, signal.SIGTERM)
        _publicar(url)
    hasta(lambda: not procesos_de(datos))


def test_dos_carpetas_a_la_vez_tienen_dos_brokers_en_dos_puertos(datos: Path) -> None:
    """Sin puerto guardado: las dos quieren el mismo y arrancan en el mismo instante."""
    una, otra = datos / "una", datos / "otra"
    brokers = [BrokerEmbebido(carpeta, gracia=_GRACIA) for carpeta in (una, otra)]
    hilos = [threading.Thread(target=broker.abrir) for broker in brokers]
    for hilo in hilos:
        hilo.start()
    for hilo in hilos:
        hilo.join()
    assert brokers[0].url != brokers[1].url
    assert brokers[0].epoca != brokers[1].epoca
    for broker, carpeta in zip(brokers, (una, otra), strict=True):
        (pid,) = _brokers(carpeta)
        assert {f"pulsar://{direccion}:{puerto}" for direccion, puerto in escuchas(pid)} == {broker.url}
        broker.cerrar()


def test_si_el_6650_esta_ocupado_elige_otro_puerto_y_lo_conserva(datos: Path) -> None:
    (datos / "broker.json").unlink()
    with socket.socket() as ocupado:
        ocupado.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ocupado.bind(("127.0.0.1", 6650))
            ocupado.listen()
        except OSError:
            pass  # ya lo ocupa otro, que para esta prueba da lo mismo
        with BrokerEmbebido(datos, gracia=_GRACIA) as primera:
            assert not primera.url.endswith(":6650")
    hasta(lambda: not procesos_de(datos))
    with BrokerEmbebido(datos, gracia=_GRACIA) as segunda:
        assert segunda.url == primera.url


def test_si_otro_programa_ocupa_el_puerto_guardado_elige_otro_y_lo_guarda(datos: Path) -> None:
    guardado = reservar_puerto_del_broker(datos)
    with socket.socket() as ocupado:
        ocupado.bind(("127.0.0.1", guardado))
        ocupado.listen()
        with BrokerEmbebido(datos, gracia=_GRACIA) as primera:
            assert primera.url != f"pulsar://127.0.0.1:{guardado}"
            _publicar(primera.url)
    hasta(lambda: not procesos_de(datos))
    with BrokerEmbebido(datos, gracia=_GRACIA) as segunda:
        assert segunda.url == primera.url


@pytest.mark.parametrize("contenido", [b"", b"[]", b'{"puerto": "x"', b'{"puerto": 99999999, "pid": true}'])
def test_un_broker_json_estropeado_cuenta_como_si_no_estuviera(datos: Path, contenido: bytes) -> None:
    (datos / "broker.json").write_bytes(contenido)
    with BrokerEmbebido(datos, gracia=_GRACIA) as abierto:
        _publicar(abierto.url)


def test_el_broker_solo_escucha_en_la_propia_maquina_y_en_un_solo_puerto(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=_GRACIA):
        (pid,) = _brokers(datos)
        ((direccion, _),) = escuchas(pid)
    assert direccion == "127.0.0.1"


def test_la_carpeta_de_datos_se_crea_entera_y_solo_para_su_dueño(datos: Path) -> None:
    nueva = datos / "sin" / "crear"
    with BrokerEmbebido(nueva, gracia=_GRACIA):
        assert nueva.stat().st_mode & 0o777 == 0o700


def test_el_registro_del_broker_no_crece_sin_fin(datos: Path) -> None:
    registro = datos / "broker" / "registro.log"
    registro.parent.mkdir()
    registro.write_bytes(b"x" * 2 * 1024 * 1024)
    with BrokerEmbebido(datos, gracia=_GRACIA):
        hasta(lambda: registro.stat().st_size < 1024 * 1024)
        assert (datos / "broker" / "registro.anterior.log").stat().st_size > 1024 * 1024


def test_el_guardian_apenas_gasta_procesador_mientras_no_pasa_nada(datos: Path) -> None:
    with BrokerEmbebido(datos, gracia=_GRACIA):
        guardian = _el_guardian(datos)
        antes, desde = procesador_gastado(guardian), time.monotonic()
        hasta(lambda: time.monotonic() - desde >= 3, cada=0.5)
        assert procesador_gastado(guardian) - antes <= 0.05
