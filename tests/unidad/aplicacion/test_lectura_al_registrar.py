"""Lo que se registra lleva su lectura: de qué sale, y qué no cambia por ella."""

from dataclasses import replace
from typing import Any

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Registrada
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, impresion, recibido
from tests.apoyo.libro_en_memoria import TransaccionEnMemoria
from tests.apoyo.procedencias import LECTURA, LectorDePrueba


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


# La procedencia de una compra es la de su clic

PROPIA = Lectura(reglas="2", navegador="servidor/1", bot=True, señales=("agente_de_robot",))
COMPRA = replace(CONVERSION, user_agent="servidor/1", clic_id="clic-1")


def con_clic(libro: TransaccionEnMemoria, **cambios: Any) -> None:
    """Deja registrado un clic de esa lectura."""
    clic = impresion(**{"id": "clic-1", "tipo_evento": "CLIC", **cambios})
    libro.eventos(clases.IMPRESIONES).agregar([replace(clic, lectura=LECTURA)])


def comprar(libro: TransaccionEnMemoria, *compras: RegistrarConversion) -> list[Lectura | None]:
    """Registra esas compras en un lote, y da sus lecturas."""
    lector = LectorDePrueba("2", robots={"servidor/1"})
    lote = [recibido(compra, f"de-{compra.id}") for compra in compras]
    ManejadorDeRegistro(clases.CONVERSIONES, lector).manejar(lote, libro, AHORA)
    registradas = libro.eventos(clases.CONVERSIONES).obtener([compra.id or "" for compra in compras])
    return [registrada.lectura for registrada in registradas.values()]


def test_una_compra_viene_de_donde_vino_su_clic_y_si_es_de_un_robot_lo_dice_lo_suyo(
    libro: TransaccionEnMemoria,
) -> None:
    con_clic(libro)
    assert comprar(libro, COMPRA) == [
        replace(
            LECTURA,
            reglas="2",
            bot=True,
            señales=("agente_de_robot",),
            recibidas=("procedencia_del_clic",),
            clase=None,
        )
    ]


@pytest.mark.parametrize(
    "no_es_el_suyo", [{"id": "otro"}, {"campaña_id": "otra"}, {"tipo_evento": "IMPRESION"}], ids=str
)
def test_lo_que_no_es_un_clic_de_su_campaña_no_dice_de_donde_vino(
    libro: TransaccionEnMemoria, no_es_el_suyo: dict[str, str]
) -> None:
    con_clic(libro, **no_es_el_suyo)
    assert comprar(libro, COMPRA) == [PROPIA]


def test_nadie_puede_decir_por_su_cuenta_que_su_procedencia_es_la_de_su_clic(
    libro: TransaccionEnMemoria,
) -> None:
    assert comprar(libro, replace(COMPRA, señales=("procedencia_del_clic",))) == [PROPIA]


def test_los_clics_de_un_lote_se_leen_de_una_vez_y_si_nadie_dice_uno_no_se_leen(
    libro: TransaccionEnMemoria,
) -> None:
    comprar(libro, *(replace(COMPRA, id=f"sin-{n}", clic_id=None) for n in range(3)))
    assert libro.clics.preguntas == 0
    comprar(libro, *(replace(COMPRA, id=f"con-{n}", clic_id=f"clic-{n}") for n in range(3)))
    assert libro.clics.preguntas == 1


def test_quien_registra_sin_leer_no_lee_tampoco_los_clics(libro: TransaccionEnMemoria) -> None:
    con_clic(libro)
    ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido(COMPRA, "c-1")], libro, AHORA)
    (compra,) = libro.eventos(clases.CONVERSIONES).eventos.values()
    assert (compra.lectura, libro.clics.preguntas) == (None, 0)


def test_un_clic_que_dice_venir_de_otro_tiene_su_propia_procedencia(libro: TransaccionEnMemoria) -> None:
    con_clic(libro)
    lote = [recibido(replace(IMPRESION, clic_id="clic-1", user_agent="el suyo"), "c-1")]
    ManejadorDeRegistro(clases.IMPRESIONES, LectorDePrueba()).manejar(lote, libro, AHORA)
    assert lectura_de(libro, IMPRESION.id or "") == Lectura(reglas="1", navegador="el suyo")


# Y al reconstruir


def test_el_comando_de_una_fila_se_reconoce_aunque_las_reglas_hayan_cambiado(
    libro: TransaccionEnMemoria,
) -> None:
    mensaje = recibido(IMPRESION, "c-1", huella=bytes([7] * 16))
    ManejadorDeRegistro(clases.IMPRESIONES, LectorDePrueba("1")).manejar([mensaje], libro, AHORA)
    eventos = libro.eventos(clases.IMPRESIONES).eventos
    eventos[IMPRESION.id or ""] = replace(eventos[IMPRESION.id or ""], huella=None)
    de_hoy = ManejadorDeRegistro(clases.IMPRESIONES, LectorDePrueba("2"))
    assert de_hoy.reconocer([mensaje], libro, AHORA) == {IMPRESION.id: bytes([7] * 16)}
