"""La vista de una campaña: dice lo mismo que su informe, y lo que no puede decir lo dice."""

import re
from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import httpx2
import pytest

from alpespartners.modulos.informes.aplicacion.orden import CLICS_SUFICIENTES
from alpespartners.modulos.informes.aplicacion.pedido import pedido_de_informe
from alpespartners.modulos.informes.aplicacion.puertos import (
    Contada,
    DemasiadosSueltos,
    Dimension,
    UsuariosIlegibles,
)
from alpespartners.modulos.informes.dominio.intervalos import Intervalo
from alpespartners.modulos.informes.dominio.metricas import DEFINICIONES, DEFINICIONES_POR_CLASE
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.panel import desglose as modulo_de_desglose
from alpespartners.panel import pedidas as modulo_de_pedidas
from alpespartners.panel.formato import NADA, cantidad, variacion
from alpespartners.panel.idiomas import Idioma
from alpespartners.panel.periodos import Corriente, corrientes, es_de_dias_enteros, periodo_de
from tests.apoyo.campana import (
    AHORA,
    HOSTIL,
    INFORME,
    VISTA,
    EnElPanel,
    fila_de_la_serie,
    llenar,
    llenar_de_influencers,
    monedas_de,
)
from tests.apoyo.eventos import conversion, impresion
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.tablas_html import Leido, leer_html

ZONAS = ["UTC", "America/Bogota", "Asia/Kolkata"]
PEDIDOS: list[dict[str, str]] = [
    {},
    {"comparar": "periodo_anterior"},
    {"comparar": "semana_anterior"},
    {"granularidad": "semana", "comparar": "dia_semana"},
    {"granularidad": "mes", "desde": "2024-02-03", "hasta": "2024-04-10"},
    {"granularidad": "hora", "desde": "2024-03-01", "hasta": "2024-03-03"},
    {"granularidad": "total", "desde": "2024-03-01T00:15:00Z", "hasta": "2024-03-09T10:00:00Z"},
]


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    puertos = PuertosEnMemoria()
    llenar(puertos)
    return puertos


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: AHORA)) as abierto:
        yield abierto


async def ver(cliente: httpx2.AsyncClient, direccion: str = VISTA, **parametros: str) -> Leido:
    respuesta = await cliente.get(direccion, params=parametros or None)
    assert respuesta.status_code == 200, respuesta.text
    return leer_html(respuesta.text)


async def informe(cliente: httpx2.AsyncClient, **parametros: str) -> Any:
    respuesta = await cliente.get(INFORME, params=parametros)
    assert respuesta.status_code == 200, respuesta.text
    return respuesta.json()


@pytest.mark.parametrize("zona", ZONAS)
@pytest.mark.parametrize("pedido", PEDIDOS)
async def test_cada_numero_es_el_del_informe_con_los_mismos_parametros(
    cliente: httpx2.AsyncClient, zona: str, pedido: dict[str, str]
) -> None:
    leida = await ver(cliente, zona=zona, **pedido)
    dicho = await informe(cliente, zona=zona, **pedido)
    monedas = monedas_de(dicho["total"])
    cifras = EnElPanel(dicho["total"], monedas).cifras()
    antes = dicho["total"].get("comparacion")
    de_antes = EnElPanel(antes, monedas).cifras() if antes else cifras
    for nombre, cifra in cifras.items():
        despues = leida.texto.split(f"{nombre} {cifra} ", 1)[1]
        if antes:
            assert f"frente a {de_antes[nombre]}" in despues[:60]
            if nombre == "Conversiones":
                ahora, entonces = (sum(suyas["conversiones"].values()) for suyas in (dicho["total"], antes))
                cambio = f"{variacion(ahora, entonces, Idioma.ESPAÑOL)} " if entonces else ""
                assert despues.startswith(f"{cambio}frente a ")
    filas = iter(leida.filas)
    if pedido.get("granularidad") != "total":
        for fila in dicho["filas"]:
            assert next(filas)[1:] == fila_de_la_serie(fila, monedas)
    for dimension in ("influencer_id", "cupon"):
        total = dict(pedido) | {"zona": zona, "granularidad": "total", "por": dimension}
        total.pop("comparar", None)
        esperadas = {}
        for fila in (await informe(cliente, **total))["filas"]:
            escrita = EnElPanel(fila, monedas)
            esperadas[
                fila[dimension] or f"Sin {'influencer' if dimension == 'influencer_id' else 'cupón'}"
            ] = [
                escrita.cuantos("impresiones"),
                escrita.cuantos("clics"),
                escrita.por_ciento("ctr"),
                escrita.conversiones,
                escrita.por_ciento("tasa_conversion"),
                *escrita.de_ventas(),
                *(escrita.valor(moneda, NADA) for moneda in dicho["total"]["valor"]),
            ]
        halladas = [next(filas) for _ in esperadas]
        assert {fila[0]: fila[1:-1] for fila in halladas} == esperadas
    por_tipo = await informe(cliente, **{**pedido, "zona": zona, "granularidad": "total", "por": "tipo"})
    campos = {"IMPRESION": "impresiones", "CLIC": "clics", "VISUALIZACION": "visualizaciones"}
    cuantos = [
        cantidad(fila[campos[fila["tipo"]]] if fila["tipo"] in campos else fila["conversiones"][fila["tipo"]])
        for fila in por_tipo["filas"]
    ]
    assert [next(filas)[1] for _ in cuantos] == cuantos
    assert next(filas)[0] == "Únicos"


