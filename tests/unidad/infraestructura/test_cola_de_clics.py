"""La cola de clics: guarda lo que el broker no confirmó y lo envía después, una vez y en orden."""

import asyncio
import errno
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.cola_de_clics import ColaDeClicsEnDisco, RitmoDeLaCola
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando
from alpespartners.seedwork.cola_en_disco import ColaEnDisco
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import IMPRESION

_MEGA = 1024 * 1024
_RITMO = RitmoDeLaCola(espera_del_disco=5.0, entre_intentos=0.01, entre_adopciones=0.05)
_TRAZA = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class ReenvioFalso:
    """Confirma lo que la prueba diga."""

    disponible: bool = True
    confirma: Any = lambda _numero: True
    recibidos: list[Sobre] = field(default_factory=list)

    async def reenviar(self, sobres: Sequence[Sobre]) -> list[bool]:
        self.recibidos += sobres
        return [self.confirma(sobre.propiedades["ce_id"]) for sobre in sobres]

    @property
    def ids(self) -> list[str]:
        return [sobre.propiedades["ce_id"] for sobre in self.recibidos]


async def _guardar(cola: ColaDeClicsEnDisco, *comandos: str) -> None:
    await asyncio.gather(*(cola.guardar(IMPRESION, comando_id=cual, traza=None) for cual in comandos))


async def _vacia(carpeta: Path) -> None:
    await hasta_en_el_bucle(lambda: ColaEnDisco(carpeta, _MEGA).cuenta()[0] == 0)


async def test_lo_guardado_se_envia_tal_cual_se_iba_a_publicar(tmp_path: Path) -> None:
    reenvio = ReenvioFalso()
    cola = ColaDeClicsEnDisco(tmp_path, _MEGA, reenvio, _RITMO)
    comando = replace(IMPRESION, id="ñandú", propiedades={"sub1": "añil"}, señales=("visita_repetida",))
    async with cola.enviando():
        await cola.guardar(comando, comando_id="c-1", traza=_TRAZA)
        await _vacia(tmp_path)
    assert reenvio.recibidos == [sobre_de_comando(comando, "c-1", _TRAZA)]


async def test_sin_broker_esperan_y_al_volver_se_envian_todos_una_vez(tmp_path: Path) -> None:
    reenvio = ReenvioFalso(disponible=False)
    cola = ColaDeClicsEnDisco(tmp_path, _MEGA, reenvio, _RITMO)
    ids = [f"c-{numero}" for numero in range(500)]
    async with cola.enviando():
        await _guardar(cola, *ids)
        assert (await cola.cuenta()).en_espera == 500
        assert reenvio.ids == []
        reenvio.disponible = True
        await _vacia(tmp_path)
    assert reenvio.ids == ids


async def test_lo_que_no_se_confirma_se_envia_otra_vez_y_nada_se_salta(tmp_path: Path) -> None:
    negados = {"c-1"}
    reenvio = ReenvioFalso(confirma=lambda cual: cual not in negados)
    cola = ColaDeClicsEnDisco(tmp_path, _MEGA, reenvio, _RITMO)
    async with cola.enviando():
        await _guardar(cola, "c-0", "c-1", "c-2")
        await hasta_en_el_bucle(lambda: reenvio.ids.count("c-1") > 2)
        negados.clear()
        await _vacia(tmp_path)
    assert set(reenvio.ids) == {"c-0", "c-1", "c-2"}


async def test_el_que_se_confirma_mientras_espera_no_se_envia_otra_vez(tmp_path: Path) -> None:
    reenvio = ReenvioFalso()
    cola = ColaDeClicsEnDisco(tmp_path, _MEGA, reenvio, _RITMO)
    en_curso = [asyncio.get_running_loop().create_future() for _ in range(3)]
    async with cola.enviando():
        for numero, envio in enumerate(en_curso):
            await cola.guardar(IMPRESION, comando_id=f"c-{numero}", traza=None, en_curso=envio)
        en_curso[0].set_result(True)
        en_curso[1].set_result(False)
        en_curso[2].set_exception(RuntimeError())
        await _vacia(tmp_path)
    assert reenvio.ids == ["c-1", "c-2"]


