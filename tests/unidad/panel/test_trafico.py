"""De quién y de dónde es lo que se cuenta: con robots o sin ellos, clases de los clics y procedencias."""

import re
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from alpespartners.modulos.tracking.infraestructura.procedencia import red, robot
from alpespartners.panel.formato import cantidad
from alpespartners.panel.idiomas import Idioma
from alpespartners.panel.nombres_de_redes import NOMBRES_DE_REDES
from alpespartners.panel.paginas import entorno
from tests.apoyo.campana import AHORA, INFORME, VISTA, leer_procedencias, llenar
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.tablas_html import Leido, leer_html

UN_INFLUENCER = "/panel/influencers/inf-1"
INFORME_DE_UNO = "/tracking/influencers/inf-1/informe"


@pytest.fixture
async def cliente() -> AsyncGenerator[httpx2.AsyncClient]:
    puertos = PuertosEnMemoria()
    llenar(puertos)
    leer_procedencias(puertos)
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: AHORA)) as abierto:
        yield abierto


async def ver(cliente: httpx2.AsyncClient, direccion: str, **parametros: str) -> Leido:
    respuesta = await cliente.get(direccion, params=parametros or None)
    assert respuesta.status_code == 200, respuesta.text
    return leer_html(respuesta.text)


async def informe(cliente: httpx2.AsyncClient, direccion: str, **parametros: str) -> Any:
    respuesta = await cliente.get(direccion, params=parametros)
    assert respuesta.status_code == 200, respuesta.text
    return respuesta.json()


CON_USUARIOS = "Verlo con robots, y con sus usuarios únicos"
LOS_DOS = pytest.mark.parametrize(("vista", "api"), [(VISTA, INFORME), (UN_INFLUENCER, INFORME_DE_UNO)])


@LOS_DOS
@pytest.mark.parametrize("bots", ["incluir", "excluir"])
async def test_siempre_se_dice_cuanto_es_de_robots_y_si_esta_incluido(
    cliente: httpx2.AsyncClient, vista: str, api: str, bots: str
) -> None:
    leida = await ver(cliente, vista, bots=bots)
    total = (await informe(cliente, api, bots=bots))["total"]
    suyo = total["bots"]
    assert suyo["clics"] > 0
    conversiones = sum(suyo["conversiones"].values())
    assert (
        f"De robots: impresiones, {suyo['impresiones']}; clics, {suyo['clics']}; visualizaciones,"
        f" {suyo['visualizaciones']}; conversiones, {conversiones}."
    ) in leida.texto
    assert ("No están en las cifras de esta página." in leida.texto) is (bots == "excluir")
    assert ("Están incluidos en las cifras de esta página." in leida.texto) is (bots == "incluir")
    assert f" Clics {cantidad(total['clics'])} " in leida.texto


@LOS_DOS
@pytest.mark.parametrize("bots", ["incluir", "excluir"])
async def test_los_clics_de_cada_clase_son_los_del_informe_con_lo_que_quiere_decir_cada_una(
    cliente: httpx2.AsyncClient, vista: str, api: str, bots: str
) -> None:
    leida = await ver(cliente, vista, bots=bots)
    total = (await informe(cliente, api, bots=bots))["total"]
    por_clase = total["clics_por_clase"]
    inicio = next(lugar for lugar, fila in enumerate(leida.filas) if fila[0] == "Únicos")
    filas = leida.filas[inicio : inicio + 5]
    nombres = ["Únicos", "Repetidos", "No válidos", "De robots", "Sin leer"]
    clases = ["UNICO", "REPETIDO", "INVALIDO", "BOT", "SIN_LEER"]
    assert [fila[0] for fila in filas] == nombres
    assert [fila[2] for fila in filas] == [cantidad(por_clase[clase]) for clase in clases]
    assert len({fila[1] for fila in filas}) == len(clases)
    sin_contar = f"hay {total['bots']['clics']}, y aquí no se cuentan"
    assert (sin_contar in filas[3][1]) is (bots == "excluir")