async def test_los_usuarios_unicos_se_dicen_cuando_son_exactos(cliente: httpx2.AsyncClient) -> None:
    leida = await ver(cliente)
    unicos = (await informe(cliente, incluir="usuarios_unicos"))["total"]["usuarios_unicos"]
    assert f"Usuarios únicos {cantidad(unicos['valor'])} " in leida.texto
    assert f"de {cantidad(unicos['eventos_con_usuario'])} eventos que traen usuario" in leida.texto


@pytest.mark.parametrize(
    ("pedido", "por_que", "remedio"),
    [
        (
            {"zona": "America/Bogota", "comparar": "periodo_anterior", "orden": "clics"},
            "por días enteros de UTC, y lo que se pide, en America/Bogota, empieza o acaba a otra hora",
            "Ver los mismos días en UTC, con sus usuarios únicos",
        ),
        (
            {"zona": "America/Bogota", "granularidad": "hora", "desde": "2024-03-01", "hasta": "2024-03-03"},
            "empieza o acaba a otra hora",
            "Ver los mismos días en UTC, con sus usuarios únicos",
        ),
        (
            {"granularidad": "hora", "desde": "2024-03-01", "hasta": "2024-03-03"},
            "por días enteros, y aquí el periodo va por horas",
            "Verlo por días, con sus usuarios únicos",
        ),
        (
            {"granularidad": "total", "desde": "2024-03-01T00:15:00Z", "hasta": "2024-03-09T10:00:00Z"},
            "empieza o acaba a otra hora",
            "Ver los mismos días en UTC, con sus usuarios únicos",
        ),
    ],
)
async def test_si_los_usuarios_unicos_se_niegan_se_dice_por_que_y_un_enlace_lleva_adonde_se_dicen(
    cliente: httpx2.AsyncClient, pedido: dict[str, str], por_que: str, remedio: str
) -> None:
    leida = await ver(cliente, **pedido)
    assert por_que in leida.texto
    assert "los usuarios únicos se cuentan por días enteros de UTC, y aquí un intervalo" not in leida.texto
    adonde = await ver(cliente, leida.enlaces[remedio])
    assert "eventos que traen usuario" in adonde.texto
    dichos = parse_qs(urlsplit(leida.enlaces[remedio]).query)
    for nombre in ("comparar", "orden"):
        assert dichos.get(nombre) == ([pedido[nombre]] if nombre in pedido else None)


class Ilegibles(PuertosEnMemoria):
    """Cuentas de las que otra mano cambió los usuarios de un día."""

    async def contar_con_usuarios(
        self,
        campaña_id: str,
        intervalos: Sequence[Intervalo],  # noqa: ARG002 (los del puerto)
        maximo: int,  # noqa: ARG002
    ) -> tuple[list[Contada], list[Usuarios]]:
        raise UsuariosIlegibles(campaña_id, datetime(2024, 4, 1, tzinfo=UTC))


