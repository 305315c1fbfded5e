"""Lo que se registra lleva su lectura: de qué sale, y qué no cambia por ella."""

from dataclasses import replace

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Registrada
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, recibido
from tests.apoyo.libro_en_memoria import TransaccionEnMemoria
from tests.apoyo.procedencias import LectorDePrueba


@pytest.fixture
def libro() -> TransaccionEnMemoria:
    return TransaccionEnMemoria()


def lectura_de(libro: TransaccionEnMemoria, id_evento: str) -> Lectura | None:
    return libro.eventos(clases.IMPRESIONES).obtener([id_evento])[id_evento].lectura


def test_lo_registrado_lleva_la_lectura_de_su_contenido_y_de_las_señales_de_su_comando(
    libro: TransaccionEnMemoria,
) -> None:
    comando = replace(IMPRESION, user_agent="Navegador", señales=("visita_repetida",))
    asentado = ManejadorDeRegistro(clases.IMPRESIONES, LectorDePrueba()).manejar(
        [recibido(comando, "c-1")], libro, AHORA
    )
    lectura = Lectura(reglas="1", navegador="Navegador", recibidas=("visita_repetida",))
    assert lectura_de(libro, IMPRESION.id or "") == lectura
    assert [destino.destino for destino in asentado.destinos] == [Registrada()]


def test_sin_nadie_que_lea_se_registra_sin_lectura(libro: TransaccionEnMemoria) -> None:
    ManejadorDeRegistro(clases.IMPRESIONES).manejar([recibido(IMPRESION, "c-1")], libro, AHORA)
    assert lectura_de(libro, IMPRESION.id or "") is None


def test_lo_que_no_se_registra_no_se_lee(libro: TransaccionEnMemoria) -> None:
    lector = LectorDePrueba()
    mala = replace(CONVERSION, valor=None, moneda=None)
    ManejadorDeRegistro(clases.CONVERSIONES, lector).manejar([recibido(mala, "c-1")], libro, AHORA)
    assert lector.leidos == 0


def test_una_reentrega_leida_con_otras_reglas_no_cambia_lo_registrado(libro: TransaccionEnMemoria) -> None:
    mensaje = recibido(IMPRESION, "c-1")
    ManejadorDeRegistro(clases.IMPRESIONES, LectorDePrueba("1")).manejar([mensaje], libro, AHORA)
    asentado = ManejadorDeRegistro(clases.IMPRESIONES, LectorDePrueba("2")).manejar([mensaje], libro, AHORA)
    assert asentado.destinos == []
    leida = lectura_de(libro, IMPRESION.id or "")
    assert leida is not None
    assert leida.reglas == "1"


def test_repetir_un_envio_desde_otro_sitio_no_es_otro_evento(libro: TransaccionEnMemoria) -> None:
    manejador = ManejadorDeRegistro(clases.IMPRESIONES, LectorDePrueba(robots={"robot"}))
    otro = replace(IMPRESION, user_agent="robot", señales=("visita_repetida",))
    lote = [recibido(IMPRESION, "c-1"), recibido(otro, "c-2", huella=bytes([1] * 16))]
    destinos = [destino.destino for destino in manejador.manejar(lote, libro, AHORA).destinos]
    assert destinos == [Registrada(), Duplicada("c-1", ("user_agent",))]


def test_el_comando_de_una_fila_se_reconoce_aunque_las_reglas_hayan_cambiado(
    libro: TransaccionEnMemoria,
) -> None:
    mensaje = recibido(IMPRESION, "c-1", huella=bytes([7] * 16))
    ManejadorDeRegistro(clases.IMPRESIONES, LectorDePrueba("1")).manejar([mensaje], libro, AHORA)
    eventos = libro.eventos(clases.IMPRESIONES).eventos
    eventos[IMPRESION.id or ""] = replace(eventos[IMPRESION.id or ""], huella=None)
    de_hoy = ManejadorDeRegistro(clases.IMPRESIONES, LectorDePrueba("2"))
    assert de_hoy.reconocer([mensaje], libro, AHORA) == {IMPRESION.id: bytes([7] * 16)}