@pytest.mark.parametrize("bots", ["incluir", "excluir"])
@pytest.mark.parametrize("orden", ["conversiones", "clics", "valor:COP"])
async def test_las_procedencias_son_las_del_informe_y_las_de_los_robots_estan_siempre(
    cliente: httpx2.AsyncClient, bots: str, orden: str
) -> None:
    leida = await ver(cliente, VISTA, bots=bots, orden=orden)
    inicio = next(lugar for lugar, fila in enumerate(leida.filas) if fila[0] == "Sin leer") + 1
    nombres = {
        "instagram": "Instagram",
        "directo": "Directo: nada dice de dónde",
        "movil": "Móvil",
        "tableta": "Tableta",
        "escritorio": "Escritorio",
        "CO": "CO CO",
        "ES": "ES ES",
        None: "No se sabe",
        robot.AGENTE_DE_ROBOT: "Buscadores y rastreadores, o quien dice que lo es",
        robot.REFERRER_DE_SPAM: "Vienen de dominios que envían visitas falsas",
    }
    halladas = iter(leida.filas[inicio:])
    for dimension in ("red", "dispositivo", "pais", "robot"):
        de_quien = {} if dimension == "robot" else {"bots": bots}
        sin_impresiones = orden == "valor:COP" and dimension != "robot"
        dichas = await informe(cliente, INFORME, granularidad="total", por=dimension, **de_quien)
        esperadas = {
            nombres.get(fila[dimension], fila[dimension]): [
                *([] if sin_impresiones else [cantidad(fila["impresiones"])]),
                cantidad(fila["clics"]),
                cantidad(sum(fila["conversiones"].values())),
            ]
            for fila in dichas["filas"]
            if dimension != "robot" or fila[dimension] is not None
        }
        suyas = {fila[0]: fila[1:] for fila in (next(halladas) for _ in esperadas)}
        assert {nombre: fila[: 2 if sin_impresiones else 3] for nombre, fila in suyas.items()} == esperadas
    assert ("Esta lista los enseña aunque en lo demás no estén." in leida.texto) is (bots == "excluir")


async def test_los_robots_van_por_clics_y_su_parte_es_la_de_los_clics_se_ordene_por_lo_que_se_ordene(
    cliente: httpx2.AsyncClient,
) -> None:
    for orden in ("conversiones", "ventas_por_clic", "valor:COP"):
        respuesta = await cliente.get(VISTA, params={"orden": orden})
        seccion = respuesta.text.partition('aria-labelledby="por-robot">')[2].partition("</section>")[0]
        filas = leer_html(seccion).filas
        assert seccion.count('data-columna="Parte de los clics"') == len(filas)
        clics = [int(fila[2]) for fila in filas]
        assert clics == sorted(clics, reverse=True)
        assert clics[0] > 0


def test_toda_señal_de_robot_y_toda_red_que_se_lee_tienen_nombre() -> None:
    contexto = {"nombres_propios_de_redes": NOMBRES_DE_REDES, "orden": "clics"}
    modulo: Any = entorno(Idioma.ESPAÑOL).get_template("trafico.html").make_module(contexto)
    señales = {
        valor
        for nombre, valor in vars(robot).items()
        if re.fullmatch("[A-Z_]+", nombre) and isinstance(valor, str)
    }
    assert señales
    assert {*modulo.nombres_de_robots} == señales
    assert {*modulo.nombres_de_redes} == {
        *red._DOMINIOS,  # noqa: SLF001 (nadie más las enumera)
        red.DIRECTO,
        red.OTRA,
    }


@pytest.mark.parametrize("vista", [VISTA, UN_INFLUENCER])
async def test_sin_robots_se_conserva_en_los_enlaces_en_el_formulario_y_en_los_informes_que_se_descargan(
    cliente: httpx2.AsyncClient, vista: str
) -> None:
    respuesta = await cliente.get(vista, params={"bots": "excluir", "comparar": "periodo_anterior"})
    leida = leer_html(respuesta.text)
    con_robots = leida.enlaces.pop("Con robots")
    assert "bots" not in con_robots
    assert "comparar=periodo_anterior" in con_robots
    assert '<input type="hidden" name="bots" value="excluir">' in respuesta.text
    adonde = [*leida.enlaces.values(), *re.findall(r'href="([^"]+)" download', respuesta.text)]
    con_cifras = [
        uno
        for uno in adonde
        if re.match(r"/panel/(?:campa%C3%B1as|influencers)/[^/]+$", urlsplit(uno).path)
        or urlsplit(uno).path.endswith("/informe")
    ]
    # Los usuarios únicos son con los de los robots, y la lista de los robots los tiene.
    que_los_llevan = ["por=robot" in uno or uno == leida.enlaces.get(CON_USUARIOS) for uno in con_cifras]
    assert que_los_llevan.count(False) > 5
    assert ["bots=excluir" not in uno for uno in con_cifras] == que_los_llevan


async def test_sin_robots_los_usuarios_unicos_no_se_cuentan_y_se_dice_por_que(
    cliente: httpx2.AsyncClient,
) -> None:
    leida = await ver(cliente, VISTA, bots="excluir", zona="America/Bogota")
    assert "se guardan con los de los robots, y sin ellos no se pueden contar" in leida.texto
    con_ellos = await ver(cliente, leida.enlaces[CON_USUARIOS])
    assert "Usuarios únicos: la cifra justa" in con_ellos.texto


@pytest.mark.parametrize("vista", [VISTA, UN_INFLUENCER])
async def test_otra_cosa_que_incluir_o_excluir_es_una_pagina_que_lo_dice(
    cliente: httpx2.AsyncClient, vista: str
) -> None:
    respuesta = await cliente.get(vista, params={"bots": "quizá"})
    assert respuesta.status_code == 422
    assert "<code>bots</code>: debe ser incluir o excluir" in respuesta.text
    assert "Lo mismo, sin bots" in leer_html(respuesta.text).enlaces
    assert 'name="bots"' not in respuesta.text
