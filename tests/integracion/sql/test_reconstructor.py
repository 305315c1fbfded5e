"""La reconstrucción sobre una base de datos de verdad y unos tópicos que la prueba llena."""

import json
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import EsquemaDesconocido
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
)
from alpespartners.modulos.tracking.dominio.eventos import ConversionRegistrada
from alpespartners.modulos.tracking.infraestructura.libro.tablas import METADATOS
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    sobre_de_carta,
    sobre_de_comando,
    sobre_de_evento,
)
from alpespartners.modulos.tracking.infraestructura.operacion import reconstructor
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import FalloDelBroker
from alpespartners.seedwork.arranque import ErrorDeArranque
from tests.apoyo.base_datos import sql
from tests.apoyo.cuentas import TABLAS, sumadas
from tests.apoyo.eventos import CONVERSION, IMPRESION, conversion, ilegible
from tests.apoyo.procedencias import LectorDePrueba
from tests.apoyo.topicos_y_libro import TopicosYLibro, topicos_y_libro

TODAS = ("conversiones", "impresiones", "destinos", "enviados", "balance", "bandeja_salida", "carriles")

HUELLA = "0123456789abcdef"


@pytest.fixture
def caso(tmp_path: Path) -> Generator[TopicosYLibro]:
    with topicos_y_libro(tmp_path) as nuevo:
        yield nuevo


def volcar(caso: TopicosYLibro) -> dict[str, list[tuple[object, ...]]]:
    """Todo lo que tiene que volver; la hora de la prueba no se mueve, así que también la de cada destino."""
    consulta = "SELECT {} FROM {} WHERE {} ORDER BY 1, 2, 3"
    de_comandos = {"balance": "topico LIKE 'comando%'"}
    # En qué carril se escribió cada fila no es cosa de ella.
    columnas = {
        tabla: ", ".join(columna.name for columna in METADATOS.tables[tabla].c if columna.name != "carril")
        for tabla in TODAS
    }
    return {
        tabla: sql(caso.datos, consulta.format(columnas[tabla], tabla, de_comandos.get(tabla, "1")))
        for tabla in TODAS[:-2]
    } | {tabla: sql(caso.datos, sumadas(tabla)) for tabla in TABLAS}


def vaciar(caso: TopicosYLibro) -> None:
    for tabla in (*TODAS, *TABLAS):
        sql(caso.datos, f"DELETE FROM {tabla}")  # noqa: S608 (son las suyas)


def pasa_de_todo(caso: TopicosYLibro) -> None:
    for numero in range(4):
        caso.publicar(replace(IMPRESION, id=f"imp-{numero}"), f"i-{numero}", segundo=numero)
        caso.publicar(replace(CONVERSION, id=f"conv-{numero}"), f"c-{numero}")
    caso.publicar(replace(CONVERSION, id="conv-1"), "duplicada")
    caso.publicar(replace(CONVERSION, id="conv-1", campaña_id="otra"), "en-conflicto", segundo=9)
    caso.publicar(replace(CONVERSION, id="conv-1", user_agent="otro"), "duplicada-que-difiere")
    caso.publicar(replace(CONVERSION, id="mala", valor=None, moneda=None), "rechazada")
    caso.publicar(replace(CONVERSION, campaña_id="", ignorada="sin_campaña"), "ignorada")
    caso.publicar(replace(IMPRESION, faltas={"campaña_id": "sin_permiso: no vale"}), "negada")
    caso.publicar(replace(CONVERSION, id="conv-9", advertencias=("ip_ilegible",)), "doble")
    caso.publicar(replace(CONVERSION, id="conv-9"), "doble")
    for topico in (COMANDO_REGISTRAR_IMPRESION, COMANDO_REGISTRAR_CONVERSION):
        caso.topicos.guardar(Sobre(topico, "clave", {}, b"\xff"))
    caso.consumir()
    caso.relevar()


