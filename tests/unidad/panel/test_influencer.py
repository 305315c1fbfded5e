"""La vista de un influencer: dice lo que dice su informe en la API, y de lo que no puede, adónde ir."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx2
import pytest

from alpespartners.modulos.informes.aplicacion.puertos import DemasiadosSueltos
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.panel import formato
from alpespartners.panel.idiomas import Idioma
from tests.apoyo.eventos import AHORA, conversion, impresion
from tests.apoyo.memoria import (
    CuentasDeInfluencersEnMemoria,
    PuertosEnMemoria,
    api_en_memoria,
    cliente_de,
)
from tests.apoyo.tablas_html import Leido, leer_html

VISTA = "/panel/influencers/inf-789"
INFORME = "/tracking/influencers/inf-789/informe"
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


async def ver(
    cliente: httpx2.AsyncClient, direccion: str = VISTA, estado: int = 200, **parametros: str
) -> Leido:
    respuesta = await cliente.get(direccion, params=parametros or None)
    assert respuesta.status_code == estado, respuesta.text
    return leer_html(respuesta.text)


def varios() -> list[EventoSeguido[Any]]:
    """De dos campañas, dos monedas y tres días."""
    return [
        *(impresion(campaña_id="a", timestamp=AHORA - UN_DIA) for _ in range(1_500)),
        *(impresion(campaña_id="a", tipo_evento="CLIC", timestamp=AHORA - UN_DIA) for _ in range(8)),
        *(impresion(campaña_id="b", tipo_evento="CLIC", timestamp=AHORA - 2 * UN_DIA) for _ in range(4)),
        conversion(id="v1", campaña_id="a", valor=Decimal("99999999999999.99")),
        conversion(id="v2", campaña_id="b", valor=Decimal("0.5"), moneda="USD", cupon="VERANO"),
        conversion(id="v3", campaña_id="b", valor=Decimal("7.25"), moneda="USD", timestamp=AHORA - UN_DIA),
    ]


def escrita(cifra: int) -> str:
    return formato.cantidad(cifra)


def importe(valor: str | None, moneda: str) -> str:
    return formato.NADA if valor is None else formato.importe(Decimal(valor), moneda, Idioma.ESPAÑOL)


@pytest.mark.parametrize("zona", ["UTC", "America/Bogota"])
async def test_por_campaña_dice_lo_que_dice_el_informe(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, zona: str
) -> None:
    registrar(puertos, *varios())
    informe = (
        await cliente.get(INFORME, params={"zona": zona, "granularidad": "total", "por": "campana_id"})
    ).json()
    filas = {fila[0]: fila for fila in (await ver(cliente, zona=zona)).filas if len(fila) == 11}
    assert len(filas) == len(informe["filas"]) == 2
    for suya in informe["filas"]:
        _, impresiones, clics, _, conversiones, _, ventas, _, cop, usd, _ = filas[suya["campaña_id"]]
        assert [impresiones, clics, ventas] == [
            escrita(suya["impresiones"]),
            escrita(suya["clics"]),
            escrita(suya["conversiones"]["VENTA"]),
        ]
        assert conversiones == escrita(sum(suya["conversiones"].values()))
        assert [cop, usd] == [importe(suya["valor"].get(moneda), moneda) for moneda in ("COP", "USD")]


@pytest.mark.parametrize("granularidad", ["hora", "dia", "semana", "mes"])
async def test_la_serie_dice_lo_que_dice_el_informe_en_cada_intervalo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, granularidad: str
) -> None:
    registrar(puertos, *varios())
    pedido = {"desde": "2026-01-12", "hasta": "2026-01-16", "granularidad": granularidad}
    informe = (await cliente.get(INFORME, params=pedido)).json()
    filas = (await ver(cliente, VISTA, 200, **pedido)).filas
    # Las de siete columnas que empiezan por cuándo.
    serie = [fila for fila in filas if len(fila) == 7 and "ene 2026" in fila[0]]
    for fila, suya in zip(serie, informe["filas"], strict=True):
        assert fila[1:] == [
            escrita(suya["impresiones"]),
            escrita(suya["clics"]),
            escrita(suya["visualizaciones"]),
            escrita(sum(suya["conversiones"].values())),
            importe(suya["valor"].get("COP", "0"), "COP"),
            importe(suya["valor"].get("USD", "0"), "USD"),
        ]


async def test_por_moneda_dice_el_total_del_informe_y_el_de_antes(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(
        puertos,
        *varios(),
        conversion(id="v4", valor=Decimal(10), moneda="EUR", timestamp=AHORA - 40 * UN_DIA),
        conversion(id="v5", valor=Decimal(15), moneda="USD", timestamp=AHORA - 40 * UN_DIA),
    )
    pedido = {"comparar": "periodo_anterior"}
    total = (await cliente.get(INFORME, params=pedido)).json()["total"]
    filas = {fila[0]: fila for fila in (await ver(cliente, VISTA, 200, **pedido)).filas}
    for moneda in ("COP", "EUR", "USD"):
        assert filas[moneda][1:3] == [
            importe(total["valor"].get(moneda, "0"), moneda),
            importe(total["comparacion"]["valor"].get(moneda, "0"), moneda),
        ]
    assert filas["USD"][3] == "\N{MINUS SIGN}48,33\N{NO-BREAK SPACE}%"
    assert filas["EUR"][4:] == [formato.NADA]


@pytest.mark.parametrize("moneda", ["COP", "USD"])
async def test_el_valor_por_clic_solo_se_dice_si_todo_el_valor_es_en_una_moneda(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, moneda: str
) -> None:
    registrar(
        puertos,
        *(impresion(tipo_evento="CLIC") for _ in range(4)),
        conversion(id="v1", valor=Decimal(10)),
        conversion(id="v2", valor=Decimal(10), moneda=moneda),
    )
    leido = await ver(cliente)
    en_pesos = next(fila for fila in leido.filas if fila[0] == "COP")
    if moneda == "COP":
        assert en_pesos[1:] == [importe(valor, "COP") for valor in ("20", "10", "5")]
    else:
        assert en_pesos[1:] == [importe("10", "COP")] * 2
        assert "El valor por clic no se dice en varias monedas" in leido.texto


async def test_las_ultimas_conversiones_son_las_de_la_lista_y_llevan_a_su_historia(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *varios())
    lista = (await cliente.get("/tracking/influencers/inf-789/conversiones")).json()["elementos"]
    leido = await ver(cliente)
    ids = [fila[0] for fila in leido.filas if fila[0].startswith("v")]
    assert ids == [elemento["id"] for elemento in lista]
    assert leido.enlaces["v2"] == "/panel/evento?id=v2"


async def test_lo_hostil_se_ve_como_es_y_sus_enlaces_llevan_a_ello(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(
        puertos, conversion(id=HOSTIL, campaña_id=f"c{HOSTIL}", influencer_id=HOSTIL, cupon="<b>VERANO</b>")
    )
    respuesta = await cliente.get(f"/panel/influencers/{quote(HOSTIL, safe='')}")
    assert respuesta.status_code == 200
    assert "<img" not in respuesta.text
    assert "<b>" not in respuesta.text
    leido = leer_html(respuesta.text)
    assert parse_qs(urlsplit(leido.enlaces[HOSTIL]).query) == {"id": [HOSTIL]}
    assert unquote(leido.enlaces[f"c{HOSTIL}"]).endswith(f"/c{HOSTIL}?zona=UTC")
    descarga = await cliente.get(leido.enlaces["CSV: Este informe"])
    assert descarga.status_code == 200


async def test_cada_descarga_es_de_lo_que_se_ve(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *varios())
    leido = await ver(cliente, zona="America/Bogota", comparar="año_anterior", orden="clics", filas="todas")
    descargas = {nombre: d for nombre, d in leido.enlaces.items() if nombre.startswith(("CSV: ", "NDJSON: "))}
    assert len(descargas) == 6
    for direccion in descargas.values():
        assert (await cliente.get(direccion)).status_code == 200, direccion
    por_campaña = await cliente.get(descargas["NDJSON: Este informe, por campaña"])
    assert len(por_campaña.text.splitlines()) == 2


async def test_las_campañas_se_ordenan_por_lo_que_se_pide(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *varios())
    for orden, primera in (("clics", "a"), ("conversiones", "b"), ("valor:USD", "b"), ("valor:COP", "a")):
        filas = [fila for fila in (await ver(cliente, orden=orden)).filas if fila[0] in {"a", "b"}]
        assert filas[0][0] == primera


async def test_las_campañas_que_empatan_van_por_sus_clics(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    con_mas_clics = [
        impresion(campaña_id="c", tipo_evento="CLIC", timestamp=AHORA - UN_DIA) for _ in range(9)
    ]
    registrar(puertos, *varios(), *con_mas_clics)
    filas = [fila[0] for fila in (await ver(cliente, orden="valor:USD")).filas if fila[0] in {"a", "b", "c"}]
    assert filas == ["b", "c", "a"]


async def test_quien_elige_su_ultimo_dia_lo_ve_contado(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *varios())
    elegido = {"desde": "2026-01-01", "ultimo_dia": "2026-01-14", "zona": "UTC", "comparar": ""}
    respuesta = await cliente.get(f"{VISTA}/periodo", params=elegido)
    assert respuesta.status_code == 303
    assert respuesta.headers["location"] == f"{VISTA}?desde=2026-01-01&zona=UTC&hasta=2026-01-15"
    leido = await ver(cliente, respuesta.headers["location"])
    assert "1 ene 2026 \N{EN DASH} 14 ene 2026" in leido.texto
    mal = await ver(cliente, f"{VISTA}/periodo", 422, ultimo_dia="ayer")
    assert "ultimo_dia: debe ser una fecha" in mal.texto


@pytest.mark.parametrize(
    ("pedido", "frase"),
    [
        ({"desde": "1990-01-01"}, "granularidad: son unos"),
        ({"desde": "1970-01-01", "granularidad": "semana"}, "granularidad: son unos"),
        ({"zona": "Bogota"}, "zona: debe ser una zona de la IANA"),
        ({"desde": "2026-01-15", "hasta": "2026-01-01"}, "desde: debe ser anterior a hasta"),
        ({"comparar": "nada", "desde": "ayer"}, "comparar: debe ser"),
    ],
)
async def test_de_lo_que_no_se_puede_contestar_sale_un_enlace_que_si(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, pedido: dict[str, str], frase: str
) -> None:
    registrar(puertos, *varios())
    leido = await ver(cliente, VISTA, 422, **pedido)
    assert frase in leido.texto
    remedios = {nombre: d for nombre, d in leido.enlaces.items() if d.startswith(VISTA)}
    assert remedios
    for direccion in remedios.values():
        await ver(cliente, direccion)


@pytest.mark.parametrize(
    "cual", ["por=tipo", "orden=nombre", "filas=3", "orden=valor:PESOS", "zona=UTC&zona=UTC"]
)
async def test_un_parametro_que_no_hay_o_no_vale_se_dice_con_su_nombre(
    cliente: httpx2.AsyncClient, cual: str
) -> None:
    leido = await ver(cliente, f"{VISTA}?{cual}", 422)
    assert f"{cual.partition('=')[0]}: " in leido.texto


async def test_lo_que_no_cabe_se_niega_en_su_sitio_y_lo_demas_se_ve(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    registrar(puertos, *varios())
    de_verdad = CuentasDeInfluencersEnMemoria.contar

    async def contar(de: Any, sujeto_id: str, intervalos: Any, por: Any, maximo: int) -> Any:
        if len(intervalos) > 1 or not juntos_caben:
            raise DemasiadosSueltos(100_000)
        return await de_verdad(de, sujeto_id, intervalos, por, maximo)

    monkeypatch.setattr(CuentasDeInfluencersEnMemoria, "contar", contar)
    for juntos_caben in (True, False):
        leido = await ver(cliente, zona="America/Bogota")
        assert "más de 100.000 eventos que mirar uno a uno" in leido.texto
        assert ("1\N{NARROW NO-BREAK SPACE}500" in leido.texto) == juntos_caben
        assert "Últimas conversiones del periodo" in leido.texto
        en_utc = leido.enlaces["Ver los mismos días, enteros y en UTC"]
        assert parse_qs(urlsplit(en_utc).query)["zona"] == ["UTC"]
        assert "granularidad=total" in leido.enlaces["Ver el periodo entero, en total"]


async def test_de_quien_no_hay_nada_se_dice_que_puede_ser(cliente: httpx2.AsyncClient) -> None:
    leido = await ver(cliente, f"/panel/influencers/{quote(HOSTIL, safe='')}", 404)
    assert "No hay nada registrado de un influencer que se llame así" in leido.texto
    assert HOSTIL in leido.texto


async def test_si_en_el_periodo_no_hay_nada_se_ofrece_aquel_en_que_lo_hubo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *varios())
    leido = await ver(cliente, desde="2025-01-01", hasta="2025-02-01")
    assert "En este periodo no hay ninguna conversión." in leido.texto
    hubo = await ver(cliente, leido.enlaces["Ver los treinta días que acaban con el último evento"])
    assert "17 dic 2025 \N{EN DASH} 15 ene 2026" in hubo.texto
