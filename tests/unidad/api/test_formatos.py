"""CSV y NDJSON por HTTP: quién los recibe, qué traen, y que lo que va entero no se junta en la memoria."""

import asyncio
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

import httpx2
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message

from alpespartners.api.http import descargas
from alpespartners.api.http.nombres_de_archivo import como_adjunto
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import LIMITE_MAXIMO
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, Consulta
from alpespartners.modulos.tracking.dominio.entidades import Conversion
from alpespartners.seedwork.csv_protegido import sin_proteger
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.eventos import AHORA, conversion
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de

T = TypeVar("T")

LISTA = f"/tracking/{quote('campañas')}/cmp-456/conversiones"
CORRIENTE = "/tracking/conversiones"
DESTINOS = "/tracking/destinos"
TRES_PAGINAS = 2 * LIMITE_MAXIMO + 500
TIPO_CSV = "text/csv; charset=utf-8; header=present"
TIPO_NDJSON = "application/x-ndjson"


def registrar(puertos: PuertosEnMemoria, *eventos: Conversion) -> None:
    libro = puertos.registrado.libros[clases.CONVERSIONES].eventos
    libro.update((evento.id, evento) for evento in eventos)


def muchas(cuantas: int, prefijo: str = "v", **cambios: Any) -> list[Conversion]:
    """Las da de la más antigua a la más nueva."""
    modelo = conversion(**cambios)
    return [
        conversion(
            id=f"{prefijo}{numero:05}",
            timestamp=AHORA - timedelta(days=1) + timedelta(seconds=numero),
            comando_id=f"c-{prefijo}{numero}",
            campaña_id=modelo.contenido.campaña_id,
        )
        for numero in range(cuantas)
    ]


def tabla(texto: str) -> list[dict[str, str]]:
    """Las filas, por el nombre de cada columna y sin la protección de las fórmulas."""
    lector = csv.reader(io.StringIO(texto, newline=""), strict=True)
    nombres = next(lector)
    return [dict(zip(nombres, map(sin_proteger, fila), strict=True)) for fila in lector]


def ids(respuesta: httpx2.Response) -> list[str]:
    assert respuesta.status_code == 200, respuesta.text
    if respuesta.headers["Content-Type"] == TIPO_CSV:
        return [fila["id"] for fila in tabla(respuesta.text)]
    if respuesta.headers["Content-Type"] == TIPO_NDJSON:
        return [msgspec.json.decode(linea)["id"] for linea in respuesta.content.splitlines()]
    return [elemento["id"] for elemento in respuesta.json()["elementos"]]