async def test_unos_usuarios_ilegibles_no_quitan_lo_demas(puertos: PuertosEnMemoria) -> None:
    rotos = Ilegibles(registrado=puertos.registrado)
    async with cliente_de(api_en_memoria(rotos, reloj=lambda: AHORA)) as cliente:
        leida = await ver(cliente)
    assert "los del 1 abr 2024 no se entienden" in leida.texto
    assert "Impresiones" in leida.texto


async def test_lo_hostil_se_escribe_y_se_enlaza_tal_cual(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(VISTA)
    assert "<img" not in respuesta.text
    leida = leer_html(respuesta.text)
    assert HOSTIL in leida.texto
    assert leida.enlaces["<b>inf</b>/3"] == "/panel/influencers/%3Cb%3Einf%3C%2Fb%3E%2F3?zona=UTC"
    assert "<i>50%</i>" in leida.texto


async def test_el_ultimo_dia_que_se_elige_cuenta_y_la_direccion_lo_dice_como_la_api(
    cliente: httpx2.AsyncClient,
) -> None:
    elegido = {"desde": "2024-03-01", "ultimo_dia": "2024-03-31", "zona": "America/Bogota", "comparar": ""}
    respuesta = await cliente.get(f"{VISTA}/periodo", params=elegido)
    assert respuesta.status_code == 303
    assert respuesta.headers["location"] == (f"{VISTA}?desde=2024-03-01&zona=America/Bogota&hasta=2024-04-01")
    leida = await ver(cliente, respuesta.headers["location"])
    assert (
        "1 mar 2024 \N{EN DASH} 31 mar 2024 (31 días enteros, el primero y el último incluidos)"
        in leida.texto
    )


@pytest.mark.parametrize(
    ("direccion", "parametros", "campo"),
    [
        (VISTA, {"desda": "2024-03-01"}, "desda"),
        (VISTA, {"zona": "Bogota"}, "zona"),
        (VISTA, {"orden": "precio"}, "orden"),
        (VISTA, {"orden": "valor:XYZ"}, "orden"),
        (VISTA, {"filas": "2"}, "filas"),
        (VISTA, {"granularidad": "siglo"}, "granularidad"),
        (VISTA, {"granularidad": "hora", "desde": "2020-01-01"}, "granularidad"),
        (f"{VISTA}/periodo", {"ultimo_dia": "mañana"}, "ultimo_dia"),
        (f"{VISTA}/periodo", {"ultimo_dia": "9999-12-31"}, "ultimo_dia"),
        (f"{VISTA}/periodo", {"hasta": "2024-03-01"}, "hasta"),
    ],
)
async def test_un_parametro_malo_es_una_pagina_que_lo_nombra(
    cliente: httpx2.AsyncClient, direccion: str, parametros: dict[str, str], campo: str
) -> None:
    respuesta = await cliente.get(direccion, params=parametros)
    assert respuesta.status_code == 422
    assert respuesta.headers["content-type"].startswith("text/html")
    assert f"<code>{campo}</code>" in respuesta.text


async def test_un_dia_de_23_horas_y_uno_de_25_lo_dicen_y_los_demas_no(cliente: httpx2.AsyncClient) -> None:
    en_marzo = await ver(cliente, zona="Europe/Madrid", desde="2024-03-30", hasta="2024-04-02")
    assert [fila[0] for fila in en_marzo.filas[:3]] == ["30 mar 2024", "31 mar 2024 (23 horas)", "1 abr 2024"]
    en_octubre = await ver(cliente, zona="Europe/Madrid", desde="2023-10-29", hasta="2023-10-31")
    assert [fila[0] for fila in en_octubre.filas[:2]] == ["29 oct 2023 (25 horas)", "30 oct 2023"]


async def test_un_dia_de_horas_y_media_se_escribe_como_en_su_idioma(cliente: httpx2.AsyncClient) -> None:
    pedido = {"zona": "Australia/Lord_Howe", "desde": "2023-10-01", "hasta": "2023-10-02"}
    assert (await ver(cliente, **pedido)).filas[0][0] == "1 oct 2023 (23,5 horas)"
    en_ingles = await cliente.get(VISTA, params=pedido, headers={"Accept-Language": "en"})
    assert leer_html(en_ingles.text).filas[0][0] == "1 Oct 2023 (23.5 hours)"


async def test_lo_que_no_ha_acabado_lo_dice(cliente: httpx2.AsyncClient) -> None:
    assert "incompleto" in (await ver(cliente)).texto
    assert "incompleto" not in (await ver(cliente, desde="2024-03-01", hasta="2024-04-01")).texto


@pytest.mark.parametrize(
    ("granularidad", "acabado", "sin_acabar", "sin_empezar"),
    [
        ("dia", "14 abr 2024", "15 abr 2024", "16 abr 2024"),
        ("hora", "15 abr 2024, 14:00:00", "15 abr 2024, 15:00:00", "15 abr 2024, 16:00:00"),
    ],
)
async def test_solo_lo_que_no_ha_acabado_sale_de_la_linea_continua(
    cliente: httpx2.AsyncClient, granularidad: str, acabado: str, sin_acabar: str, sin_empezar: str
) -> None:
    pedido = {"desde": "2024-04-13", "hasta": "2024-04-18", "granularidad": granularidad}
    respuesta = await cliente.get(VISTA, params=pedido)
    filas = {fila[0] for fila in leer_html(respuesta.text).filas}
    assert sum(fila.startswith(acabado) and "sin" not in fila for fila in filas) == 1
    assert sum(fila.startswith(sin_acabar) and fila.endswith("(sin acabar)") for fila in filas) == 1
    assert sum(fila.startswith(sin_empezar) and fila.endswith("(sin empezar)") for fila in filas) == 1
    marcadas = re.findall(r"<tr data-sin-acabar data-x=\"(\d+)\"", respuesta.text)
    comienzo = AHORA.replace(minute=0, hour=0 if granularidad == "dia" else AHORA.hour)
    assert marcadas == [f"{int(comienzo.timestamp())}"]
    assert "A trazos cortos, lo que no ha acabado" in respuesta.text
    pasado = await cliente.get(VISTA, params=pedido | {"hasta": "2024-04-15"})
    assert re.search("<tr data-sin-", pasado.text) is None
    assert "A trazos cortos" not in pasado.text


class SinDesglose(PuertosEnMemoria):
    """Cuentas que por influencer o cupón tendrían que mirar demasiados eventos."""

    async def contar(
        self, sujeto_id: str, intervalos: Sequence[Intervalo], por: Collection[Dimension], maximo: int
    ) -> list[Contada]:
        if Dimension.INFLUENCER in por:
            raise DemasiadosSueltos(50_000)
        return await super().contar(sujeto_id, intervalos, por, maximo)


async def test_una_tabla_que_se_niega_dice_por_que_y_adonde_ir_y_las_demas_siguen(
    puertos: PuertosEnMemoria,
) -> None:
    async with cliente_de(
        api_en_memoria(SinDesglose(registrado=puertos.registrado), reloj=lambda: AHORA)
    ) as cliente:
        leida = await ver(cliente, zona="America/Bogota", desde="2024-03-01", hasta="2024-04-01")
        assert "más de 50.000 eventos que mirar uno a uno" in leida.texto
        assert [fila[0] for fila in leida.filas if fila[0] == "PROMO10"]
        en_utc = leida.enlaces["Ver los mismos días, enteros y en UTC"]
        assert en_utc == f"{VISTA}?zona=UTC&desde=2024-03-01&hasta=2024-04-01"
        assert (await cliente.get(en_utc)).status_code == 200
        mas_corto = leida.enlaces["Ver solo los siete últimos días"]
        assert "desde=2024-03-25&hasta=2024-04-01" in mas_corto


@pytest.mark.parametrize("orden", ["clics", "conversiones", "ventas_por_clic", "valor:COP"])
async def test_el_orden_esta_en_la_direccion_y_la_parte_dice_de_que_total_es(
    cliente: httpx2.AsyncClient, orden: str
) -> None:
    leida = await ver(cliente, orden=orden, granularidad="total")
    filas = (await informe(cliente, granularidad="total", por="influencer_id"))["filas"]
    medidas: dict[str, Any] = {
        "clics": lambda fila: fila["clics"],
        "conversiones": lambda fila: sum(fila["conversiones"].values()),
        "ventas_por_clic": lambda fila: (
            fila["conversiones"]["VENTA"] / fila["clics"] if fila["clics"] else -1
        ),
        "valor:COP": lambda fila: float(fila["valor"].get("COP", 0)),
    }
    ordenadas = sorted(filas, key=lambda fila: (-medidas[orden](fila), fila["influencer_id"]))
    assert [fila[0] for fila in leida.filas[: len(filas)]] == [fila["influencer_id"] for fila in ordenadas]
    partes = {
        "clics": ["Parte de los clics"],
        "conversiones": ["Parte de las conversiones"],
        "ventas_por_clic": [],
        "valor:COP": ["Parte del valor en COP"],
    }
    assert re.findall(r"Parte de\S* (?:los |las )?\w+(?: en \w+)?", leida.texto) == [
        *2 * partes[orden],
        "Parte de los clics",
        *3 * partes[orden],
    ]


@pytest.mark.parametrize(
    ("vista", "fila"),
    [("/panel/campa%C3%B1as/pocos", "con"), ("/panel/influencers/con", "pocos")],
)
async def test_de_pocos_clics_se_dice_cuantos_y_no_van_delante_por_sus_ventas_por_clic(
    puertos: PuertosEnMemoria, vista: str, fila: str
) -> None:
    comunes: dict[str, Any] = {"timestamp": AHORA, "recibido_en": AHORA}
    impresiones = puertos.registrado.libros[clases.IMPRESIONES].eventos
    conversiones = puertos.registrado.libros[clases.CONVERSIONES].eventos
    for campaña_id, influencer_id, cuantos in (
        ("pocos", "con", 1),
        ("pocos", "otro", CLICS_SUFICIENTES),
        ("otra", "con", CLICS_SUFICIENTES),
    ):
        quien: dict[str, Any] = {"campaña_id": campaña_id, "influencer_id": influencer_id}
        for numero in range(cuantos):
            suyo = impresion(tipo_evento="CLIC", **quien, **comunes)
            impresiones[f"{campaña_id}-{influencer_id}-{numero}"] = suyo
        conversiones[f"{campaña_id}-{influencer_id}"] = conversion(**quien, **comunes)
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: AHORA)) as cliente:
        leida = await ver(cliente, vista, orden="ventas_por_clic", granularidad="total")
    primera, segunda = [una for una in leida.filas if una[0] in {"con", "otro", "pocos", "otra"}]
    assert "1,00\N{NO-BREAK SPACE}%" in primera
    assert segunda[0] == fila
    assert "100,00\N{NO-BREAK SPACE}% 1 de 1: pocos clics" in segunda
    assert "Pocos clics: menos de 100." in leida.texto


