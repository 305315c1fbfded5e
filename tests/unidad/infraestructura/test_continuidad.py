"""La continuidad del broker embebido: qué se da por callado y qué no."""

from alpespartners.modulos.tracking.infraestructura.pulsar.continuidad import Continuidad, Lugar


def con_recibidas(*entradas: int) -> Continuidad:
    continuidad = Continuidad()
    for entrada in entradas:
        continuidad.recibida(lugar(entrada))
    return continuidad


def lugar(entrada: int, libro: int = 7) -> Lugar:
    return (libro, entrada, -1)


def test_lo_que_ya_estaba_en_el_silencio_anterior_y_no_llego_falta() -> None:
    continuidad = con_recibidas(0, 1)
    assert not continuidad.falta_algo(lugar(2))
    assert continuidad.falta_algo(lugar(2))


def test_lo_que_se_publica_entre_dos_silencios_aun_no_falta() -> None:
    continuidad = con_recibidas(0, 1)
    assert not continuidad.falta_algo(lugar(1))
    assert not continuidad.falta_algo(lugar(2))
    continuidad.recibida(lugar(2))
    assert not continuidad.falta_algo(lugar(3))


def test_mientras_llegue_algo_no_hay_silencio_que_contar() -> None:
    continuidad = con_recibidas(0)
    assert not continuidad.falta_algo(lugar(5))
    continuidad.recibida(lugar(1))
    assert not continuidad.falta_algo(lugar(5))
    assert continuidad.falta_algo(lugar(5))


def test_una_reentrega_no_hace_retroceder_lo_recibido() -> None:
    continuidad = con_recibidas(0, 1, 2, 0)
    assert not continuidad.falta_algo(lugar(2))
    assert not continuidad.falta_algo(lugar(2))


def test_lo_que_hay_al_suscribirse_y_no_llega_se_da_por_confirmado_antes() -> None:
    continuidad = Continuidad()
    assert [continuidad.falta_algo(lugar(9)) for _ in range(3)] == [False, False, False]
    assert not continuidad.falta_algo(lugar(10))
    assert continuidad.falta_algo(lugar(10))


def test_un_libro_posterior_va_detras_de_todo_el_anterior() -> None:
    continuidad = con_recibidas(9)
    assert not continuidad.falta_algo(lugar(0, libro=8))
    assert continuidad.falta_algo(lugar(0, libro=8))
