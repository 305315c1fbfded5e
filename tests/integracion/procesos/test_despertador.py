"""Esperar señales sin perder ninguna."""

import os
import signal

from alpespartners.seedwork.procesos.despertador import Despertador


def test_una_señal_que_llega_antes_de_dormir_despierta_igual() -> None:
    with Despertador(signal.SIGUSR1) as despertador:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert despertador.dormir(None) == {signal.SIGUSR1}


def test_sin_señales_duerme_hasta_el_plazo_o_hasta_que_haya_algo_que_leer() -> None:
    lectura, escritura = os.pipe()
    with Despertador(signal.SIGUSR1) as despertador:
        assert despertador.dormir(0.01, lectura) == set()
        os.write(escritura, b"x")
        assert despertador.dormir(None, lectura) == set()
    os.close(lectura)
    os.close(escritura)


def test_al_cerrarse_deja_las_señales_como_estaban() -> None:
    antes = signal.getsignal(signal.SIGUSR1)
    with Despertador(signal.SIGUSR1):
        assert signal.getsignal(signal.SIGUSR1) != antes
    assert signal.getsignal(signal.SIGUSR1) == antes