async def test_se_ven_cincuenta_y_se_pueden_ver_todos(puertos: PuertosEnMemoria) -> None:
    llenar_de_influencers(puertos, "muchos", 60)
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: AHORA)) as cliente:
        leida = await ver(cliente, "/panel/campa%C3%B1as/muchos", granularidad="total")
        assert "Se ven las 50 primeras filas, de 60." in leida.texto
        todos = await ver(cliente, leida.enlaces["Verlas todas"])
    assert len([fila for fila in todos.filas if fila[0].startswith("inf-")]) == 60


async def test_de_mas_influencers_de_los_que_caben_se_ven_los_primeros_y_se_dice_cuantos_hay(
    puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    for modulo in (modulo_de_desglose, modulo_de_pedidas):
        monkeypatch.setattr(modulo, "FILAS_MAXIMAS", 55)
    llenar_de_influencers(puertos, "muchos", 60)
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: AHORA)) as cliente:
        leida = await ver(cliente, "/panel/campa%C3%B1as/muchos", granularidad="total")
        assert "Se ven las 50 primeras filas, de 60." in leida.texto
        los_que_caben = await ver(cliente, leida.enlaces["Ver las 55 primeras"])
    assert len([fila for fila in los_que_caben.filas if fila[0].startswith("inf-")]) == 55
    assert "Se ven las 55 primeras filas, de 60." in los_que_caben.texto
    assert "Ver las 55 primeras" not in los_que_caben.enlaces


