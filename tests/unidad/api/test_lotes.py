"""`POST /tracking/lotes`: un resultado por elemento, en su orden, pase lo que pase con los demás."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from alpespartners.api.captura.lotes import (
    ELEMENTOS_MAXIMOS,
    LIMITES,
    SIGNOS_DE_UN_LOTE,
    SIGNOS_SUELTOS,
)
from alpespartners.api.captura.resultados import FALTAS_MAXIMAS
from alpespartners.api.captura.tandas import (
    ELEMENTOS_DE_UNA_TANDA,
    EN_VUELO_MAXIMO,
    SIGNOS_DE_UN_ELEMENTO,
)
from alpespartners.api.http.cuerpo import SIN_CONTAR_VECES
from alpespartners.modulos.tracking.aplicacion.comandos import Comando, RegistrarConversion
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.seedwork import respiro
from alpespartners.seedwork.json_por_partes import contar_signos
from tests.apoyo.cuerpos import CONVERSION, IMPRESION
from tests.apoyo.espera import hasta_en_el_bucle
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de, descripcion

RUTA = "/tracking/lotes"
JSON = "application/json"
NDJSON = "application/x-ndjson"
EN_GZIP = ("content-encoding", "gzip")
LARGO = 64 * 1024


def _impresion(id_evento: str, **otros: object) -> dict[str, object]:
    return {"clase": "impresion", **IMPRESION, "id": id_evento, **otros}


def _conversion(id_evento: str, **otros: object) -> dict[str, object]:
    return {"clase": "conversion", **CONVERSION, "id": id_evento, **otros}


def _lista(elementos: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(elementos) + b"]"


def _lineas(elementos: Iterable[bytes]) -> bytes:
    return b"\n".join(elementos) + b"\n"


def _en_json(*elementos: object) -> list[bytes]:
    return [json.dumps(elemento).encode() for elemento in elementos]


async def _acabar() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _callar() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def _enviar(
    puertos: PuertosEnMemoria,
    trozos: Iterable[bytes],
    *cabeceras: tuple[str, str],
    tipo: str = JSON,
    despues: Callable[[], Awaitable[Message]] = _acabar,
    **ajustes: Any,
) -> tuple[int, dict[str, Any]]:
    """Entrega esos trozos a la API, y `despues` de ellos lo que diga; devuelve estado y cuerpo."""
    pendientes = chain(trozos)
    recibidos: list[Message] = []
    acabado = False

    async def receive() -> Message:
        nonlocal acabado
        for trozo in pendientes:
            return {"type": "http.request", "body": trozo, "more_body": True}
        if acabado:
            await asyncio.Event().wait()
        acabado = True
        return await despues()

    async def send(mensaje: Message) -> None:
        recibidos.append(mensaje)

    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": RUTA.encode(),
        "query_string": b"",
        "headers": [
            (nombre.encode(), valor.encode())
            for nombre, valor in [("host", "localhost"), ("content-type", tipo), *cabeceras]
        ],
        "client": None,
    }
    await api_en_memoria(puertos, **ajustes)(scope, receive, send)
    if not recibidos:
        return 0, {}
    return recibidos[0]["status"], json.loads(b"".join(m.get("body", b"") for m in recibidos))


def _estados(cuerpo: dict[str, Any]) -> list[str]:
    assert [resultado["indice"] for resultado in cuerpo["resultados"]] == list(
        range(len(cuerpo["resultados"]))
    )
    return [resultado["estado"] for resultado in cuerpo["resultados"]]


def _publicados(puertos: PuertosEnMemoria) -> list[str | None]:
    return [comando.id for comando, _, _ in puertos.publicados]


def _cumple(cuerpo: object, esquema: str) -> None:
    documento = {"$ref": f"#/components/schemas/{esquema}", "components": descripcion()["components"]}
    jsonschema_rs.validate(json.loads(json.dumps(documento)), cuerpo)


class _BrokerQueTarda(PuertosEnMemoria):
    """Confirma cuando la prueba quiere, y recuerda cuántas tandas esperaban a la vez."""

    def __init__(self) -> None:
        super().__init__()
        self.tandas: list[int] = []
        self.en_vuelo = self.maximo_en_vuelo = 0
        self.puede = asyncio.Event()

    async def publicar_varios(
        self, comandos: Sequence[tuple[Comando, str]], *, traza: str | None
    ) -> list[BrokerNoDisponible | None]:
        self.tandas.append(len(comandos))
        self.en_vuelo += 1
        self.maximo_en_vuelo = max(self.maximo_en_vuelo, self.en_vuelo)
        try:
            await self.puede.wait()
            return await super().publicar_varios(comandos, traza=traza)
        finally:
            self.en_vuelo -= 1


class _BrokerQueSeVa(PuertosEnMemoria):
    """Confirma unos cuantos y ninguno más."""

    def __init__(self, confirma: int) -> None:
        super().__init__()
        self._quedan = confirma
        self.intentos = 0

    async def publicar(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
        self.intentos += 1
        self.disponible = self._quedan > 0
        self._quedan -= 1
        await super().publicar(comando, comando_id=comando_id, traza=traza)


# Un elemento, por sus octetos, y lo que se espera de él; {n} es su lugar.
_BUENO = st.sampled_from(
    [
        (json.dumps(_impresion("ev-{n}")), "ACEPTADA"),
        (
            json.dumps(_conversion("ev-{n}", propiedades={"a": [1, {"b": '}]\\"'}]}), ensure_ascii=False),
            "ACEPTADA",
        ),
        (json.dumps(_impresion("repetido")), "ACEPTADA"),
        (json.dumps(_conversion("repetido", valor=7)), "ACEPTADA"),
        (json.dumps(_conversion("repetido", valor=8)), "ACEPTADA"),
    ]
)
_MALO = st.sampled_from(
    [
        (json.dumps(_impresion("ev-{n}", timestamp="ayer")), "RECHAZADA"),
        (json.dumps(_conversion("ev-{n}", moneda="XXX")), "RECHAZADA"),
        (json.dumps({**_impresion("ev-{n}"), "clase": "otra"}), "RECHAZADA"),
        (json.dumps(IMPRESION), "RECHAZADA"),
        (json.dumps(_impresion("ev-{n}", user_agent="x" * LARGO)), "RECHAZADA"),
        ('{"clase":"impresion","id":"ev-{n}","id":"b","campaña_id":"c"}', "RECHAZADA"),
        ('{"clase":"impresion","propiedades":' + '{"a":' * 40 + "1" + "}" * 40 + "}", "RECHAZADA"),
        ('{"clase":"impresion","id":}', "RECHAZADA"),
        ("NaN", "RECHAZADA"),
        ("12", "RECHAZADA"),
        ("[[]]", "RECHAZADA"),
        ('"suelto"', "RECHAZADA"),
        ("null", "RECHAZADA"),
    ]
)
_CORTES = st.lists(st.integers(1, 5_000), min_size=1, max_size=5)


def _cortado(cuerpo: bytes, cortes: Sequence[int]) -> Iterator[bytes]:
    desde = 0
    while desde < len(cuerpo):
        for corte in cortes:
            yield cuerpo[desde : desde + corte]
            desde += corte


@settings(max_examples=60, deadline=None)
@given(st.lists(_BUENO | _MALO, min_size=1, max_size=12), _CORTES, st.sampled_from([(), (EN_GZIP,)]))
async def test_cada_elemento_tiene_su_resultado_en_su_orden_y_se_publican_exactamente_los_que_valen(
    mezcla: list[tuple[str, str]], cortes: list[int], codificacion: Sequence[tuple[str, str]]
) -> None:
    elementos = [texto.replace("{n}", str(numero)).encode() for numero, (texto, _) in enumerate(mezcla)]
    cuerpos: list[Any] = []
    for tipo, reunir in ((JSON, _lista), (NDJSON, _lineas)):
        puertos = PuertosEnMemoria()
        cuerpo = reunir(elementos)
        if codificacion:
            cuerpo = gzip.compress(cuerpo)
        estado, recibido = await _enviar(puertos, _cortado(cuerpo, cortes), *codificacion, tipo=tipo)
        assert estado == 200
        _cumple(recibido, "LoteRecibido")
        assert _estados(recibido) == [esperado for _, esperado in mezcla]
        aceptados = [resultado for resultado in recibido["resultados"] if resultado["estado"] == "ACEPTADA"]
        assert [(r["id"], r["comando_id"]) for r in aceptados] == [
            (comando.id, comando_id) for comando, comando_id, _ in puertos.publicados
        ]
        assert (recibido["aceptados"], recibido["rechazados"]) == (
            len(aceptados),
            len(mezcla) - len(aceptados),
        )
        cuerpos.append(recibido)
    assert cuerpos[0] == cuerpos[1]


async def test_lo_que_no_vale_dice_por_que(cliente: httpx2.AsyncClient) -> None:
    elementos = [
        *_en_json(
            _conversion("c-1", moneda="", usuario_id=7), {**IMPRESION, "clase": "clic"}, IMPRESION, [1]
        ),
        b'{"clase":"impresion","id":}',
        json.dumps(_impresion("i-1", user_agent="x" * LARGO)).encode(),
    ]
    respuesta = await cliente.post(RUTA, content=_lista(elementos), headers={"Content-Type": JSON})
    faltas = [
        [(falta["campo"], falta["codigo"], falta["mensaje"]) for falta in resultado["errores"]]
        for resultado in respuesta.json()["resultados"]
    ]
    assert [(campo, codigo) for campo, codigo, _ in faltas[0]] == [
        ("usuario_id", "tipo_incorrecto"),
        ("moneda", "requerido"),
    ]
    assert faltas[1:] == [
        [("clase", "valor_no_permitido", "debe ser impresion o conversion")],
        [("clase", "requerido", "es obligatoria: impresion o conversion")],
        [("", "tipo_incorrecto", "debe ser un objeto JSON")],
        [("", "elemento_ilegible", "el elemento no es JSON: error en la línea 1, columna 27")],
        [("", "elemento_demasiado_grande", "pasa de 64 KiB")],
    ]


async def test_de_un_elemento_con_miles_de_faltas_se_dicen_unas_cuantas(cliente: httpx2.AsyncClient) -> None:
    hostil = _impresion("i-1", **{f"x{numero}": 1 for numero in range(3_000)})
    respuesta = await cliente.post(RUTA, json=[hostil], headers={"Prefer": "handling=strict"})
    assert len(respuesta.json()["resultados"][0]["errores"]) == FALTAS_MAXIMAS
    assert respuesta.headers["Preference-Applied"] == "handling=strict"


async def test_lo_que_pasa_de_mil_elementos_es_413_con_lo_que_fue_de_los_mil(
    puertos: PuertosEnMemoria,
) -> None:
    elementos = _en_json(*(_impresion(f"i-{numero}") for numero in range(ELEMENTOS_MAXIMOS + 1)))
    assert (await _enviar(puertos, [_lista(elementos[:-1])]))[0] == 200
    puertos.publicados.clear()
    estado, cuerpo = await _enviar(puertos, [_lista(elementos)])
    assert (estado, cuerpo["type"]) == (413, "urn:alpespartners:error:demasiados_elementos")
    _cumple(cuerpo, "LoteInterrumpido")
    assert _estados(cuerpo) == ["ACEPTADA"] * ELEMENTOS_MAXIMOS
    assert len(puertos.publicados) == ELEMENTOS_MAXIMOS


async def test_una_lista_rota_es_400_con_lo_que_fue_de_lo_anterior(puertos: PuertosEnMemoria) -> None:
    bueno, malo = _en_json(_impresion("i-1"), _impresion("i-2", timestamp="ayer"))
    estado, cuerpo = await _enviar(puertos, [b"[" + bueno + b"," + malo + b',{"a":"x},{"b":"y"}]'])
    assert (estado, cuerpo["type"]) == (400, "urn:alpespartners:error:json_ilegible")
    assert "en su elemento 2" in cuerpo["detail"]
    assert _estados(cuerpo) == ["ACEPTADA", "RECHAZADA"]
    assert _publicados(puertos) == ["i-1"]


def _de_muchas_partes(id_evento: str, signos: int) -> bytes:
    """Un elemento que lleva justo esas comas, dos puntos y aperturas."""
    (llano,) = _en_json(_impresion(id_evento, propiedades={"a": [1]}))
    faltan = signos - contar_signos(llano)
    return llano.replace(b"[1]", b"[" + b"[]," * (faltan // 2) + b"0," * (faltan % 2) + b"1]")


@pytest.mark.parametrize(("tipo", "reunir"), [(JSON, _lista), (NDJSON, _lineas)])
async def test_el_elemento_de_demasiadas_partes_se_rechaza_sin_leerlo_y_no_estorba(
    puertos: PuertosEnMemoria, tipo: str, reunir: Callable[[Iterable[bytes]], bytes]
) -> None:
    justo, de_mas = (_de_muchas_partes(f"i-{n}", SIGNOS_DE_UN_ELEMENTO + n) for n in (0, 1))
    estado, cuerpo = await _enviar(
        puertos, [reunir([de_mas, justo, *_en_json(_impresion("i-2"))])], tipo=tipo
    )
    assert (estado, _estados(cuerpo)) == (200, ["RECHAZADA", "ACEPTADA", "ACEPTADA"])
    (falta,) = cuerpo["resultados"][0]["errores"]
    assert (falta["campo"], falta["codigo"]) == ("", "elemento_demasiado_grande")
    assert falta["mensaje"] == "lleva más de 32768 comas, dos puntos, corchetes y llaves"
    assert _publicados(puertos) == ["i-0", "i-2"]


@pytest.mark.parametrize(("tipo", "reunir"), [(JSON, _lista), (NDJSON, _lineas)])
async def test_lo_que_pasa_de_las_partes_de_un_lote_es_413_con_lo_que_fue_de_lo_leido(
    puertos: PuertosEnMemoria, tipo: str, reunir: Callable[[Iterable[bytes]], bytes]
) -> None:
    caben = SIGNOS_DE_UN_LOTE // SIGNOS_DE_UN_ELEMENTO
    hostiles = [_de_muchas_partes(f"i-{n}", SIGNOS_DE_UN_ELEMENTO) for n in range(caben)]
    ultimo, fuera = _en_json(_impresion("el que pasa"), _impresion("fuera"))
    estado, cuerpo = await _enviar(puertos, [reunir([*hostiles, ultimo])], tipo=tipo)
    assert (estado, _estados(cuerpo)) == (200, ["ACEPTADA"] * (caben + 1))
    puertos.publicados.clear()
    estado, cuerpo = await _enviar(puertos, [reunir([*hostiles, ultimo, fuera])], tipo=tipo)
    assert (estado, cuerpo["type"]) == (413, "urn:alpespartners:error:demasiadas_partes")
    _cumple(cuerpo, "LoteInterrumpido")
    assert _estados(cuerpo) == ["ACEPTADA"] * (caben + 1)
    assert _publicados(puertos)[-1] == "el que pasa"


async def test_uno_que_anida_miles_de_niveles_no_estorba_y_muchos_cortan_el_lote(
    puertos: PuertosEnMemoria,
) -> None:
    hondo = b"[" * SIGNOS_DE_UN_ELEMENTO + b"]" * SIGNOS_DE_UN_ELEMENTO
    primero, ultimo = _en_json(_impresion("i-1"), _impresion("i-2"))
    estado, cuerpo = await _enviar(puertos, [_lista([primero, hondo, ultimo])])
    assert (estado, _estados(cuerpo)) == (200, ["ACEPTADA", "RECHAZADA", "ACEPTADA"])
    caben = SIGNOS_SUELTOS // len(hondo)
    estado, cuerpo = await _enviar(puertos, [_lista([primero, *[hondo] * (caben + 1), ultimo])])
    assert (estado, cuerpo["type"]) == (413, "urn:alpespartners:error:demasiadas_partes")
    assert _estados(cuerpo)[0] == "ACEPTADA"
    assert caben <= len(cuerpo["resultados"]) <= caben + 1
    assert _publicados(puertos) == ["i-1", "i-2", "i-1"]


@pytest.mark.parametrize(
    ("gzip_roto", "estado"), [(0, 408), (1, 400)], ids=["un cuerpo que se para", "un gzip roto"]
)
async def test_si_el_cuerpo_se_interrumpe_lo_leido_tiene_su_resultado(
    puertos: PuertosEnMemoria,
    gzip_roto: int,
    estado: int,
) -> None:
    lineas = _lineas(_en_json(_impresion("i-1"), _impresion("i-2"))) + b'{"clase"'
    if gzip_roto:
        comprimido = gzip.compress(lineas)
        recibido = await _enviar(puertos, [comprimido[:-4]], EN_GZIP, tipo=NDJSON)
    else:
        recibido = await _enviar(puertos, [lineas], tipo=NDJSON, despues=_callar, segundos_de_cuerpo=0.05)
    assert recibido[0] == estado
    assert _estados(recibido[1]) == ["ACEPTADA", "ACEPTADA"]
    assert _publicados(puertos) == ["i-1", "i-2"]


async def test_si_el_cliente_se_va_lo_publicado_publicado_queda() -> None:
    puertos = _BrokerQueTarda()

    async def irse() -> Message:
        await hasta_en_el_bucle(lambda: puertos.en_vuelo == EN_VUELO_MAXIMO)
        puertos.puede.set()
        await hasta_en_el_bucle(lambda: len(puertos.publicados) == 200)
        return {"type": "http.disconnect"}

    lineas = _lineas(_en_json(*(_impresion(f"i-{numero}") for numero in range(250))))
    assert await _enviar(puertos, [lineas], tipo=NDJSON, despues=irse) == (0, {})
    assert len(puertos.publicados) == 200


async def test_si_el_cliente_se_va_nadie_sigue_esperando_al_broker() -> None:
    puertos = _BrokerQueTarda()

    async def irse() -> Message:
        await hasta_en_el_bucle(lambda: puertos.en_vuelo == EN_VUELO_MAXIMO)
        return {"type": "http.disconnect"}

    lineas = _lineas(_en_json(*(_impresion(f"i-{numero}") for numero in range(250))))
    assert await _enviar(puertos, [lineas], tipo=NDJSON, despues=irse) == (0, {})
    await hasta_en_el_bucle(lambda: puertos.en_vuelo == 0)


async def test_se_publica_segun_llega_y_nunca_hay_mas_de_dos_tandas_en_vuelo() -> None:
    puertos = _BrokerQueTarda()

    async def acabar() -> Message:
        # Del cuerpo que aún no ha acabado ya hay elementos publicándose.
        await hasta_en_el_bucle(lambda: puertos.en_vuelo == 1)
        liberado.append(asyncio.create_task(liberar()))
        return {"type": "http.request", "body": resto, "more_body": False}

    async def liberar() -> None:
        await hasta_en_el_bucle(lambda: puertos.en_vuelo == EN_VUELO_MAXIMO)
        puertos.puede.set()

    liberado: list[asyncio.Task[None]] = []

    elementos = _en_json(*(_impresion(f"i-{numero}") for numero in range(550)))
    principio, resto = _lineas(elementos[:150]), _lineas(elementos[150:])
    estado, cuerpo = await _enviar(puertos, [principio], tipo=NDJSON, despues=acabar)
    assert (estado, cuerpo["aceptados"]) == (200, 550)
    assert puertos.tandas == [ELEMENTOS_DE_UNA_TANDA] * 5 + [50]
    assert puertos.maximo_en_vuelo == EN_VUELO_MAXIMO


async def _pasos_mientras(envio: Awaitable[object]) -> int:
    """Las veces que otra tarea del bucle pudo seguir mientras se atendía."""
    pasos = 0

    async def otra() -> None:
        nonlocal pasos
        while True:
            pasos += 1
            await asyncio.sleep(0)

    tarea = asyncio.create_task(otra())
    try:
        await envio
    finally:
        tarea.cancel()
    return pasos


async def test_mientras_se_lee_un_cuerpo_grande_otras_tareas_siguen(
    puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(respiro, "SEGUNDOS_SEGUIDOS", -1)
    for cabeceras, cuerpo in (
        ((), b"\n" * LIMITES.octetos),
        ((EN_GZIP,), gzip.compress(b"", mtime=0) * 6_000 + gzip.compress(b"\n" * LIMITES.octetos)),
    ):
        pasos = await _pasos_mientras(_enviar(puertos, [cuerpo], *cabeceras, tipo=NDJSON))
        assert pasos > LIMITES.octetos // LARGO


async def test_mientras_se_juzga_una_tanda_otras_tareas_siguen_y_las_tandas_se_publican_en_su_orden(
    puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(respiro, "SEGUNDOS_SEGUIDOS", -1)
    # La segunda tanda, de uno, se juzga en mucho menos que la primera.
    ids = [f"imp-{numero}" for numero in range(ELEMENTOS_DE_UNA_TANDA + 1)]
    cuerpo = _lista(_en_json(*map(_impresion, ids)))
    assert await _pasos_mientras(_enviar(puertos, [cuerpo])) > len(ids)
    assert _publicados(puertos) == ids


@pytest.mark.parametrize("tipo", [JSON, NDJSON])
async def test_un_lote_enorme_no_ocupa_la_memoria_y_lo_que_no_cabe_es_413(tipo: str) -> None:
    def sin_fin() -> Iterator[bytes]:
        numero = 0
        yield b"[" if tipo == JSON else b""
        while True:
            numero += 1
            elemento = json.dumps(_impresion(f"i-{numero}", user_agent="x" * 6_000)).encode()
            yield elemento + (b"," if tipo == JSON else b"\n")

    class BrokerQueNoGuarda(PuertosEnMemoria):
        async def publicar(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
            pass

    tracemalloc.start()
    try:
        estado, cuerpo = await _enviar(BrokerQueNoGuarda(), sin_fin(), tipo=tipo)
        _, pico = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (estado, cuerpo["type"]) == (413, "urn:alpespartners:error:cuerpo_demasiado_grande")
    assert len(cuerpo["resultados"]) > 800
    assert pico < LIMITES.octetos


@pytest.mark.parametrize(("cabeceras", "mide"), [((), LIMITES.octetos), ((EN_GZIP,), LIMITES.comprimidos)])
async def test_el_que_anuncia_que_no_cabe_es_413_sin_leer_nada(
    puertos: PuertosEnMemoria, cabeceras: Sequence[tuple[str, str]], mide: int
) -> None:
    estado, cuerpo = await _enviar(puertos, [], *cabeceras, ("content-length", str(mide + 1)))
    assert (estado, cuerpo["resultados"]) == (413, [])


async def test_lo_que_en_gzip_da_cien_veces_lo_que_mide_es_413_y_lo_que_da_poco_no(
    puertos: PuertosEnMemoria,
) -> None:
    iguales = _lineas(_en_json(_impresion("i-1")) * 800)
    assert len(iguales) < SIN_CONTAR_VECES < 100 * len(gzip.compress(iguales)) + SIN_CONTAR_VECES
    assert (await _enviar(puertos, [gzip.compress(iguales)], EN_GZIP, tipo=NDJSON))[0] == 200
    bomba = gzip.compress(iguales + b"\n" * 4_000_000)
    estado, cuerpo = await _enviar(puertos, [bomba], EN_GZIP, tipo=NDJSON)
    assert (estado, cuerpo["type"]) == (413, "urn:alpespartners:error:cuerpo_demasiado_comprimido")
    assert len(cuerpo["resultados"]) == 800


async def test_lo_que_descomprimido_no_cabe_es_413(puertos: PuertosEnMemoria) -> None:
    elementos = [
        " ".join(map(str, range(numero * 200, numero * 200 + 1_200))).encode() for numero in range(900)
    ]
    comprimido = gzip.compress(_lineas(elementos))
    assert len(_lineas(elementos)) > LIMITES.octetos
    assert len(comprimido) < LIMITES.comprimidos
    estado, cuerpo = await _enviar(puertos, [comprimido], EN_GZIP, tipo=NDJSON)
    assert (estado, cuerpo["type"]) == (413, "urn:alpespartners:error:cuerpo_demasiado_grande")
    assert 0 < len(cuerpo["resultados"]) < len(elementos)


@pytest.mark.parametrize(("tipo", "cuerpo"), [(JSON, b"[]"), (NDJSON, b""), (NDJSON, b" \n\r\n")])
async def test_un_lote_vacio_es_422_con_una_frase(
    cliente: httpx2.AsyncClient, tipo: str, cuerpo: bytes
) -> None:
    respuesta = await cliente.post(RUTA, content=cuerpo, headers={"Content-Type": tipo})
    assert respuesta.status_code == 422
    assert respuesta.json()["errores"] == [
        {"campo": "", "codigo": "requerido", "mensaje": "el lote está vacío: lleva al menos un evento"}
    ]


async def test_la_clave_de_idempotencia_no_vale_para_un_lote_ni_hay_parametros(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.post(
        f"{RUTA}?modo=1", json=[_impresion("i-1")], headers={"Idempotency-Key": "pedido-7"}
    )
    assert respuesta.status_code == 422
    assert [(falta["campo"], falta["codigo"]) for falta in respuesta.json()["errores"]] == [
        ("modo", "parametro_desconocido"),
        ("Idempotency-Key", "cabecera_no_admitida"),
    ]
    assert puertos.publicados == []


@pytest.mark.parametrize("tipo", ["text/csv", "application/jsonl"])
async def test_otro_tipo_de_contenido_es_415(cliente: httpx2.AsyncClient, tipo: str) -> None:
    respuesta = await cliente.post(RUTA, content=b"[]", headers={"Content-Type": tipo})
    assert respuesta.status_code == 415
    assert respuesta.headers["Accept-Post"] == f"{JSON}, {NDJSON}"


async def test_sin_broker_es_503_con_todos_sin_confirmar_y_los_que_no_valen_rechazados(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    respuesta = await cliente.post(RUTA, json=[_impresion("i-1"), _impresion("i-2", timestamp="ayer")])
    assert (respuesta.status_code, respuesta.headers["Retry-After"]) == (503, "5")
    _cumple(respuesta.json(), "LoteRecibido")
    assert _estados(respuesta.json()) == ["SIN_CONFIRMAR", "RECHAZADA"]
    assert respuesta.json()["resultados"][0]["id"] == "i-1"


async def test_si_el_broker_se_va_a_la_mitad_no_se_le_espera_otra_vez_por_cada_tanda() -> None:
    puertos = _BrokerQueSeVa(confirma=150)
    elementos = [_impresion(f"i-{numero}") for numero in range(900)]
    estado, cuerpo = await _enviar(puertos, [_lista(_en_json(*elementos))])
    assert estado == 200
    assert _estados(cuerpo) == ["ACEPTADA"] * 150 + ["SIN_CONFIRMAR"] * 750
    assert puertos.intentos <= ELEMENTOS_DE_UNA_TANDA * (2 + EN_VUELO_MAXIMO)


async def test_que_no_se_confirmen_las_de_una_clase_no_deja_sin_publicar_las_de_la_otra() -> None:
    class SinConversiones(PuertosEnMemoria):
        """Confirma las impresiones, y ninguna conversión; cuenta las que se intentan."""

        intentos = 0

        async def publicar(self, comando: Comando, *, comando_id: str, traza: str | None) -> None:
            if isinstance(comando, RegistrarConversion):
                self.intentos += 1
                raise BrokerNoDisponible
            await super().publicar(comando, comando_id=comando_id, traza=traza)

    puertos = SinConversiones()
    mitades = 400
    elementos = chain.from_iterable((_conversion(f"c-{n}"), _impresion(f"i-{n}")) for n in range(mitades))
    estado, cuerpo = await _enviar(puertos, [_lista(_en_json(*elementos))])
    assert (estado, _estados(cuerpo)) == (200, ["SIN_CONFIRMAR", "ACEPTADA"] * mitades)
    assert puertos.intentos <= ELEMENTOS_DE_UNA_TANDA // 2 * (1 + EN_VUELO_MAXIMO)


async def test_con_espera_cada_uno_dice_en_que_acabo(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    lote = [
        _conversion("c-1"),
        _conversion("c-1", user_agent="otro"),
        _conversion("c-1", valor=7, usuario_id="otro"),
        _conversion("c-2", timestamp="ayer"),
        _impresion("c-1"),
    ]
    respuesta = await cliente.post(RUTA, json=lote, headers={"Prefer": "wait=10"})
    assert respuesta.headers["Preference-Applied"] == "wait=10"
    cuerpo = respuesta.json()
    _cumple(cuerpo, "LoteRecibido")
    assert _estados(cuerpo) == ["REGISTRADA", "DUPLICADA", "RECHAZADA", "RECHAZADA", "REGISTRADA"]
    assert (cuerpo["aceptados"], cuerpo["rechazados"]) == (3, 2)
    _, duplicada, conflicto, *_ = cuerpo["resultados"]
    assert (duplicada["difieren"], duplicada["original"]) == (["user_agent"], puertos.publicados[0][1])
    assert conflicto["motivo"] == "conflicto_de_id"
    assert conflicto["campos"] == ["usuario_id", "valor"]
    assert [(falta["campo"], falta["codigo"]) for falta in conflicto["errores"]] == [
        ("usuario_id", "conflicto_de_id"),
        ("valor", "conflicto_de_id"),
    ]
    assert conflicto["comando_id"] == puertos.publicados[2][1]


async def test_lo_que_se_confirmo_y_despues_se_rechazo_no_deja_el_lote_sin_confirmar() -> None:
    puertos = _BrokerQueSeVa(confirma=2)
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        await cliente.post(RUTA, json=[_conversion("c-1")])
        lote = [_conversion("c-1", valor=7), _conversion("c-2")]
        respuesta = await cliente.post(RUTA, json=lote, headers={"Prefer": "wait=10"})
    assert (respuesta.status_code, _estados(respuesta.json())) == (200, ["RECHAZADA", "SIN_CONFIRMAR"])


async def test_lo_que_no_se_sabe_a_tiempo_queda_aceptado(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await cliente.post(RUTA, json=[_impresion("i-1")])
    puertos.cuantos_consumidores = 0
    respuesta = await cliente.post(RUTA, json=[_impresion("i-2")], headers={"Prefer": "wait=1"})
    assert _estados(respuesta.json()) == ["ACEPTADA"]
    assert respuesta.headers["Preference-Applied"] == "wait=1"


async def test_los_que_pasan_de_los_que_pueden_esperar_quedan_aceptados(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos, esperas_maximas=2)) as cliente:
        lote = [_impresion(f"i-{numero}") for numero in range(3)]
        respuesta = await cliente.post(RUTA, json=lote, headers={"Prefer": "wait=10"})
        assert _estados(respuesta.json()) == ["REGISTRADA", "REGISTRADA", "ACEPTADA"]
    async with cliente_de(api_en_memoria(puertos, esperas_maximas=0)) as cliente:
        respuesta = await cliente.post(RUTA, json=lote, headers={"Prefer": "wait=10"})
        assert _estados(respuesta.json()) == ["ACEPTADA"] * 3
        assert "Preference-Applied" not in respuesta.headers


async def test_un_lote_no_quita_a_los_envios_sueltos_todas_las_esperas(puertos: PuertosEnMemoria) -> None:
    puertos.cuantos_consumidores = 0
    async with cliente_de(api_en_memoria(puertos, esperas_maximas=8)) as cliente:
        lote = [_impresion(f"i-{numero}") for numero in range(20)]
        con_espera = {"Prefer": "wait=10"}
        envio = asyncio.create_task(cliente.post(RUTA, json=lote, headers=con_espera))
        await hasta_en_el_bucle(lambda: puertos.consultas)
        suelto = asyncio.create_task(
            cliente.post("/tracking/impresiones", json={**IMPRESION, "id": "suelto"}, headers=con_espera)
        )
        await hasta_en_el_bucle(lambda: len(puertos.publicados) == 21)
        puertos.consumir()
        assert (await suelto).status_code == 201
        assert _estados((await envio).json()) == ["REGISTRADA"] * 6 + ["ACEPTADA"] * 14


async def test_el_ejemplo_de_la_descripcion_es_un_lote_que_vale(
    cliente: httpx2.AsyncClient,
) -> None:
    documento: Any = json.loads(json.dumps(descripcion()))
    contenido = documento["paths"][RUTA]["post"]["requestBody"]["content"]
    lista = contenido[JSON]["examples"]["semilla"]["value"]
    lineas = contenido[NDJSON]["examples"]["texto"]["value"]
    jsonschema_rs.validate(documento["components"]["schemas"]["NuevoLote"], lista)
    por_lineas = await cliente.post(
        RUTA, content=lineas, headers={"Content-Type": f"{NDJSON}; charset=utf-8"}
    )
    assert por_lineas.json()["aceptados"] == len(lista) == 2
    assert (await cliente.post(RUTA, json=lista)).json()["aceptados"] == 2
