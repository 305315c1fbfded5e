"""Qué procesos arrancan `iniciar` y `api`, sin arrancarlos."""

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from alpespartners.cli import principal, servicio
from alpespartners.composicion import procesos
from alpespartners.seedwork.observacion.cuenta_comun import Puesto
from alpespartners.seedwork.procesos.supervisor import Hijo


@pytest.fixture
def supervisados(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Hijo]]:
    """Los hijos que la orden pidió supervisar."""
    pedidos: list[Hijo] = []

    def supervisar(hijos: Sequence[Hijo]) -> None:
        pedidos.extend(hijos)
        for puesto in _puestos(hijos):
            assert puesto.carpeta.is_dir()

    monkeypatch.setenv("ALPES_DATOS", str(tmp_path))
    monkeypatch.setattr(servicio, "supervisar", supervisar)
    monkeypatch.setattr(servicio, "_anunciar", lambda *_: None)
    # Las órdenes dejan que los cierre el final de su proceso, que aquí no llega.
    uno, otro = socket.socketpair()
    with uno, otro:
        monkeypatch.setattr(servicio, "_escuchar", lambda _: uno)
        monkeypatch.setattr(socket, "socketpair", lambda: (uno, otro))
        yield pedidos


def _puestos(hijos: Sequence[Hijo]) -> list[Puesto]:
    return [argumento for hijo in hijos for argumento in hijo.argumentos if isinstance(argumento, Puesto)]


def _ejecutar(*orden: str) -> None:
    with pytest.raises(SystemExit) as salida:
        principal(orden)
    assert not salida.value.code


def test_iniciar_supervisa_tantas_api_como_se_piden_en_el_mismo_puerto_y_unos_consumidores(
    supervisados: list[Hijo],
) -> None:
    _ejecutar("iniciar", "--procesos=3")
    assert [hijo.nombre for hijo in supervisados] == ["api 1", "api 2", "api 3", "consumidores"]
    assert len({id(hijo.argumentos[1]) for hijo in supervisados[:3]}) == 1
    assert [puesto.numero for puesto in _puestos(supervisados)] == [1, 2, 3]


def test_la_carpeta_de_la_cuenta_comun_es_una_y_no_queda_al_terminar(supervisados: list[Hijo]) -> None:
    _ejecutar("api", "--procesos=2")
    (carpeta,) = {puesto.carpeta for puesto in _puestos(supervisados)}
    assert not carpeta.exists()


def test_con_un_proceso_no_hay_cuenta_comun(supervisados: list[Hijo]) -> None:
    _ejecutar("iniciar", "--procesos=1")
    assert [hijo.nombre for hijo in supervisados] == ["api", "consumidores"]
    assert _puestos(supervisados) == []


@pytest.mark.parametrize("orden", ["iniciar", "api"])
def test_los_procesos_del_ambiente_valen_lo_mismo_y_los_de_la_orden_mandan(
    supervisados: list[Hijo], monkeypatch: pytest.MonkeyPatch, orden: str
) -> None:
    monkeypatch.setenv("ALPES_PROCESOS", "2")
    _ejecutar(orden)
    assert len(_puestos(supervisados)) == 2
    supervisados.clear()
    _ejecutar(orden, "--procesos=4")
    assert len(_puestos(supervisados)) == 4


def test_solo_iniciar_migra(supervisados: list[Hijo]) -> None:
    _ejecutar("iniciar", "--procesos=2")
    assert {hijo.trabajo for hijo in supervisados[:2]} == {procesos.migrar_y_servir_api}
    supervisados.clear()
    _ejecutar("api", "--procesos=2")
    assert {hijo.trabajo for hijo in supervisados} == {procesos.servir_api}


def test_sin_donde_escribir_la_cuenta_comun_se_dice_en_una_frase(
    supervisados: list[Hijo], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def negarse(**_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("tempfile.TemporaryDirectory", negarse)
    with pytest.raises(SystemExit) as salida:
        principal(["api", "--procesos=2"])
    dicho = f"{salida.value.code}{capsys.readouterr().err}"
    assert "hace falta una carpeta temporal en la que se pueda escribir" in dicho
    assert supervisados == []