async def test_de_una_campaña_que_no_hay_se_dice_que_puede_ser_y_cuales_se_le_parecen(
    puertos: PuertosEnMemoria,
) -> None:
    llenar(puertos, "verano-2024")
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: AHORA)) as cliente:
        respuesta = await cliente.get("/panel/campa%C3%B1as/verano-2042")
        nada = await cliente.get("/panel/campa%C3%B1as/%3Cscript%3E")
    assert respuesta.status_code == nada.status_code == 404
    leida = leer_html(respuesta.text)
    assert leida.enlaces["verano-2024"] == "/panel/campa%C3%B1as/verano-2024"
    assert "<script>" in leer_html(nada.text).texto
    assert "empiezan parecido" in leida.texto


async def test_lo_que_solo_hubo_antes_tambien_tiene_su_grafico(cliente: httpx2.AsyncClient) -> None:
    despues = {"desde": "2024-04-17", "hasta": "2024-05-17"}
    solo = await cliente.get(VISTA, params=despues)
    assert 'data-juntas="Visualizaciones"' not in solo.text
    comparado = await cliente.get(VISTA, params={**despues, "comparar": "periodo_anterior"})
    assert comparado.text.count('data-juntas="Visualizaciones"') == 2


async def test_un_dia_por_horas_dice_con_que_dia_se_compara(cliente: httpx2.AsyncClient) -> None:
    dia = {"desde": "2024-03-02", "hasta": "2024-03-03", "zona": "America/Bogota"}
    leida = await ver(cliente, **dia, granularidad="hora", comparar="periodo_anterior")
    assert "Frente a: El periodo anterior (1 mar 2024)." in leida.texto
    # El domingo de 23 horas no se compara con un día entero, y se dice desde qué hora.
    domingo = {"desde": "2024-03-31", "hasta": "2024-04-01", "zona": "Europe/Madrid"}
    leida = await ver(cliente, **domingo, granularidad="hora", comparar="periodo_anterior")
    assert "(30 mar 2024, 01:00:00 UTC+01:00 – 31 mar 2024, 00:00:00 UTC+01:00)." in leida.texto