async def test_lo_que_queda_al_terminar_lo_envia_el_siguiente_proceso(tmp_path: Path) -> None:
    cola = ColaDeClicsEnDisco(tmp_path, _MEGA, ReenvioFalso(disponible=False), _RITMO)
    async with cola.enviando():
        await _guardar(cola, "c-1", "c-2")
    reenvio = ReenvioFalso()
    siguiente = ColaDeClicsEnDisco(tmp_path, _MEGA, reenvio, _RITMO)
    async with siguiente.enviando():
        await _vacia(tmp_path)
    assert reenvio.ids == ["c-1", "c-2"]


async def test_los_que_no_caben_se_cuentan_como_perdidos(tmp_path: Path) -> None:
    cola = ColaDeClicsEnDisco(tmp_path, 5_000, ReenvioFalso(disponible=False), _RITMO)
    async with cola.enviando():
        await _guardar(cola, *(f"c-{numero}" for numero in range(100)))
        cuenta = await cola.cuenta()
    assert cuenta.en_espera > 0
    assert cuenta.perdidos > 0
    assert cuenta.en_espera + cuenta.perdidos == 100


async def test_sin_disco_ni_broker_se_cuentan_como_perdidos_y_nadie_falla(tmp_path: Path) -> None:
    (tmp_path / "clics").write_text("no es una carpeta", encoding="ascii")
    cola = ColaDeClicsEnDisco(tmp_path / "clics", _MEGA, ReenvioFalso(disponible=False), _RITMO)
    async with cola.enviando():
        await _guardar(cola, "c-1", "c-2")
        assert (await cola.cuenta()).perdidos == 2


async def test_el_que_no_cabe_solo_se_pierde_si_su_envio_en_curso_tampoco_se_confirma(tmp_path: Path) -> None:
    cola = ColaDeClicsEnDisco(tmp_path, 1, ReenvioFalso(disponible=False), _RITMO)
    en_curso = [asyncio.get_running_loop().create_future() for _ in range(3)]
    async with cola.enviando():
        for numero, envio in enumerate(en_curso):
            await cola.guardar(IMPRESION, comando_id=f"c-{numero}", traza=None, en_curso=envio)
        assert (await cola.cuenta()).perdidos == 0
        en_curso[0].set_result(True)
        en_curso[1].set_result(False)
        en_curso[2].set_exception(RuntimeError())
        await hasta_en_el_bucle(lambda: ColaEnDisco(tmp_path, 1).cuenta() == (0, 2))
        await _guardar(cola, "c-3")
        assert (await cola.cuenta()).perdidos == 3


async def test_un_disco_que_no_responde_no_retiene_a_nadie_y_lo_que_acaba_guardando_no_se_pierde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    responde = threading.Event()
    agregar = ColaEnDisco.agregar

    def lento(cola: ColaEnDisco, registros: Sequence[bytes]) -> int:
        responde.wait(30)
        return agregar(cola, registros)

    monkeypatch.setattr(ColaEnDisco, "agregar", lento)
    reenvio = ReenvioFalso()
    cola = ColaDeClicsEnDisco(tmp_path, _MEGA, reenvio, replace(_RITMO, espera_del_disco=0.01))
    async with cola.enviando():
        await _guardar(cola, "c-1", "c-2")
        assert not responde.is_set()
        responde.set()
        await hasta_en_el_bucle(lambda: reenvio.ids == ["c-1", "c-2"])


async def test_un_fallo_del_disco_al_enviar_no_detiene_los_envios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    primeros, fallos = ColaEnDisco.primeros, iter([OSError(errno.EIO, "no responde"), RuntimeError("otro")])

    def falla_dos_veces(cola: ColaEnDisco, maximo: int) -> list[bytes]:
        for fallo in fallos:
            raise fallo
        return primeros(cola, maximo)

    monkeypatch.setattr(ColaEnDisco, "primeros", falla_dos_veces)
    reenvio = ReenvioFalso()
    cola = ColaDeClicsEnDisco(tmp_path, _MEGA, reenvio, _RITMO)
    async with cola.enviando():
        await _guardar(cola, "c-1")
        await hasta_en_el_bucle(lambda: reenvio.ids == ["c-1"])
