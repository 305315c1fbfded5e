"""El límite de lo que se pide sin clave: por dirección, con memoria acotada y diciendo cuánto falta."""

import tracemalloc

import pytest

from alpespartners.api.http.limite_por_direccion import LimitePorDireccion
from alpespartners.api.http.problemas import ErrorHTTP
from alpespartners.seedwork.cubo import Cubo

SEGUNDO = 1_000_000_000


class _Reloj:
    ahora = 0

    def __call__(self) -> int:
        return self.ahora


def _limite(
    por_segundo: int | None = 2, rafaga: int = 3, maximo: int = 100, partes: int = 1
) -> tuple[LimitePorDireccion, _Reloj]:
    reloj = _Reloj()
    return LimitePorDireccion(por_segundo, rafaga, maximo, partes=partes, cronometro=reloj), reloj


def _entran(limite: LimitePorDireccion, direccion: str | None, intentos: int = 50) -> int:
    for entraron in range(intentos):
        try:
            limite.exigir(direccion)
        except ErrorHTTP:
            return entraron
    return intentos


def test_se_admiten_seguidas_las_de_la_rafaga_y_despues_las_del_ritmo() -> None:
    limite, reloj = _limite()
    assert _entran(limite, "192.0.2.1") == 6
    reloj.ahora += SEGUNDO
    assert _entran(limite, "192.0.2.1") == 2


def test_la_negativa_dice_cuanto_falta_y_quien_lo_espera_entra() -> None:
    limite, reloj = _limite()
    _entran(limite, "192.0.2.1")
    with pytest.raises(ErrorHTTP) as negada:
        limite.exigir("192.0.2.1")
    assert (negada.value.estado, negada.value.codigo) == (429, "demasiadas_peticiones")
    assert negada.value.cabeceras == {"Retry-After": "1"}
    reloj.ahora += SEGUNDO
    limite.exigir("192.0.2.1")


def test_lo_que_gasta_una_no_se_lo_quita_a_otra() -> None:
    limite, _ = _limite()
    _entran(limite, "192.0.2.1")
    assert _entran(limite, "192.0.2.2") == 6


def test_las_ipv6_de_una_misma_64_gastan_de_lo_mismo_y_las_de_otra_no() -> None:
    limite, _ = _limite()
    _entran(limite, "2001:db8:0:1::1")
    assert _entran(limite, "2001:db8:0:1:ffff::2") == 0
    assert _entran(limite, "2001:db8:0:2::1") == 6


def test_de_la_que_hace_mas_que_no_pide_se_olvida_lo_gastado() -> None:
    limite, _ = _limite(maximo=2)
    _entran(limite, "192.0.2.1")
    _entran(limite, "192.0.2.2")
    assert _entran(limite, "192.0.2.1") == 0
    _entran(limite, "192.0.2.3")
    assert _entran(limite, "192.0.2.1") == 0
    assert _entran(limite, "192.0.2.2") == 6


def test_pasen_las_que_pasen_solo_ocupan_las_que_se_recuerdan() -> None:
    def ocupa(cuantas: int) -> int:
        limite, _ = _limite(maximo=500)
        tracemalloc.start()
        for numero in range(cuantas):
            limite.exigir(f"2001:db8:{numero >> 16:x}:{numero & 0xFFFF:x}::1")
        ocupado = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return ocupado

    assert ocupa(20_000) < 2 * ocupa(500)


@pytest.mark.parametrize(("por_segundo", "direccion"), [(None, "192.0.2.1"), (1, None)])
def test_sin_limite_o_sin_saber_de_quien_es_no_se_niega_nada(
    por_segundo: int | None, direccion: str | None
) -> None:
    limite, _ = _limite(por_segundo)
    assert _entran(limite, direccion) == 50


def test_entre_dos_procesos_cada_uno_da_la_mitad() -> None:
    limite, _ = _limite(partes=2)
    assert _entran(limite, "192.0.2.1") == 3


def test_la_rafaga_de_un_cubo_es_la_que_se_dijo() -> None:
    cubo = Cubo(10, rafaga=5)
    entraron = 0
    while not cubo.falta(0):
        cubo.cobrar(1, 0)
        entraron += 1
    assert entraron == 50