async def test_un_periodo_sin_nada_lleva_al_ultimo_en_que_hubo_algo(cliente: httpx2.AsyncClient) -> None:
    leida = await ver(cliente, desde="2022-01-01", hasta="2022-02-01")
    adonde = leida.enlaces["Ver los treinta días que acaban con el último evento"]
    assert "desde=2024-03-17&hasta=2024-04-16" in adonde


async def test_se_descarga_de_la_api_lo_mismo_que_se_ve(cliente: httpx2.AsyncClient) -> None:
    pedido = {"zona": "America/Bogota", "comparar": "periodo_anterior"}
    leida = await ver(cliente, **pedido, orden="clics")
    dicho = await informe(cliente, **pedido)
    filas = (await cliente.get(leida.enlaces["NDJSON: Este informe"])).text.splitlines()
    assert len(filas) == len(dicho["filas"])
    impresiones = await cliente.get(leida.enlaces["NDJSON: Sus impresiones, clics y visualizaciones"])
    total = dicho["total"]
    assert len(impresiones.text.splitlines()) == (
        total["impresiones"] + total["clics"] + total["visualizaciones"]
    )
    conversiones = await cliente.get(leida.enlaces["NDJSON: Sus conversiones"])
    assert len(conversiones.text.splitlines()) == sum(total["conversiones"].values())


async def test_la_formula_de_cada_cifra_es_la_del_informe(cliente: httpx2.AsyncClient) -> None:
    texto = (await ver(cliente)).texto
    assert [
        formula for formula in {**DEFINICIONES, **DEFINICIONES_POR_CLASE}.values() if formula not in texto
    ] == []


@pytest.mark.parametrize("zona", [*ZONAS, "America/Santiago", "Pacific/Kiritimati"])
def test_un_periodo_corriente_pide_los_dias_que_dice(zona: str) -> None:
    for ahora in (AHORA, datetime(2024, 3, 1, 4, 59, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)):
        for periodo in corrientes(ahora, ZoneInfo(zona)).values():
            pedido = pedido_de_informe("c", {**periodo.parametros, "zona": zona}, ahora)
            assert periodo_de(pedido.periodo, pedido.zona) == periodo
            assert es_de_dias_enteros(pedido.periodo, pedido.zona)
            assert len(pedido.intervalos) == periodo.dias


