"""Qué aprende un proceso de consumidores de la muerte del anterior."""

import asyncio
from io import BytesIO
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.infraestructura.consumo.en_mano import EnMano, archivo_en_mano
from alpespartners.seedwork.arranque import ErrorDeArranque

MAXIMO = 1_000


@pytest.fixture
def archivo() -> BytesIO:
    return BytesIO()


def nuevo(archivo: BytesIO) -> EnMano:
    """El proceso que arranca después del último que usó ese archivo."""
    archivo.seek(0)
    return EnMano(archivo, MAXIMO)


def muere(archivo: BytesIO, *mensajes: str) -> EnMano:
    """Un proceso que muere con esos mensajes en mano; devuelve el siguiente."""
    nuevo(archivo).trabajando(mensajes).__enter__()
    return nuevo(archivo)


def ids(cuantos: int) -> list[str]:
    return [f"m-{numero}" for numero in range(cuantos)]


def test_la_primera_vez_no_hay_de_que_cuidarse(archivo: BytesIO) -> None:
    en_mano = nuevo(archivo)
    assert en_mano.limite == MAXIMO
    assert not en_mano.con_cautela


def test_terminar_sin_nada_en_mano_no_enseña_nada(archivo: BytesIO) -> None:
    with nuevo(archivo).trabajando(ids(10)):
        pass
    assert not nuevo(archivo).con_cautela


@pytest.mark.parametrize("excepcion", [ZeroDivisionError, asyncio.CancelledError])
def test_una_excepcion_o_que_se_cancele_no_es_una_muerte(
    archivo: BytesIO, excepcion: type[BaseException]
) -> None:
    with pytest.raises(excepcion), nuevo(archivo).trabajando(ids(10)):
        raise excepcion
    assert not nuevo(archivo).con_cautela


def test_lo_que_no_es_una_excepcion_corriente_si_es_una_muerte(archivo: BytesIO) -> None:
    with pytest.raises(SystemExit), nuevo(archivo).trabajando(ids(10)):
        raise SystemExit
    assert nuevo(archivo).limite == 5


def test_cada_muerte_parte_en_dos_lo_que_habia_en_mano_hasta_llegar_a_uno(archivo: BytesIO) -> None:
    limites = []
    for _ in range(11):
        en_mano = muere(archivo, *ids(nuevo(archivo).limite))
        limites.append(en_mano.limite)
    assert limites == [500, 250, 125, 62, 31, 15, 7, 3, 1, 1, 1]


def test_con_dos_lotes_en_mano_cuentan_los_dos(archivo: BytesIO) -> None:
    en_mano = nuevo(archivo)
    en_mano.trabajando(["a"]).__enter__()
    en_mano.trabajando(["b"]).__enter__()
    en_mano = nuevo(archivo)
    assert en_mano.limite == 1
    for mensaje in ("a", "b"):
        assert muere(archivo, mensaje).limite == 1
        assert not nuevo(archivo).mata(mensaje)


def test_el_lote_crece_cuando_se_asento_tanto_como_habia_en_mano(archivo: BytesIO) -> None:
    en_mano = muere(archivo, *ids(100))
    limites = []
    for _ in range(7):
        en_mano.asentados(ids(en_mano.limite))
        limites.append(en_mano.limite)
    assert limites == [50, 100, 200, 400, 800, 1_000, 1_000]
    assert not en_mano.con_cautela
    assert not nuevo(archivo).con_cautela


def test_un_mensaje_se_condena_a_la_tercera_muerte_seguida_con_el_solo(archivo: BytesIO) -> None:
    assert [muere(archivo, "a").mata("a") for _ in range(3)] == [False, False, True]
    assert not nuevo(archivo).mata("b")


def test_morir_a_solas_con_otro_mensaje_empieza_la_cuenta_de_nuevo(archivo: BytesIO) -> None:
    muere(archivo, "a")
    muere(archivo, "a")
    muere(archivo, "b")
    assert not muere(archivo, "a").mata("a")


def test_un_mensaje_que_llega_a_asentarse_deja_de_ser_sospechoso(archivo: BytesIO) -> None:
    muere(archivo, "a")
    en_mano = muere(archivo, "a")
    en_mano.asentados(["a"])
    assert not muere(archivo, "a").mata("a")


def test_asentar_a_otros_no_borra_la_sospecha(archivo: BytesIO) -> None:
    muere(archivo, "a")
    muere(archivo, "a").asentados(["b"])
    assert muere(archivo, "a").mata("a")


@pytest.mark.parametrize("escrito", [b"\x00" * 1024, b"{", b'{"limite": "muchos"}', b'{"limite": -5}'])
def test_un_archivo_estropeado_no_impide_trabajar(escrito: bytes) -> None:
    en_mano = nuevo(BytesIO(escrito))
    assert en_mano.limite >= 1
    with en_mano.trabajando(["a"]):
        pass


def test_dos_procesos_con_la_misma_carpeta_no_comparten_archivo_y_el_sucesor_halla_el_suyo(
    tmp_path: Path,
) -> None:
    datos = tmp_path / "nueva"
    primero, segundo = archivo_en_mano(datos), archivo_en_mano(datos)
    primero.write(b"uno")
    segundo.write(b"dos")
    primero.close()
    with archivo_en_mano(datos) as sucesor:
        assert sucesor.read() == b"uno"
    segundo.close()
    assert {ruta.name: ruta.stat().st_mode & 0o777 for ruta in datos.iterdir()} == {
        "en-mano": 0o600,
        "en-mano-2": 0o600,
    }


def test_una_carpeta_en_la_que_no_se_puede_escribir_se_dice_en_una_frase(tmp_path: Path) -> None:
    (tmp_path / "archivo").touch()
    with pytest.raises(ErrorDeArranque, match=r"^No se puede escribir .*en-mano \(.+\)\.$"):
        archivo_en_mano(tmp_path / "archivo")