@pytest.mark.parametrize(
    ("acepta", "tipo"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("text/html, */*;q=0.8", "application/json"),
        ("text/*", "application/json"),
        ("image/png", "application/json"),
        ("text/csv", TIPO_CSV),
        ("TEXT/CSV; header=present", TIPO_CSV),
        ("text/csv, */*", TIPO_CSV),
        ("text/csv;q=0.5, application/x-ndjson", TIPO_NDJSON),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/csv;q=0.5, */*;q=0.1", TIPO_CSV),
        ("text/csv;q=0.1, application/*;q=0.5", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=0, application/x-ndjson;q=0.001", TIPO_NDJSON),
        ("text/csv;q=mucho", "application/json"),
        (",;,/", "application/json"),
    ],
)
async def test_se_responde_en_el_formato_que_mejor_se_acepta_y_si_no_en_json(
    cliente: httpx2.AsyncClient, acepta: str | None, tipo: str
) -> None:
    cliente.headers.pop("Accept")
    respuesta = await cliente.get(LISTA, headers={} if acepta is None else {"Accept": acepta})
    assert (respuesta.status_code, respuesta.headers["Content-Type"]) == (200, tipo)
    assert respuesta.headers["Vary"] == "Accept"


async def test_el_parametro_manda_sobre_la_cabecera(cliente: httpx2.AsyncClient) -> None:
    for formato, tipo in (("json", "application/json"), ("CSV", TIPO_CSV), ("ndjson", TIPO_NDJSON)):
        acepta = "text/csv" if formato == "json" else "application/json"
        respuesta = await cliente.get(LISTA, params={"formato": formato}, headers={"Accept": acepta})
        assert respuesta.headers["Content-Type"] == tipo


async def test_un_formato_que_no_hay_es_una_falta_mas_y_se_dice_con_las_otras(
    cliente: httpx2.AsyncClient,
) -> None:
    respuesta = await cliente.get(LISTA, params={"formato": "xml", "limite": "0", "limit": "1"})
    assert (respuesta.status_code, respuesta.headers["Content-Type"]) == (422, "application/problem+json")
    faltas = {falta["campo"]: falta["mensaje"] for falta in respuesta.json()["errores"]}
    assert faltas.keys() == {"formato", "limite", "limit"}
    assert faltas["formato"] == "debe ser uno de: json, csv, ndjson"


@pytest.mark.parametrize("formato", ["csv", "ndjson"])
async def test_con_limite_va_esa_pagina_y_el_enlace_lleva_a_la_siguiente_en_el_mismo_formato(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, formato: str
) -> None:
    registrar(puertos, *muchas(5))
    for direccion in (LISTA, CORRIENTE, DESTINOS):
        en_json = await cliente.get(direccion, params={"limite": "2"})
        respuesta = await cliente.get(direccion, params={"limite": "2", "formato": formato})
        assert ids(respuesta) == ids(en_json)
        vistos = ids(respuesta)
        while "Link" in respuesta.headers:
            enlace = respuesta.headers["Link"]
            assert f"formato={formato}" in enlace
            respuesta = await cliente.get(enlace[1 : enlace.index(">")])
            vistos += ids(respuesta)
        assert vistos == ids(await cliente.get(direccion))
        assert len(vistos) == 5


@pytest.mark.parametrize("formato", ["csv", "ndjson"])
@pytest.mark.parametrize("direccion", [LISTA, CORRIENTE, DESTINOS])
async def test_sin_limite_va_todo_en_el_orden_de_siempre(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, direccion: str, formato: str
) -> None:
    registrar(puertos, *muchas(TRES_PAGINAS))
    respuesta = await cliente.get(direccion, params={"formato": formato})
    esperados = [evento.id for evento in muchas(TRES_PAGINAS)]
    assert sorted(ids(respuesta)) == esperados
    assert ids(respuesta)[:LIMITE_MAXIMO] == ids(await cliente.get(direccion, params={"limite": "1000"}))
    assert ("Link" in respuesta.headers) is (direccion == CORRIENTE)


async def test_sin_limite_y_con_cursor_va_lo_que_falta(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *muchas(LIMITE_MAXIMO + 10))
    for direccion in (LISTA, CORRIENTE, DESTINOS):
        primera = await cliente.get(direccion, params={"limite": "4"})
        cursor = {"cursor": primera.json()["siguiente"]}
        resto = await cliente.get(direccion, params={"formato": "csv", **cursor})
        assert len({*ids(primera), *ids(resto)}) == LIMITE_MAXIMO + 10 == len(ids(primera)) + len(ids(resto))


_TEXTOS = st.text(max_size=12)


@given(_TEXTOS, _TEXTOS)
@example("=cmd|' /C calc'!A0", 'a,"b"\r\nc;\x00 \U0001f600')
@example("'", "'=1")
async def test_el_csv_el_ndjson_y_el_json_dicen_lo_mismo(uno: str, otro: str) -> None:
    puertos = PuertosEnMemoria()
    registrar(puertos, conversion(propiedades={"p": uno, "q": otro}, user_agent=uno, cupon=None))
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        for direccion in (LISTA, DESTINOS):
            en_json = await cliente.get(direccion)
            [elemento] = en_json.json()["elementos"]
            en_csv = await cliente.get(direccion, params={"formato": "csv"})
            en_ndjson = await cliente.get(direccion, params={"formato": "ndjson"})
            assert msgspec.json.decode(en_ndjson.content.rstrip(b"\n")) == elemento
            assert en_ndjson.content.rstrip(b"\n") in en_json.content
            [fila] = tabla(en_csv.content.decode())
            assert list(fila) == list(elemento)
            for campo, valor in elemento.items():
                leido = fila[campo]
                assert (
                    leido == (valor or "")
                    if isinstance(valor, str | None)
                    else (msgspec.json.decode(leido) == valor)
                ), campo


@pytest.mark.parametrize("direccion", [LISTA, CORRIENTE, DESTINOS])
async def test_de_nada_el_csv_son_los_nombres_y_el_ndjson_esta_vacio(
    cliente: httpx2.AsyncClient, direccion: str
) -> None:
    for limite in ({}, {"limite": "5"}):
        en_csv = await cliente.get(direccion, params={"formato": "csv", **limite})
        assert en_csv.text.count("\r\n") == 1
        assert "id,campaña_id,influencer_id," in en_csv.text
        en_ndjson = await cliente.get(direccion, params={"formato": "ndjson", **limite})
        assert (en_ndjson.status_code, en_ndjson.content) == (200, b"")


@pytest.mark.parametrize("limite", [{}, {"limite": "1"}])
async def test_head_dice_las_cabeceras_de_get_y_nada_mas(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, limite: dict[str, str]
) -> None:
    registrar(puertos, *muchas(TRES_PAGINAS))
    for direccion in (LISTA, CORRIENTE, DESTINOS):
        parametros = {"formato": "csv", **limite}
        con_cuerpo = await cliente.get(direccion, params=parametros)
        antes = puertos.consultas
        sin_cuerpo = await cliente.head(direccion, params=parametros)
        assert sin_cuerpo.headers == con_cuerpo.headers
        # Lo que falla pronto se sabe con la primera página: las demás no se leen.
        assert puertos.consultas - antes <= 3


async def test_lo_que_falla_antes_de_responder_es_un_error_como_los_demas(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    for direccion in (LISTA, CORRIENTE, DESTINOS):
        mal = await cliente.get(direccion, params={"formato": "csv", "cursor": "x"})
        assert (mal.status_code, mal.headers["Content-Type"]) == (422, "application/problem+json")
    puertos.hay_base_de_datos = False
    for direccion in (LISTA, CORRIENTE, DESTINOS):
        sin_base = await cliente.get(direccion, params={"formato": "csv"})
        assert (sin_base.status_code, sin_base.headers["Content-Type"]) == (503, "application/problem+json")


async def test_el_archivo_se_llama_como_lo_que_trae(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(
        LISTA, params={"formato": "csv", "desde": "2024-01-01T00:00:00Z", "hasta": "2024-02-01T00:00:00Z"}
    )
    nombre = "conversiones_cmp-456_2024-01-01T00-00-00Z_2024-02-01T00-00-00Z.csv"
    assert respuesta.headers["Content-Disposition"] == (
        f"attachment; filename=\"{nombre}\"; filename*=UTF-8''{nombre}"
    )
    campaña = quote('../ñ";á', safe="")
    ajena = await cliente.get(f"/tracking/campanas/{campaña}/conversiones", params={"formato": "ndjson"})
    assert ajena.headers["Content-Disposition"] == (
        'attachment; filename="conversiones_..-n--a.ndjson"; '
        "filename*=UTF-8''conversiones_..-%C3%B1--%C3%A1.ndjson"
    )
    assert "Content-Disposition" not in (await cliente.get(LISTA)).headers


@given(st.text())
@example("\U0001d7d9" * 200)
@example("日" * 200)
def test_cualquier_nombre_cabe_en_un_archivo_y_en_una_cabecera(texto: str) -> None:
    cabecera = como_adjunto(("impresiones", texto, None), "csv")
    llano = cabecera.partition('filename="')[2].partition('"')[0]
    assert cabecera.isascii()
    assert cabecera.isprintable()
    assert set(llano) <= {*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."}
    assert len(llano) < 255
    assert llano.startswith("impresiones")


async def test_la_corriente_entera_acaba_donde_estaba_al_preguntar_y_su_cursor_sigue_desde_ahi() -> None:
    puertos = _QueRegistraMientrasSeLee(muchas(10, "tarde"))
    registrar(puertos, *muchas(TRES_PAGINAS, campaña_id="cmp-456"))
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        for filtro in ({}, {"campaña_id": "cmp-456"}):
            antes = list(puertos.registrado.libros[clases.CONVERSIONES].eventos)
            entera = await cliente.get(CORRIENTE, params={"formato": "csv", **filtro})
            assert ids(entera) == antes
            despues = list(puertos.registrado.libros[clases.CONVERSIONES].eventos)[len(antes) :]
            assert despues
            for seguir in (
                CORRIENTE + "?" + str(httpx2.QueryParams({"cursor": entera.headers["Cursor"], **filtro})),
                entera.headers["Link"][1 : entera.headers["Link"].index(">")],
            ):
                puertos.por_llegar, guardados = [], puertos.por_llegar
                assert ids(await cliente.get(seguir)) == despues
                puertos.por_llegar = guardados


async def test_una_pagina_de_la_corriente_dice_en_cursor_lo_que_el_json_en_siguiente(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    registrar(puertos, *muchas(3))
    for limite in ("2", "3", "4"):
        en_json = await cliente.get(CORRIENTE, params={"limite": limite})
        en_csv = await cliente.get(CORRIENTE, params={"limite": limite, "formato": "csv"})
        assert en_csv.headers["Cursor"] == en_json.json()["siguiente"]
        assert ("Link" in en_csv.headers) is not en_json.json()["al_dia"]
        assert "Cursor" not in en_json.headers


async def test_una_lista_entera_no_repite_ni_se_salta_nada_mientras_llegan_eventos() -> None:
    puertos = _QueRegistraMientrasSeLee(muchas(10, "w"))
    ya_estaban = muchas(TRES_PAGINAS)
    registrar(puertos, *ya_estaban)
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        vistos = ids(await cliente.get(LISTA, params={"formato": "ndjson"}))
    assert len(vistos) == len(set(vistos))
    assert {evento.id for evento in ya_estaban} <= set(vistos)


async def test_no_se_lee_la_pagina_siguiente_hasta_que_quien_descarga_se_lleva_la_anterior() -> None:
    puertos = PuertosEnMemoria()
    registrar(puertos, *muchas(5 * LIMITE_MAXIMO))
    lector = _LectorLento(api_en_memoria(puertos))
    async with asyncio.TaskGroup() as tareas:
        tareas.create_task(lector.pedir(LISTA, b"formato=csv"))
        for pagina in range(1, 6):
            # Escrita esta y aún sin llevársela: la siguiente ni se pide.
            await hasta_en_el_bucle(lambda: lector.ofrecidas == pagina)  # noqa: B023 (se mira antes de seguir)
            assert puertos.consultas == pagina
            lector.llevarse()
        await hasta_en_el_bucle(lambda: lector.acabada)
    assert len(tabla(lector.recibido.decode())) == 5 * LIMITE_MAXIMO


async def test_la_descarga_que_no_cabe_es_un_503_y_cuando_acaba_otra_ya_cabe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(descargas, "DESCARGAS_A_LA_VEZ", 1)
    puertos = PuertosEnMemoria()
    registrar(puertos, *muchas(2 * LIMITE_MAXIMO))
    api = api_en_memoria(puertos)
    lector = _LectorLento(api)
    entera = {"formato": "csv"}
    async with cliente_de(api) as cliente, asyncio.TaskGroup() as tareas:
        descarga = tareas.create_task(lector.pedir(LISTA, b"formato=ndjson"))
        await hasta_en_el_bucle(lambda: lector.ofrecidas == 1)
        for direccion in (LISTA, CORRIENTE, DESTINOS):
            negada = await cliente.get(direccion, params=entera)
            assert negada.status_code == 503, negada.text
            assert negada.json()["type"] == "urn:alpespartners:error:demasiadas_descargas"
            assert int(negada.headers["Retry-After"]) > 0
            # Una página no es una descarga.
            assert (await cliente.get(direccion, params={**entera, "limite": "5"})).status_code == 200
        lector.llevarse()
        lector.llevarse()
        await descarga
        assert len(ids(await cliente.get(LISTA, params=entera))) == 2 * LIMITE_MAXIMO
        # Tampoco ocupa sitio lo que falla antes de empezar.
        monkeypatch.setattr(puertos, "leer", _sin_base_de_datos)
        for _ in range(2):
            fallida = await cliente.get(LISTA, params=entera)
            assert fallida.json()["type"] == "urn:alpespartners:error:base_de_datos_no_disponible"


async def _sin_base_de_datos(_consulta: object) -> NoReturn:
    raise BaseDatosNoDisponible


@dataclass
class _QueRegistraMientrasSeLee(PuertosEnMemoria):
    """Tras cada lectura llega un evento más."""

    por_llegar: list[Conversion] = field(default_factory=list)

    def __init__(self, por_llegar: list[Conversion]) -> None:
        super().__init__()
        self.por_llegar = por_llegar

    async def leer(self, consulta: Callable[[Consulta], T]) -> T:
        leido = await super().leer(consulta)
        if self.por_llegar:
            registrar(self, self.por_llegar.pop())
        return leido


class _LectorLento:
    """Un cliente ASGI que no se lleva un trozo hasta que se le dice."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api
        self._puede = asyncio.Semaphore(0)
        self.ofrecidas = 0
        self.recibido = b""
        self.acabada = False

    async def pedir(self, ruta: str, consulta: bytes) -> None:
        await self._api(
            {
                "type": "http",
                "method": "GET",
                "path": ruta,
                "raw_path": ruta.encode(),
                "query_string": consulta,
                "headers": [(b"host", b"127.0.0.1:8000")],
                "client": ("127.0.0.1", 1),
                "server": ("127.0.0.1", 8000),
                "scheme": "http",
                "asgi": {"spec_version": "2.3"},
            },
            self._recibir,
            self._enviar,
        )

    def llevarse(self) -> None:
        self._puede.release()

    async def _recibir(self) -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def _enviar(self, mensaje: Message) -> None:
        if mensaje["type"] != "http.response.body":
            return
        self.acabada = not mensaje["more_body"]
        if mensaje["body"]:
            self.ofrecidas += 1
            await self._puede.acquire()
            self.recibido += mensaje["body"]