@pytest.mark.parametrize(
    ("zona", "ahora", "esta", "pasada"),
    [
        # Un lunes a las 00:30 en Madrid aún es domingo en UTC.
        (
            "Europe/Madrid",
            datetime(2024, 4, 7, 22, 30, tzinfo=UTC),
            "2024-04-08",
            ("2024-04-01", "2024-04-08"),
        ),
        ("UTC", datetime(2024, 4, 7, 22, 30, tzinfo=UTC), "2024-04-01", ("2024-03-25", "2024-04-01")),
        # El domingo 31 de marzo se adelanta el reloj.
        ("Europe/Madrid", datetime(2024, 4, 3, 12, tzinfo=UTC), "2024-04-01", ("2024-03-25", "2024-04-01")),
        ("Asia/Kolkata", datetime(2025, 1, 1, tzinfo=UTC), "2024-12-30", ("2024-12-23", "2024-12-30")),
    ],
)
def test_la_semana_va_de_lunes_a_lunes_en_la_zona_que_se_mira(
    zona: str, ahora: datetime, esta: str, pasada: tuple[str, str]
) -> None:
    todos = corrientes(ahora, ZoneInfo(zona))
    hoy = ahora.astimezone(ZoneInfo(zona)).date()
    assert todos[Corriente.ESTA_SEMANA].primero.isoformat() == esta
    assert todos[Corriente.ESTA_SEMANA].ultimo == hoy
    parametros = todos[Corriente.SEMANA_PASADA].parametros
    assert (parametros["desde"], parametros["hasta"]) == pasada
    intervalo = pedido_de_informe("c", {**parametros, "zona": zona}, ahora).periodo
    horas = (intervalo.hasta - intervalo.desde) / timedelta(hours=1)
    assert horas == (167 if zona == "Europe/Madrid" and pasada[0] == "2024-03-25" else 168)


async def test_la_semana_se_elige_como_los_demas_periodos(cliente: httpx2.AsyncClient) -> None:
    enlaces = (await ver(cliente, zona="America/Bogota")).enlaces
    assert [nombre for nombre in enlaces if "emana" in nombre] == ["Esta semana", "Semana pasada"]
    pasada = await ver(cliente, enlaces["Semana pasada"])
    assert "8 abr 2024 \N{EN DASH} 14 abr 2024 (7 días enteros" in pasada.texto


PERIODOS_IMPOSIBLES = pytest.mark.parametrize(
    ("pedido", "rotulo", "remedios"),
    [
        (
            {"desde": "2024-04-10", "hasta": "2024-04-01", "zona": "America/Bogota", "orden": "clics"},
            "Primer día desde: debe ser anterior a hasta",
            ["Lo mismo, sin desde", "Los últimos treinta días"],
        ),
        ({"desde": "ayer"}, "Primer día desde: ", ["Lo mismo, sin desde"]),
        ({"zona": "Bogota"}, "Zona horaria zona: ", ["Lo mismo, sin zona"]),
        (
            {"desde": "2016-01-01", "granularidad": "hora"},
            "Detalle granularidad: son unos ",
            ["Por semanas", "Por meses", "En total", "Los últimos treinta días"],
        ),
        (
            {"desde": "1800-01-01", "hasta": "1900-01-01"},
            "Primer día desde: ",
            ["Lo mismo, sin hasta, desde"],
        ),
    ],
)


@pytest.mark.parametrize("vista", [VISTA, "/panel/influencers/inf-1"])
@PERIODOS_IMPOSIBLES
async def test_de_un_periodo_imposible_se_dice_por_que_y_lo_que_si_se_puede_ver(
    cliente: httpx2.AsyncClient, vista: str, pedido: dict[str, str], rotulo: str, remedios: list[str]
) -> None:
    respuesta = await cliente.get(vista, params={**pedido, "bots": "excluir"})
    assert respuesta.status_code == 422
    leida = leer_html(respuesta.text)
    assert rotulo in leida.texto
    hallados = {nombre: adonde for nombre, adonde in leida.enlaces.items() if adonde.startswith(vista)}
    assert [*hallados] == remedios
    assert len({*hallados.values()}) == len(hallados)
    for adonde in hallados.values():
        await ver(cliente, adonde)
        if "zona" in pedido and pedido["zona"] != "Bogota":
            assert f"zona={pedido['zona']}" in adonde
        assert "bots=excluir" in adonde


