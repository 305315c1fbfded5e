"""Las listas de campañas y de influencers del panel: dicen lo que dice la API, y se recorren enteras."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest

from alpespartners.modulos.informes.aplicacion.ritmo import Ritmo
from alpespartners.modulos.informes.dominio.metricas import redondeada
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.panel import chispas, formato
from tests.apoyo.eventos import AHORA, conversion, impresion
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.tablas_html import Leido, leer_html

CAMPAÑAS = "/panel"
INFLUENCERS = "/panel/influencers"
EN_LA_API = {CAMPAÑAS: "/tracking/campanas", INFLUENCERS: "/tracking/influencers"}
LISTAS = pytest.mark.parametrize("lista", [CAMPAÑAS, INFLUENCERS])
HOSTIL = "<img src=x onerror=alert(1)>/%2F ñ&\"'?#"
UN_DIA = timedelta(days=1)


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: AHORA)) as abierto:
        yield abierto


def registrar(puertos: PuertosEnMemoria, *eventos: EventoSeguido[Any]) -> None:
    for evento in eventos:
        clase = clases.CONVERSIONES if type(evento).__name__ == "Conversion" else clases.IMPRESIONES
        guardados = puertos.registrado.libros[clase].eventos
        guardados[f"{len(guardados)}"] = evento


async def ver(cliente: httpx2.AsyncClient, direccion: str) -> Leido:
    respuesta = await cliente.get(direccion)
    assert respuesta.status_code == 200, respuesta.text
    return leer_html(respuesta.text)


def cantidad(celda: str) -> int:
    return int(celda.replace("\N{NARROW NO-BREAK SPACE}", ""))


def importes(celda: str) -> dict[str, Decimal]:
    partes = (parte.split("\N{NO-BREAK SPACE}") for parte in celda.split(" ") if parte != formato.NADA)
    return {moneda: decimal(valor) for valor, moneda in partes}


def decimal(escrito: str) -> Decimal:
    return Decimal(escrito.replace("\N{NARROW NO-BREAK SPACE}", "").replace(",", "."))


@LISTAS
async def test_cada_cifra_es_la_que_responde_la_api(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, lista: str
) -> None:
    registrar(
        puertos,
        *(impresion(campaña_id="a", influencer_id="i") for _ in range(1_234)),
        *(impresion(campaña_id="a", influencer_id="i", tipo_evento="CLIC") for _ in range(7)),
        conversion(campaña_id="a", influencer_id="i", valor=Decimal("99999999999999.99")),
        impresion(campaña_id="a", influencer_id="j", tipo_evento="CLIC"),
        conversion(campaña_id="a", influencer_id="j", valor=Decimal("0.5"), moneda="USD"),
        conversion(campaña_id="b", influencer_id="i", valor=Decimal("1234.5678"), moneda="CLF"),
        conversion(campaña_id="b", influencer_id="j", valor=None, moneda=None, tipo_conversion="REGISTRO"),
    )
    de_la_api = (await cliente.get(EN_LA_API[lista])).json()["elementos"]
    filas = (await ver(cliente, lista)).filas
    assert len(filas) == len(de_la_api) == 2
    for fila, elemento in zip(filas, de_la_api, strict=True):
        identidad = elemento.get("influencer_id") or elemento["campaña_id"]
        conversiones = sum(elemento["conversiones"].values())
        if lista == INFLUENCERS:
            nombre, campañas, *cifras, valor, por_clic, ultimo = fila
            assert cantidad(campañas) == elemento["campañas"]
            assert set(importes(por_clic)) == ({"USD"} if identidad == "j" else set())
        else:
            nombre, _, *cifras, valor, ultimo = fila
        assert nombre == identidad
        assert [cantidad(cifra) for cifra in cifras[:3]] == [
            elemento["impresiones"],
            elemento["clics"],
            conversiones,
        ]
        if elemento["clics"]:
            tasa = redondeada(100 * conversiones, elemento["clics"], 2)
            assert decimal(cifras[3].removesuffix("\N{NO-BREAK SPACE}%")) == tasa
        else:
            assert cifras[3] == formato.NADA
        assert importes(valor) == {m: Decimal(v) for m, v in elemento["valor"].items()}
        assert ultimo == "15 ene 2026, 10:35:00 UTC"


@LISTAS
async def test_recorrer_las_paginas_no_repite_ni_se_salta_ninguno(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, lista: str
) -> None:
    nombres = sorted(f"ñ%/{n}" for n in range(120))
    registrar(puertos, *(impresion(campaña_id=n, influencer_id=n) for n in (*nombres, "otro")))
    primera = siguiente = f"{lista}?prefijo=%C3%B1%25/"
    vistos: list[list[str]] = []
    while siguiente:
        pagina = await ver(cliente, siguiente)
        vistos.append([fila[0] for fila in pagina.filas])
        siguiente = pagina.enlaces.get("Página siguiente", "")
        assert pagina.enlaces.get("Primera página") == (primera if len(vistos) > 1 else None)
    assert [len(pagina) for pagina in vistos] == [50, 50, 20]
    assert [nombre for pagina in vistos for nombre in pagina] == nombres


@LISTAS
async def test_el_cursor_es_el_de_la_misma_lista_en_la_api(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, lista: str
) -> None:
    registrar(puertos, *(impresion(campaña_id=n, influencer_id=n) for n in "abc"))
    for de, direccion in EN_LA_API.items():
        cursor = (await cliente.get(direccion, params={"limite": "1"})).json()["siguiente"]
        respuesta = await cliente.get(lista, params={"cursor": cursor})
        if de == lista:
            assert [fila[0] for fila in leer_html(respuesta.text).filas] == ["b", "c"]
        else:
            assert respuesta.status_code == 422
            assert "cursor: no es un cursor de esta lista con este prefijo" in leer_html(respuesta.text).texto


@LISTAS
@pytest.mark.parametrize(
    "cual", ["limite=3", "prefijo=a&prefijo=b", "prefijo=" + "a" * 129, "cursor=x", "Prefijo="]
)
async def test_lo_que_no_se_entiende_de_la_direccion_se_dice_con_su_nombre(
    cliente: httpx2.AsyncClient, lista: str, cual: str
) -> None:
    respuesta = await cliente.get(f"{lista}?{cual}")
    assert respuesta.status_code == 422
    assert f"{cual.partition('=')[0]}: " in leer_html(respuesta.text).texto


@LISTAS
async def test_un_buscador_sin_llenar_es_la_lista_entera(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, lista: str
) -> None:
    registrar(puertos, impresion(campaña_id="a", influencer_id="a"))
    assert (await ver(cliente, f"{lista}?prefijo=")).filas == (await ver(cliente, lista)).filas


@LISTAS
async def test_un_nombre_hostil_se_ve_como_es_y_su_enlace_lleva_a_el(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, lista: str
) -> None:
    registrar(puertos, impresion(campaña_id=HOSTIL, influencer_id=HOSTIL))
    respuesta = await cliente.get(lista, params={"prefijo": HOSTIL})
    assert "<img" not in respuesta.text
    leido = leer_html(respuesta.text)
    assert [fila[0] for fila in leido.filas] == [HOSTIL]
    *_, ultima = leido.enlaces[HOSTIL].split("/")
    assert unquote(ultima) == HOSTIL


@pytest.mark.parametrize(
    ("direccion", "dice"),
    [
        (INFLUENCERS, "Todavía no hay ningún evento de un influencer."),
        (f"{CAMPAÑAS}?prefijo=z", "No hay ninguna campaña que empiece así."),
        (f"{INFLUENCERS}?prefijo=z", "No hay ningún influencer que empiece así."),
    ],
)
async def test_sin_nada_que_enseñar_se_dice(cliente: httpx2.AsyncClient, direccion: str, dice: str) -> None:
    assert (await ver(cliente, direccion)).filas == [[dice]]


@pytest.mark.parametrize(("lista", "vuelta"), [(CAMPAÑAS, "Verlas todas"), (INFLUENCERS, "Verlos todos")])
async def test_de_una_busqueda_sin_nada_se_vuelve_a_la_lista_entera(
    cliente: httpx2.AsyncClient, lista: str, vuelta: str
) -> None:
    assert (await ver(cliente, f"{lista}?prefijo=z")).enlaces[vuelta] == lista


@LISTAS
async def test_detras_del_ultimo_no_hay_nada_y_se_puede_volver(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, lista: str
) -> None:
    registrar(puertos, *(impresion(campaña_id=f"{n:02}", influencer_id=f"{n:02}") for n in range(51)))
    siguiente = (await ver(cliente, lista)).enlaces["Página siguiente"]
    for libro in puertos.registrado.libros.values():
        libro.eventos.pop("50", None)
    pagina = await ver(cliente, siguiente)
    assert pagina.filas[0][0].startswith("En esta página no hay ning")
    assert pagina.enlaces["Primera página"] == lista


@LISTAS
async def test_a_htmx_se_le_da_solo_la_lista(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, lista: str
) -> None:
    registrar(puertos, impresion(campaña_id="a", influencer_id="a"))
    trozo = await cliente.get(lista, headers={"HX-Request": "true"})
    assert "<html" not in trozo.text
    assert leer_html(trozo.text).filas == (await ver(cliente, lista)).filas


async def test_el_ritmo_de_una_campaña_son_sus_treinta_ultimos_dias(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    hoy = AHORA.replace(hour=0, minute=0, second=0, microsecond=0)
    cuando: list[datetime] = [hoy, hoy, hoy - 29 * UN_DIA, hoy - 29 * UN_DIA - timedelta.resolution]
    registrar(puertos, *(impresion(campaña_id="a", timestamp=momento) for momento in cuando))
    pagina = await ver(cliente, CAMPAÑAS)
    assert pagina.dibujos == ["Eventos por día: 3 en total, 2 el día que más"]
    assert "del 17 dic 2025 al 15 ene 2026" in pagina.texto


def test_la_linea_de_un_ritmo_va_de_cero_al_mayor_y_el_dia_de_hoy_queda_fuera_de_la_continua() -> None:
    ritmo = Ritmo([0, 4, 1])
    assert chispas.acabados(ritmo) == "0.0,24.0 60.0,0.0"
    assert chispas.sin_acabar(ritmo) == "60.0,0.0 120.0,18.0"
    assert chispas.acabados(Ritmo([0, 0])) == "0.0,24.0"
    assert (chispas.acabados(Ritmo([5])), chispas.sin_acabar(Ritmo([5]))) == ("", "0.0,0.0")


async def test_en_ingles_las_dos_listas_no_dicen_nada_en_español(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *(conversion(campaña_id=f"{n:02}", influencer_id=f"{n:02}") for n in range(51)))
    for lista, titulo in ((CAMPAÑAS, "Campaigns"), (INFLUENCERS, "Influencers")):
        respuesta = await cliente.get(lista, headers={"Accept-Language": "en"})
        texto = leer_html(respuesta.text).texto
        assert all(frase in texto for frase in (titulo, "Next page", "Search", "Conversion rate"))
        assert not {"Página", "Buscar", "Valor", "día", "Último"} & {*texto.split()}
