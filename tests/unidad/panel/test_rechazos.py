"""La página de lo que no se registró: por motivo, con lo que se envió y su enmienda."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx2
import pytest

from alpespartners.modulos.claves.aplicacion.llavero import LlaveroGuardado
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from tests.apoyo.casos_de_destino import DE_TODO, HOSTIL, puertos_con_de_todo
from tests.apoyo.claves import ClavesEnMemoria
from tests.apoyo.eventos import AHORA, CONVERSION, recibido
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.paginas import texto_de


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return puertos_con_de_todo()


async def pedir(puertos: PuertosEnMemoria, consulta: str = "", **opciones: Any) -> httpx2.Response:
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        return await cliente.get(f"/panel/rechazos{consulta}", **opciones)


def comandos(respuesta: httpx2.Response) -> list[str]:
    return re.findall(r"<small>\w+ <code><bdi>(.*?)</bdi>", respuesta.text)


@pytest.mark.parametrize(
    "consulta",
    [
        "estado=RECHAZADA",
        "estado=ignorada",
        "estado=ILEGIBLE",
        "estado=DUPLICADA",
        "motivo=conflicto_de_id",
        "motivo=sin_campaña",
        "estado=RECHAZADA&campaña_id=cmp-456&clase=conversion",
        "estado=RECHAZADA&desde=2026-01-15T10:36:03Z&hasta=2026-01-15T10:36:05Z",
        "estado=RECHAZADA&clase=impresiones",
    ],
)
async def test_enseña_lo_mismo_que_la_api_con_los_mismos_filtros(
    puertos: PuertosEnMemoria, consulta: str
) -> None:
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        pagina = await cliente.get(f"/panel/rechazos?{consulta}")
        destinos = (await cliente.get(f"/tracking/destinos?{consulta}")).json()["elementos"]
    assert comandos(pagina) == [destino["comando_id"] for destino in destinos]
    leido = texto_de(pagina)
    assert [d["detalle"] for d in destinos if d["detalle"] and d["detalle"] not in leido] == []


async def test_sin_filtros_enseña_lo_rechazado_y_un_campo_vacio_del_formulario_no_filtra(
    puertos: PuertosEnMemoria,
) -> None:
    rechazados = comandos(await pedir(puertos))
    assert rechazados == ["c-9", "c-4", "c-3"]
    vacios = "?estado=RECHAZADA&motivo=&clase=&campaña_id=&desde=&hasta="
    assert comandos(await pedir(puertos, vacios)) == rechazados


async def test_lo_contado_por_motivo_es_lo_del_balance(puertos: PuertosEnMemoria) -> None:
    leido = texto_de(await pedir(puertos))
    assert "Rechazada 3 El id ya es de otro evento conflicto_de_id 2 La moneda no existe" in leido
    assert "Ignorada 1 No dice de qué campaña es sin_campaña 1 Ilegible 1 Duplicada 1" in leido
    de_impresiones = texto_de(await pedir(puertos, "?clase=impresion"))
    assert "Rechazada 0 Ignorada 0 Ilegible 0 Duplicada 0" in de_impresiones


async def test_cada_uno_lleva_a_su_historia_y_trae_lo_enviado_y_la_orden_enmendada(
    puertos: PuertosEnMemoria,
) -> None:
    mala = replace(CONVERSION, id="v-1", moneda=HOSTIL)
    ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido(mala, "d-1")], puertos.registrado, AHORA)
    respuesta = await pedir(puertos, "?motivo=moneda_desconocida")
    assert '<a href="/panel/evento?id=v-1">' in respuesta.text
    leido = texto_de(respuesta)
    assert f"moneda (no vale) {HOSTIL}" in leido
    assert "curl -X POST http://127.0.0.1:8000/tracking/conversiones" in leido
    assert '"moneda":<moneda>' in leido


async def test_la_lista_sigue_por_paginas_sin_repetir_ni_saltarse_ninguno(puertos: PuertosEnMemoria) -> None:
    manejador = ManejadorDeRegistro(clases.CONVERSIONES)
    for numero in range(60):
        mala = replace(CONVERSION, id=f"v-{numero}", moneda="ZZZ", campaña_id="cmp/ñ&1")
        manejador.manejar([recibido(mala, f"d-{numero:02}")], puertos.registrado, AHORA)
    vistos: list[str] = []
    consulta = "?motivo=moneda_desconocida&campaña_id=cmp/ñ%261"
    while consulta:
        respuesta = await pedir(puertos, consulta)
        assert respuesta.status_code == 200
        vistos += comandos(respuesta)
        siguiente = re.search(r'<a href="/panel/rechazos([^"]*)" rel="next">', respuesta.text)
        consulta = siguiente[1].replace("&amp;", "&") if siguiente else ""
    assert vistos == [f"d-{numero:02}" for numero in reversed(range(60))]


@pytest.mark.parametrize(
    ("escrito", "en_la_direccion"),
    [
        ("2026-01-15T10:36", "2026-01-15T10:36:00Z"),
        ("2026-01-15T10:36:03.250", "2026-01-15T10:36:03.250000Z"),
        ("2026-01-15", "2026-01-15T00:00:00Z"),
    ],
)
async def test_lo_que_envia_el_campo_de_una_fecha_es_de_utc_y_la_direccion_lo_dice_como_la_api(
    puertos: PuertosEnMemoria, escrito: str, en_la_direccion: str
) -> None:
    enviado = await pedir(puertos, f"?estado=RECHAZADA&motivo=&desde={escrito}&hasta=")
    assert enviado.status_code == 303
    direccion = enviado.headers["Location"]
    assert direccion == f"/panel/rechazos?desde={en_la_direccion}&estado=RECHAZADA"
    vista = await pedir(puertos, direccion.removeprefix("/panel/rechazos"))
    assert vista.status_code == 200
    # El campo vuelve con lo elegido, en una forma que el navegador entiende.
    (valor,) = re.findall(r'name="desde" value="([^"]*)"', vista.text)
    assert datetime.fromisoformat(valor) == datetime.fromisoformat(escrito)


async def test_un_instante_de_otra_zona_se_enseña_en_utc_y_con_milisegundos(
    puertos: PuertosEnMemoria,
) -> None:
    vista = await pedir(puertos, "?desde=2026-01-15T05:36:03.123456-05:00")
    assert 'name="desde" value="2026-01-15T10:36:03.123"' in vista.text


async def test_en_ingles_se_dice_en_ingles(puertos: PuertosEnMemoria) -> None:
    leido = texto_de(await pedir(puertos, headers={"Accept-Language": "en"}))
    assert "What was not recorded" in leido
    assert "Rejected 3 The id already belongs to another event conflicto_de_id 2" in leido
    assert "the last hour · the last 24 hours · the last 7 days" in leido


async def test_los_parametros_que_no_valen_se_dicen_todos(puertos: PuertosEnMemoria) -> None:
    respuesta = await pedir(puertos, "?estado=REGISTRADA&motivo=nada&otro=1&desde=ayer&cursor=x")
    assert respuesta.status_code == 422
    for campo in ("estado", "motivo", "otro", "desde"):
        assert f"<code>{campo}</code>" in respuesta.text


async def test_si_no_hay_ninguno_lo_dice() -> None:
    leido = texto_de(await pedir(PuertosEnMemoria()))
    assert "No hay ninguno con estos filtros." in leido


@pytest.mark.parametrize(("desde", "al_reves"), [("2024-01-15", True), ("2024-01-14", False)])
async def test_de_unas_fechas_al_reves_se_dice_que_lo_estan(
    puertos: PuertosEnMemoria, desde: str, *, al_reves: bool
) -> None:
    fechas = f"?desde={desde}T00:00:00Z&hasta=2024-01-15T00:00:00Z"
    leido = texto_de(await pedir(puertos, fechas))
    assert "No hay ninguno con estos filtros." in leido
    assert ("no es anterior a hasta cuándo" in leido) == al_reves


async def test_una_clave_con_campañas_elige_una_y_no_ve_las_demas_ni_lo_contado_de_todas(
    puertos: PuertosEnMemoria,
) -> None:
    claves = ClavesEnMemoria()
    clave = claves.crear("lectura", campañas=["cmp-456", "mía"])
    guardadas = LlaveroGuardado(claves.leer, lambda: AHORA)
    await guardadas.ponerse_al_dia()
    cabeceras = {"Authorization": f"Bearer {clave}"}
    async with cliente_de(api_en_memoria(puertos, guardadas=guardadas)) as cliente:
        eleccion = await cliente.get("/panel/rechazos?clase=conversion", headers=cabeceras)
        suya = await cliente.get("/panel/rechazos?campaña_id=cmp-456", headers=cabeceras)
        ajena = await cliente.get("/panel/rechazos?campaña_id=otra", headers=cabeceras)
    assert comandos(eleccion) == []
    for campaña in ("cmp-456", "m%C3%ADa"):
        assert re.search(rf'href="/panel/rechazos\?[^"]*={campaña}[&"]', eleccion.text)
    assert comandos(suya) == ["c-4", "c-3"]
    assert "Cuántos hay, desde el principio" not in suya.text
    assert "Bearer $ALPES_CLAVE" in suya.text
    assert (ajena.status_code, comandos(ajena)) == (403, [])


@pytest.mark.parametrize("dicho", ["https", "https, http"])
async def test_detras_de_un_intermediario_con_tls_la_orden_va_cifrada(
    puertos: PuertosEnMemoria, dicho: str
) -> None:
    cabeceras = {"X-Forwarded-Proto": dicho, "Authorization": "Bearer una"}
    async with cliente_de(api_en_memoria(puertos, claves=["una"])) as cliente:
        leido = texto_de(await cliente.get("/panel/rechazos", headers=cabeceras))
    assert "curl -X POST https://127.0.0.1:8000/tracking/conversiones" in leido
    assert "http://127" not in leido


@pytest.mark.parametrize("direccion", ["/panel/rechazos?motivo=moneda_desconocida", "/panel/evento?id=v-1"])
async def test_la_orden_de_lo_que_vino_sin_instante_lleva_el_de_su_recepcion_y_lo_dice(
    direccion: str,
) -> None:
    puertos = PuertosEnMemoria()
    mala = replace(CONVERSION, id="v-1", moneda="ZZZ", timestamp=None)
    ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido(mala, "d-1")], puertos.registrado, AHORA)
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        leido = texto_de(await cliente.get(direccion))
    (destino,) = puertos.registrado.destinos.anotados.values()
    assert f'"timestamp":"{destino.recibido_en.isoformat().replace("+00:00", "Z")}"' in leido
    assert "Su timestamp es el instante en que se recibió" in leido


async def test_junto_a_la_orden_se_dice_que_una_clave_con_prefijo_lo_registraria_otra_vez() -> None:
    puertos = PuertosEnMemoria()
    for numero, (evento_id, moneda) in enumerate(
        [("shop-z-1", "ZZZ"), ("z-1", "ZZZ"), ("shop-c", "COP"), ("shop-c", "USD")]
    ):
        mensaje = recibido(replace(CONVERSION, id=evento_id, moneda=moneda), f"d-{numero}")
        ManejadorDeRegistro(clases.CONVERSIONES).manejar([mensaje], puertos.registrado, AHORA)
    claves = ClavesEnMemoria()
    todas, suya = claves.crear("lectura"), claves.crear("lectura", campañas=["cmp-456"])
    claves.crear("captura", prefijo="shop-")
    guardadas = LlaveroGuardado(claves.leer, lambda: AHORA)
    await guardadas.ponerse_al_dia()

    async def leido(clave: str, evento_id: str) -> str:
        async with cliente_de(api_en_memoria(puertos, guardadas=guardadas)) as cliente:
            cabeceras = {"Authorization": f"Bearer {clave}"}
            return texto_de(await cliente.get(f"/panel/evento?id={evento_id}", headers=cabeceras))

    visto = await leido(todas, "shop-z-1")
    assert "contaría dos veces: shop-shop-z-1 . Tampoco vale la de un dialecto" in visto
    # En un conflicto se envía otro evento, y el prefijo de su clave no sobra.
    visto = await leido(todas, "shop-c")
    assert "Con una clave de captura. Tampoco vale la de un dialecto" in visto
    for clave, evento_id in ((todas, "z-1"), (suya, "shop-z-1")):
        visto = await leido(clave, evento_id)
        assert "Con una clave de captura que no anteponga un prefijo al id" in visto
        assert "shop-shop" not in visto
    assert "Con una clave" not in texto_de(await pedir(puertos))


async def test_de_lo_que_ya_se_registro_enmendado_se_dice_y_no_se_da_la_orden(
    puertos: PuertosEnMemoria,
) -> None:
    lista = await pedir(puertos, "?motivo=moneda_desconocida")
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        historia = await cliente.get(f"/panel/evento?id={DE_TODO}")
    for pagina, registrado in (
        (lista, f"/panel/evento?id={DE_TODO}"),
        (historia, "#registrada-conversion"),
    ):
        assert "no lo envíe otra vez" in texto_de(pagina)
        assert f'<a href="{registrado}">Ver el registrado</a>' in pagina.text
        assert '"moneda":"<moneda>"' not in texto_de(pagina)
    assert 'id="registrada-conversion"' in historia.text
    # Un conflicto es otro evento, que espera su propio id.
    assert "curl" in texto_de(await pedir(puertos, "?motivo=conflicto_de_id"))
    assert "no lo envíe otra vez" in texto_de(await pedir(puertos, "?estado=IGNORADA"))


async def test_de_lo_registrado_en_una_campaña_que_no_se_ve_no_se_dice_nada(
    puertos: PuertosEnMemoria,
) -> None:
    mala = replace(CONVERSION, id=DE_TODO, campaña_id="otra", moneda="ZZZ")
    ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido(mala, "d-1")], puertos.registrado, AHORA)
    claves = ClavesEnMemoria()
    cabeceras = {"Authorization": f"Bearer {claves.crear('lectura', campañas=['otra'])}"}
    guardadas = LlaveroGuardado(claves.leer, lambda: AHORA)
    await guardadas.ponerse_al_dia()
    async with cliente_de(api_en_memoria(puertos, guardadas=guardadas)) as cliente:
        for direccion in ("/panel/rechazos?campaña_id=otra", f"/panel/evento?id={DE_TODO}"):
            leido = texto_de(await cliente.get(direccion, headers=cabeceras))
            assert "no lo envíe otra vez" not in leido
            assert '"moneda":<moneda>' in leido


@pytest.mark.parametrize(
    "filtro", ["campaña_id=cmp-456", "desde=2026-01-15T00:00:00Z", "hasta=2026-01-15T00:00:00Z"]
)
async def test_lo_contado_desde_el_principio_no_se_enseña_sobre_una_lista_que_es_de_menos(
    puertos: PuertosEnMemoria, filtro: str
) -> None:
    assert "Cuántos hay, desde el principio" not in texto_de(await pedir(puertos, f"?{filtro}"))
    vacio = await pedir(puertos, "?campaña_id=&desde=&hasta=&clase=conversion")
    assert "Cuántos hay, desde el principio" in texto_de(vacio)