def test_interrumpida_donde_sea_y_repetida_da_lo_mismo_que_de_una_vez(caso: TopicosYLibro) -> None:
    pasa_de_todo(caso)
    antes = volcar(caso)
    guardados = sum(len(mensajes) for mensajes in caso.topicos.guardados.values())
    for corte in range(0, 2 * guardados, 3):
        vaciar(caso)
        caso.topicos.se_cae_tras = corte
        with suppress(FalloDelBroker):
            caso.reconstruir()
            break
        caso.topicos.se_cae_tras = None
        caso.reconstruir()
        assert volcar(caso) == antes, corte
        assert caso.pendientes() == []
    assert corte > guardados
    assert volcar(caso) == antes
    caso.topicos.se_cae_tras = None
    caso.conciliar()
    assert caso.hallazgos == []


@pytest.mark.parametrize(("limite", "valor"), [("PAGINA", 2), ("_OCTETOS_POR_LOTE", 1)])
def test_en_lotes_pequeños_da_lo_mismo(
    caso: TopicosYLibro, monkeypatch: pytest.MonkeyPatch, limite: str, valor: int
) -> None:
    pasa_de_todo(caso)
    antes = volcar(caso)
    vaciar(caso)
    monkeypatch.setattr(reconstructor, limite, valor)
    caso.reconstruir()
    assert volcar(caso) == antes


def test_un_mensaje_sin_valor_y_su_carta_vuelven_como_estaban(caso: TopicosYLibro) -> None:
    caso.topicos.guardar(Sobre(COMANDO_REGISTRAR_CONVERSION, "k", {"ce_id": "vacío"}, b""))
    vacia = replace(ilegible("vacío"), carga=b"", detalle="el mensaje no tiene valor")
    caso.topicos.guardar(sobre_de_carta(COMANDO_REGISTRAR_CONVERSION, vacia))
    for mensajes in caso.topicos.guardados.values():
        mensajes[:] = [mensaje._replace(carga=None) for mensaje in mensajes]
    caso.reconstruir()
    assert sql(caso.datos, "SELECT comando_id, detalle FROM destinos") == [("vacío", vacia.detalle)]
    assert caso.pendientes() == []


def test_lo_reconstruido_en_el_mismo_sitio_es_otro_libro(caso: TopicosYLibro) -> None:
    pasa_de_todo(caso)
    antes = sql(caso.datos, "SELECT identidad FROM libro")
    vaciar(caso)
    caso.reconstruir()
    despues = sql(caso.datos, "SELECT identidad FROM libro")
    assert len(antes) == len(despues) == 1
    assert antes != despues


def test_las_cuentas_que_quedaron_de_antes_no_estorban(caso: TopicosYLibro) -> None:
    pasa_de_todo(caso)
    antes = volcar(caso)
    for tabla in TODAS:
        sql(caso.datos, f"DELETE FROM {tabla}")  # noqa: S608 (son las suyas)
    sql(caso.datos, "UPDATE cuentas_por_dia SET cuantos = 7, campana_id = campana_id || '-otra'")
    caso.reconstruir()
    assert volcar(caso) == antes


def test_si_muere_al_contar_los_informes_se_repite(caso: TopicosYLibro) -> None:
    pasa_de_todo(caso)
    antes = volcar(caso)
    vaciar(caso)

    def cae(que: str, _cuantos: int) -> None:
        if que == "recuento":
            raise FalloDelBroker

    caso.al_avanzar = cae
    with pytest.raises(FalloDelBroker):
        caso.reconstruir()
    assert sql(caso.datos, "SELECT count(*) FROM balance WHERE topico LIKE 'comando%'") == [(0,)]
    caso.al_avanzar = lambda _que, _cuantos: None
    caso.reconstruir()
    assert volcar(caso) == antes


def test_lo_reconstruido_no_se_vuelve_a_reconstruir(caso: TopicosYLibro) -> None:
    pasa_de_todo(caso)
    with pytest.raises(ErrorDeArranque, match="no está vacía"):
        caso.reconstruir()


def test_lo_que_se_vuelve_a_entregar_despues_no_cambia_nada(caso: TopicosYLibro) -> None:
    pasa_de_todo(caso)
    vaciar(caso)
    caso.reconstruir()
    antes = volcar(caso)
    caso.consumir()
    assert volcar(caso) == antes
    assert caso.pendientes() == []