@pytest.mark.parametrize("vista", [VISTA, "/panel/influencers/inf-1"])
@pytest.mark.parametrize(
    ("puerta", "pedido", "frase", "fechas"),
    [
        (
            "",
            {"desde": "2024-04-10", "hasta": "2024-04-01"},
            "debe ser anterior a hasta",
            ("2024-04-10", "2024-03-31"),
        ),
        (
            "/periodo",
            {"desde": "2024-04-10", "ultimo_dia": "2024-04-01"},
            "el primer día es posterior al último",
            ("2024-04-10", "2024-04-01"),
        ),
        (
            "/periodo",
            {"desde": "2024-04-10", "ultimo_dia": "9999-12-31"},
            "debe estar entre 1970-01-01 y 2099-12-31",
            ("2024-04-10", ""),
        ),
        (
            "/periodo",
            {"desde": "2024-04-10", "ultimo_dia": "2100-01-01"},
            "debe estar entre 1970-01-01 y 2099-12-31",
            ("2024-04-10", ""),
        ),
        (
            "/periodo",
            {"desde": "2024-04-10", "ultimo_dia": "mañana"},
            "debe ser una fecha, como 2024-01-31",
            ("2024-04-10", ""),
        ),
    ],
)
async def test_unas_fechas_que_no_valen_se_enmiendan_en_la_pagina_que_lo_dice(
    cliente: httpx2.AsyncClient,
    vista: str,
    puerta: str,
    pedido: dict[str, str],
    frase: str,
    fechas: tuple[str, str],
) -> None:
    lo_demas = {"zona": "America/Bogota", "granularidad": "semana", "orden": "clics"}
    respuesta = await cliente.get(f"{vista}{puerta}", params=pedido | lo_demas)
    assert respuesta.status_code == 422
    assert f"{frase}</li>" in respuesta.text
    assert re.findall(r'type="date" name="\w+" value="([^"]*)"', respuesta.text) == [*fechas]
    assert f'action="{vista}/periodo"' in respuesta.text
    elegidas = re.findall(r"<option[^>]* selected[^>]*>([^<]+)<", respuesta.text)
    assert elegidas == ["America/Bogota", "Por semanas"]
    assert '<input type="hidden" name="orden" value="clics">' in respuesta.text


async def test_en_vivo_de_una_campaña_de_la_que_no_consta_nada_se_dice_y_se_proponen_las_parecidas(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    aviso = "No hay nada registrado de una campaña que se llame así"
    assert aviso not in (await ver(cliente, f"{VISTA}/en-vivo")).texto
    ninguna = await ver(cliente, f"{VISTA}-bis/en-vivo")
    assert aviso in ninguna.texto
    assert ninguna.enlaces[HOSTIL] == f"{VISTA}/en-vivo"
    puertos.hay_base_de_datos = False
    assert aviso not in (await ver(cliente, f"{VISTA}-bis/en-vivo")).texto


async def test_en_ingles_no_queda_nada_en_español(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(VISTA, headers={"Accept-Language": "en"})
    texto = leer_html(respuesta.text).texto
    assert "Last day, included" in texto
    assert "Impresiones" not in texto


async def test_detras_de_un_intermediario_con_tls_la_direccion_en_papel_es_la_cifrada(
    puertos: PuertosEnMemoria,
) -> None:
    cabeceras = {"X-Forwarded-Proto": "https", "Authorization": "Bearer una"}
    async with cliente_de(api_en_memoria(puertos, claves=["una"], reloj=lambda: AHORA)) as cliente:
        en_papel = await cliente.get(VISTA, headers=cabeceras)
    assert f'<p class="solo-en-papel">https://127.0.0.1:8000{VISTA}' in en_papel.text
