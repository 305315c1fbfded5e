"""La conciliación sobre una base de datos de verdad y unos tópicos que la prueba llena."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.aplicacion.conciliacion import TipoDeHallazgo
from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import EsquemaDesconocido
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    EVENTO_CONVERSION_REGISTRADA,
)
from alpespartners.modulos.tracking.dominio.eventos import ConversionRegistrada
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import sobre_de_comando, sobre_de_evento
from alpespartners.modulos.tracking.infraestructura.pulsar.confirmado import Confirmado, ConfirmadoDeParticion
from tests.apoyo.base_datos import sql
from tests.apoyo.eventos import AHORA, CONVERSION, conversion
from tests.apoyo.procedencias import LECTURA
from tests.apoyo.topicos_y_libro import TopicosYLibro, topicos_y_libro

HUELLA = "0123456789abcdef"
DE_OTRA_VERSION = {
    "ce_dataschema": f"urn:avro:com.alpespartners.tracking.v1.ComandoRegistrarConversion#{HUELLA}"
}


@pytest.fixture
def caso(tmp_path: Path) -> Generator[TopicosYLibro]:
    with topicos_y_libro(tmp_path) as nuevo:
        yield nuevo


def test_un_sistema_en_calma_cuadra_y_dice_en_que_acabo_cada_comando(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.publicar(CONVERSION, "c-1")
    caso.publicar(CONVERSION, "c-2")
    caso.publicar(replace(CONVERSION, campaña_id="otra"), "c-3")
    caso.topicos.guardar(Sobre(COMANDO_REGISTRAR_CONVERSION, "k", {"ce_id": "c-4"}, b"\xff"))
    caso.consumir()
    caso.relevar()
    _, _, comandos, eventos = caso.conciliar()
    assert caso.hallazgos == []
    assert (comandos.mensajes, comandos.distintos) == (5, 4)
    assert comandos.cuadran == {"REGISTRADA": 1, "DUPLICADA": 1, "conflicto_de_id": 1, "ILEGIBLE": 1}
    assert (eventos.mensajes, eventos.distintos, eventos.cuadran) == (1, 1, {"REGISTRADA": 1})


def test_un_comando_sin_destino_y_mas_nuevo_que_lo_procesado_esta_en_vuelo(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1", segundo=10)
    caso.consumir()
    caso.relevar()
    caso.publicar(replace(CONVERSION, id="nueva"), "c-2", segundo=11)
    caso.publicar(replace(CONVERSION, id="tardía"), "c-3", segundo=8)
    caso.conciliar(margen=3)
    assert caso.tipos() == [TipoDeHallazgo.EN_VUELO, TipoDeHallazgo.EN_VUELO]
    caso.conciliar(margen=1)
    (falta,) = [h for h in caso.hallazgos if h.tipo.es_discrepancia]
    assert (falta.tipo, falta.comando_id, falta.evento_id) == (
        TipoDeHallazgo.FALTA_EL_DESTINO,
        "c-3",
        "tardía",
    )


def test_si_se_puede_preguntar_al_cursor_decide_el_y_no_la_hora(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1", segundo=10)
    caso.consumir()
    caso.relevar()
    caso.publicar(replace(CONVERSION, id="confirmada"), "c-2", segundo=11)
    caso.publicar(replace(CONVERSION, id="en-vuelo"), "c-3", segundo=1)
    caso.confirmado = Confirmado([ConfirmadoDeParticion((1, 1), ())])
    caso.conciliar()
    assert [(h.tipo, h.evento_id) for h in caso.hallazgos] == [
        (TipoDeHallazgo.FALTA_EL_DESTINO, "confirmada"),
        (TipoDeHallazgo.EN_VUELO, "en-vuelo"),
    ]


def test_un_comando_de_una_version_posterior_esta_en_vuelo_por_viejo_que_sea(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1", segundo=10)
    sobre = sobre_de_comando(replace(CONVERSION, id="posterior"), "c-2", None)
    caso.topicos.guardar(sobre._replace(propiedades=sobre.propiedades | DE_OTRA_VERSION))
    caso.consumir()
    caso.relevar()
    caso.conciliar()
    assert [(h.tipo, h.comando_id, h.evento_id) for h in caso.hallazgos] == [
        (TipoDeHallazgo.EN_VUELO, "c-2", "posterior")
    ]
    caso.confirmado = Confirmado([ConfirmadoDeParticion((1, 9), ())])
    caso.conciliar()
    assert caso.tipos() == [TipoDeHallazgo.FALTA_EL_DESTINO]


def test_un_evento_de_una_version_posterior_impide_conciliar_y_no_es_una_discrepancia(
    caso: TopicosYLibro,
) -> None:
    sobre = sobre_de_evento(ConversionRegistrada(conversion()), None)
    del_evento = {"ce_dataschema": f"urn:avro:{sobre.propiedades['ce_type']}#{HUELLA}"}
    caso.topicos.guardar(sobre._replace(propiedades=sobre.propiedades | del_evento))
    with pytest.raises(EsquemaDesconocido, match=HUELLA):
        caso.conciliar()
    assert caso.hallazgos == []


def test_sin_nada_procesado_todo_esta_en_vuelo(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.conciliar()
    assert caso.tipos() == [TipoDeHallazgo.EN_VUELO]


def test_lo_que_se_asienta_mientras_se_lee_aparece_al_mirar_otra_vez(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1", segundo=10)
    caso.consumir()
    caso.publicar(replace(CONVERSION, id="otra"), "c-2")
    caso.publicar(CONVERSION, "c-3")

    def asentar(que: str, _cuantos: int) -> None:
        if que == COMANDO_REGISTRAR_CONVERSION:
            caso.consumir()
            caso.relevar()

    caso.al_avanzar = asentar
    _, _, comandos, eventos = caso.conciliar()
    assert caso.hallazgos == []
    assert comandos.cuadran == {"REGISTRADA": 2, "DUPLICADA": 1}
    assert eventos.cuadran == {"REGISTRADA": 2}


def test_un_evento_en_la_bandeja_de_salida_esta_en_camino_y_si_no_esta_falta(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.consumir()
    caso.relevar()
    caso.publicar(replace(CONVERSION, id="otra"), "c-2")
    caso.consumir()
    *_, eventos = caso.conciliar()
    assert (caso.hallazgos, eventos.en_camino) == ([], 1)
    sql(caso.datos, "DELETE FROM carriles")
    caso.conciliar()
    assert [(h.tipo, h.evento_id) for h in caso.hallazgos] == [(TipoDeHallazgo.FALTA_EL_EVENTO, "otra")]


def test_lo_anterior_a_lo_que_el_broker_guarda_no_se_puede_verificar_y_no_es_un_fallo(
    caso: TopicosYLibro,
) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.publicar(CONVERSION, "c-2")
    caso.publicar(replace(CONVERSION, id="otra"), "c-3", segundo=5)
    caso.consumir()
    caso.relevar()
    del caso.topicos.guardados[COMANDO_REGISTRAR_CONVERSION][:2]
    caso.topicos.guardados[EVENTO_CONVERSION_REGISTRADA].clear()
    caso.conciliar()
    assert set(caso.tipos()) == {TipoDeHallazgo.NO_VERIFICABLE}
    assert len(caso.hallazgos) == 4


def test_un_topico_con_particiones_guarda_desde_lo_que_guarda_la_que_menos(caso: TopicosYLibro) -> None:
    for segundo in range(1, 6):
        caso.publicar(CONVERSION, f"c-{segundo}", segundo=segundo)
    caso.consumir()
    caso.relevar()
    guardados = caso.topicos.guardados[COMANDO_REGISTRAR_CONVERSION]
    guardados[:] = [
        guardados[lugar]._replace(posicion=f"1:{lugar}:{particion}:-1")
        for lugar, particion in ((0, 0), (2, 1), (4, 0))
    ]
    _, _, comandos, _ = caso.conciliar()
    assert [(h.tipo, h.comando_id, h.evento_id, h.detalle) for h in caso.hallazgos] == [
        (TipoDeHallazgo.NO_VERIFICABLE, "c-2", "conv-123", "DUPLICADA"),
        (TipoDeHallazgo.SOBRA_EL_DESTINO, "c-4", "conv-123", "DUPLICADA"),
    ]
    assert comandos.hallazgos == {TipoDeHallazgo.NO_VERIFICABLE: 1, TipoDeHallazgo.SOBRA_EL_DESTINO: 1}


def test_lo_registrado_otra_vez_tras_restaurar_una_copia_cuadra_aunque_su_hora_de_registro_sea_otra(
    caso: TopicosYLibro,
) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.consumir()
    caso.relevar()
    otra_vez = replace(conversion(), registrado_en=AHORA + timedelta(days=1))
    caso.topicos.guardar(sobre_de_evento(ConversionRegistrada(otra_vez), None))
    caso.conciliar()
    assert caso.hallazgos == []


def test_lo_que_se_leyo_otra_vez_con_otras_reglas_cuadra_con_el_evento_que_lleva_la_lectura_de_entonces(
    caso: TopicosYLibro,
) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.consumir()
    caso.relevar()
    caso.topicos.guardar(sobre_de_evento(ConversionRegistrada(replace(conversion(), lectura=LECTURA)), None))
    caso.conciliar()
    assert caso.hallazgos == []


def test_un_evento_que_contradice_a_su_fila_o_a_otro_con_su_ce_id_se_nombra(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.consumir()
    caso.relevar()
    caso.topicos.guardar(sobre_de_evento(ConversionRegistrada(conversion(usuario_id="otro")), None))
    caso.conciliar()
    assert [(h.tipo, h.evento_id) for h in caso.hallazgos] == [(TipoDeHallazgo.OTRO_CONTENIDO, "conv-123")]


def test_un_mensaje_que_no_es_un_evento_se_nombra_por_su_posicion(caso: TopicosYLibro) -> None:
    caso.topicos.guardar(Sobre(EVENTO_CONVERSION_REGISTRADA, None, {}, b"\xff"))
    caso.publicar(CONVERSION, "c-1")
    caso.consumir()
    caso.relevar()
    *_, eventos = caso.conciliar()
    assert [(h.tipo, h.posicion) for h in caso.hallazgos] == [(TipoDeHallazgo.EVENTO_ILEGIBLE, "1:0:-1:-1")]
    assert (eventos.mensajes, eventos.cuadran) == (2, {"REGISTRADA": 1})
    assert eventos.hallazgos == {TipoDeHallazgo.EVENTO_ILEGIBLE: 1}


def test_una_fila_que_no_sabe_su_huella_es_la_de_su_comando(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.consumir()
    caso.relevar()
    sql(caso.datos, "UPDATE conversiones SET huella = NULL")
    caso.conciliar()
    assert caso.hallazgos == []


@pytest.mark.parametrize(
    ("cambio", "dice"),
    [("UPDATE balance SET cuantos = 3", 3), ("DELETE FROM balance", 0)],
    ids=["de_mas", "nada"],
)
def test_un_libro_que_cuenta_mal_se_nombra(caso: TopicosYLibro, cambio: str, dice: int) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.consumir()
    caso.relevar()
    sql(caso.datos, f"{cambio} WHERE estado = 'REGISTRADA'")
    _, _, comandos, _ = caso.conciliar()
    assert [(h.tipo, h.detalle) for h in caso.hallazgos] == [
        (TipoDeHallazgo.CUENTA, f"REGISTRADA: dice {dice} y hay 1")
    ]
    assert comandos.hallazgos == {TipoDeHallazgo.CUENTA: 1}


def test_mas_de_mil_de_cada_clase_se_recorren_enteros(caso: TopicosYLibro) -> None:
    for numero in range(1_050):
        caso.publicar(replace(CONVERSION, id=f"conv-{numero % 525}"), f"c-{numero}")
        if numero % 525 == 524:
            caso.consumir()
    _, _, comandos, eventos = caso.conciliar()
    assert comandos.cuadran == {"REGISTRADA": 525, "DUPLICADA": 525}
    assert eventos.en_camino == 525
    assert caso.hallazgos == []