def test_solo_se_publica_el_evento_de_lo_que_no_lo_tenia_publicado(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.consumir()
    caso.relevar()
    caso.publicar(replace(CONVERSION, id="sin-evento"), "c-2")
    vaciar(caso)
    _, hecho = caso.reconstruir()
    assert (hecho.filas, hecho.sin_evento) == (1, 1)
    assert [envio.sobre.propiedades["ce_subject"] for envio in caso.pendientes()] == ["sin-evento"]


def test_una_carta_que_el_broker_guarda_no_se_repite_y_una_que_no_se_deposita(caso: TopicosYLibro) -> None:
    for ce_id in ("con", "sin"):
        caso.topicos.guardar(Sobre(COMANDO_REGISTRAR_CONVERSION, "k", {"ce_id": ce_id}, b"\xff"))
    con = replace(ilegible("con"), carga=b"\xff", detalle="lo que se dijo entonces")
    caso.topicos.guardar(sobre_de_carta(COMANDO_REGISTRAR_CONVERSION, con))
    caso.reconstruir()
    assert [e.sobre.propiedades["alpes_comando_id"] for e in caso.pendientes()] == ["sin"]
    assert sql(caso.datos, "SELECT detalle FROM destinos WHERE comando_id = 'con'") == [(con.detalle,)]


def test_un_comando_dado_por_ilegible_lo_sigue_siendo_aunque_hoy_se_pueda_abrir(caso: TopicosYLibro) -> None:
    sobre = caso.publicar(CONVERSION, "mortal")
    condenado = replace(ilegible("mortal"), carga=sobre.carga, detalle="hizo morir 3 veces al consumidor")
    caso.topicos.guardar(sobre_de_carta(COMANDO_REGISTRAR_CONVERSION, condenado))
    caso.reconstruir()
    assert sql(caso.datos, "SELECT estado, detalle FROM destinos") == [("ILEGIBLE", condenado.detalle)]
    assert sql(caso.datos, "SELECT id FROM conversiones") == []
    assert caso.pendientes() == []


def test_una_carta_no_vale_por_otra_carga_con_el_mismo_ce_id(caso: TopicosYLibro) -> None:
    caso.topicos.guardar(Sobre(COMANDO_REGISTRAR_CONVERSION, "k", {"ce_id": "doble"}, b"\xff"))
    caso.publicar(CONVERSION, "doble")
    carta = sobre_de_carta(COMANDO_REGISTRAR_CONVERSION, replace(ilegible("doble"), carga=b"\xff"))
    caso.topicos.guardar(carta)
    caso.reconstruir()
    assert sql(caso.datos, "SELECT comando_id, estado FROM destinos") == [("doble", "ILEGIBLE")]
    assert sql(caso.datos, "SELECT comando_id FROM conversiones") == [("doble",)]


def test_una_carta_recortada_vale_por_su_comando(caso: TopicosYLibro) -> None:
    caso.topicos.guardar(Sobre(COMANDO_REGISTRAR_CONVERSION, "k", {"ce_id": "larga"}, b"\xff" * 10))
    sobre = sobre_de_carta(COMANDO_REGISTRAR_CONVERSION, replace(ilegible("larga"), carga=b"\xff"))
    recortada = {**sobre.propiedades, "alpes_recortada": "la carga tenía 10 octetos"}
    caso.topicos.guardar(sobre._replace(propiedades=recortada))
    caso.reconstruir()
    assert caso.pendientes() == []


def test_de_dos_eventos_con_un_id_vale_el_primero_y_conciliar_nombra_al_otro(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1")
    for usuario in ("primero", "segundo"):
        evento = ConversionRegistrada(conversion(usuario_id=usuario))
        caso.topicos.guardar(sobre_de_evento(evento, None))
    caso.topicos.guardar(Sobre(EVENTO_CONVERSION_REGISTRADA, None, {}, b"\xff"))
    _, hecho = caso.reconstruir()
    assert (hecho.filas, hecho.eventos_ilegibles) == (1, 1)
    assert sql(caso.datos, "SELECT usuario_id FROM conversiones") == [("primero",)]


def test_lo_que_la_base_de_datos_no_admite_se_rechaza_y_no_detiene_a_los_demas(caso: TopicosYLibro) -> None:
    sql(
        caso.datos,
        "CREATE TRIGGER exigente BEFORE INSERT ON conversiones WHEN NEW.id IN ('conv-2', 'evento-2')"
        " BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    for numero in range(4):
        caso.publicar(replace(CONVERSION, id=f"conv-{numero}"), f"c-{numero}")
        evento = ConversionRegistrada(conversion(id=f"evento-{numero}"))
        caso.topicos.guardar(sobre_de_evento(evento, None))
    _, hecho = caso.reconstruir()
    assert (hecho.filas, hecho.eventos_ilegibles, hecho.sin_evento, hecho.destinos) == (3, 1, 3, 1)
    assert sql(caso.datos, "SELECT comando_id, motivo FROM destinos") == [
        ("c-2", "rechazada_por_la_base_de_datos")
    ]


def test_una_fila_cuyo_comando_ya_no_se_guarda_vuelve_sin_huella(caso: TopicosYLibro) -> None:
    caso.publicar(CONVERSION, "c-1")
    caso.consumir()
    caso.relevar()
    caso.topicos.guardados[COMANDO_REGISTRAR_CONVERSION].clear()
    vaciar(caso)
    caso.reconstruir()
    assert sql(caso.datos, "SELECT huella FROM conversiones") == [(None,)]


def de_otra_version(sobre: Sobre) -> Sobre:
    """El mismo, dicho de un esquema que nadie conoce todavía."""
    ce_dataschema = f"urn:avro:{sobre.propiedades['ce_type']}#{HUELLA}"
    return sobre._replace(propiedades=sobre.propiedades | {"ce_dataschema": ce_dataschema})


@pytest.mark.parametrize(
    "sobre",
    [
        de_otra_version(sobre_de_evento(ConversionRegistrada(conversion()), None)),
        de_otra_version(sobre_de_comando(CONVERSION, "c-1", None)),
    ],
    ids=["evento", "comando"],
)
def test_un_mensaje_de_una_version_posterior_impide_reconstruir_y_dice_que_hacer(
    caso: TopicosYLibro, sobre: Sobre
) -> None:
    caso.topicos.guardar(sobre)
    with pytest.raises(EsquemaDesconocido, match=f"posterior.*{HUELLA}.*actualice"):
        caso.reconstruir()
    assert sql(caso.datos, "SELECT * FROM balance") == []


def test_un_comando_de_un_esquema_que_no_es_de_nadie_se_reconstruye_ilegible(caso: TopicosYLibro) -> None:
    caso.topicos.guardar(de_otra_version(sobre_de_comando(CONVERSION, "c-1", None)))
    caso.reconstruir(ajenas=[HUELLA])
    assert sql(caso.datos, "SELECT comando_id, estado FROM destinos") == [("c-1", "ILEGIBLE")]


def test_la_lectura_vuelve_de_los_eventos_aunque_las_reglas_hayan_cambiado(caso: TopicosYLibro) -> None:
    caso.lector = LectorDePrueba("1", robots={IMPRESION.user_agent or ""})
    pasa_de_todo(caso)
    antes = volcar(caso)
    assert '"reglas":"1"' in str(antes["impresiones"])
    vaciar(caso)
    caso.lector = LectorDePrueba("2")
    caso.reconstruir()
    assert volcar(caso) == antes


def test_lo_que_no_llego_a_publicarse_se_lee_con_las_reglas_de_hoy(caso: TopicosYLibro) -> None:
    caso.lector = LectorDePrueba("1")
    caso.publicar(replace(IMPRESION, señales=("visita_repetida",)), "c-1")
    caso.consumir()
    vaciar(caso)
    caso.lector = LectorDePrueba("2")
    caso.reconstruir()
    ((lectura,),) = sql(caso.datos, "SELECT lectura FROM impresiones")
    assert json.loads(str(lectura)) == {
        "reglas": "2",
        "navegador": IMPRESION.user_agent,
        "recibidas": ["visita_repetida"],
    }
